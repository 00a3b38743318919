"""The C++ of a graph: one function that calls kernels, and what it is called with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

import torch
from torch import Tensor

from codsl.native.builder import Builder
from codsl.native.fetching import fetched
from codsl.native.loops import type_of
from codsl.native.memory import planned
from codsl.native.pages import ALIGNED
from codsl.native.staging import declared, staging
from codsl.native.target import lanes
from codsl.native.turns import staged
from codsl.native.values import Buffer

COMMON = ("follow.h", "vector.h", "ahead.h", "convolutions.h")
KERNELS = ("dense.h", "depthwise.h", "convolutions.cpp")
LOOPS = ("scalar.h", "product.h", "pool.h")


@dataclass(frozen=True)
class Source:
    """`step` defines `extern "C" void step(char* const* at)`, of this `body`, with the `kernels`
    that it calls.

    `at` are the addresses of what is given, of the results, of the constants, which are `held`, and
    of a room of so many bytes.
    """

    step: str
    kernels: str
    body: str
    held: "Held"
    room: int


class Held:
    """Constants as bytes one after another, those that are alike once; `size` of them."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}
        self.size = 0

    def place(self, x: Tensor) -> int:
        """The byte at which a constant begins."""
        numbers = x.flatten().view(torch.uint8).numpy().tobytes()
        if numbers not in self._places:
            self._places[numbers] = self.size
            self.size += -(-len(numbers) // ALIGNED) * ALIGNED
        return self._places[numbers]

    def put(self, memory: Tensor) -> Tensor:
        """All of them in memory of `size` bytes, which is returned."""
        memory.zero_()
        for numbers, place in self._places.items():
            if numbers:
                part = torch.frombuffer(bytearray(numbers), dtype=torch.uint8)
                memory[place : place + len(numbers)] = part
        return memory


def source_of(
    builder: Builder,
    given: Sequence[Buffer],
    results: Sequence[Buffer],
    held: Held | None = None,
) -> Source:
    """What is written for the kernels of a builder, whose constants may be held with others."""
    held = held or Held()
    used = {buffer for kernel in builder.kernels for buffer in kernel.reads}
    constants = {buffer: held.place(x) for buffer, x in builder.constants.items() if buffer in used}
    stages = staged(builder.kernels)
    scratch, room = planned(stages)
    touched = {x for stage in stages for x in stage.touches - stage.own.keys()}
    count = len(given) + len(results)
    addresses = {
        **{each: f"at[{number}]" for number, each in enumerate((*given, *results))},
        **{each: f"at[{count}] + {place}" for each, place in constants.items()},
        **{each: f"at[{count + 1}] + {place}" for each, place in scratch.items()},
    }
    lines = [declared(each, at) for each, at in addresses.items() if each in touched]
    for stage, parts in zip(stages, fetched(stages), strict=True):
        lines += staging(stage, parts, addresses)
    body = "\n".join(lines)
    step = f'extern "C" void step(char* const* at) {{\n{body}\n}}\n'
    head = _head(builder.dtype) + _texts(LOOPS)
    return Source(head + step, kernels_of(builder.dtype), body, held, room)


def library_of(dtype: torch.dtype) -> str:
    """All kernels that bodies call, in one text."""
    return kernels_of(dtype) + _texts(LOOPS)


def kernels_of(dtype: torch.dtype) -> str:
    """The kernels that are the same for all graphs of numbers of this dtype."""
    return _head(dtype) + _texts(KERNELS)


def _head(dtype: torch.dtype) -> str:
    """What every text begins with."""
    return f"using R = {type_of(dtype)};\n#define LANES {lanes(dtype)}\n" + _texts(COMMON)


def _texts(names: Iterable[str]) -> str:
    """Files of kernels, without what they include of each other."""
    folder = files("codsl.native") / "kernels"
    lines = []
    for name in names:
        lines += (folder / name).read_text(encoding="utf-8").splitlines()
    skipped = ("#pragma once", '#include "')
    return "\n".join(line for line in lines if not line.startswith(skipped)) + "\n"
