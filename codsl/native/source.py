"""The C++ of a graph: one function that calls kernels, and what it is called with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import torch
from torch import Tensor

from codsl.native.builder import Builder
from codsl.native.loops import type_of
from codsl.native.memory import ALIGNED, laid
from codsl.native.target import lanes
from codsl.native.values import Buffer, Kind

COMMON = ("follow.h", "vector.h", "convolutions.h")
KERNELS = ("dense.h", "depthwise.h", "convolutions.cpp")
LOOPS = ("scalar.h", "product.h", "pool.h")


@dataclass(frozen=True)
class Source:
    """`step` defines `extern "C" void step(char* const* at)`, with the `kernels` that it calls.

    `at` are the addresses of what is given, of the results, of the constants, which are `held`, and
    of a room of so many bytes.
    """

    step: str
    kernels: str
    held: Tensor
    room: int


def source_of(builder: Builder, given: Sequence[Buffer], results: Sequence[Buffer]) -> Source:
    """What is written for the kernels of a builder."""
    held, constants = _constants(builder)
    scratch, room = laid(builder.kernels)
    touched = {x for kernel in builder.kernels for x in (*kernel.reads, kernel.writes)}
    count = len(given) + len(results)
    addresses = {
        **{each: f"at[{number}]" for number, each in enumerate((*given, *results))},
        **{each: f"at[{count}] + {place}" for each, place in constants.items()},
        **{each: f"at[{count + 1}] + {place}" for each, place in scratch.items()},
    }
    lines = [_declared(each, at) for each, at in addresses.items() if each in touched]
    body = [kernel.text for kernel in builder.kernels]
    step = "\n".join(['extern "C" void step(char* const* at) {', *lines, *body, "}", ""])
    head = _head(builder.dtype)
    return Source(head + _texts(LOOPS) + step, kernels_of(builder.dtype), held, room)


@cache
def kernels_of(dtype: torch.dtype) -> str:
    """The kernels that are the same for all graphs of numbers of this dtype."""
    return _head(dtype) + _texts(KERNELS)


def _constants(builder: Builder) -> tuple[Tensor, Mapping[Buffer, int]]:
    """The constants that kernels read as bytes, one after another, and where each begins."""
    used = {buffer for kernel in builder.kernels for buffer in kernel.reads}
    places: dict[Buffer, int] = {}
    size = 0
    for buffer in builder.constants:
        if buffer in used:
            places[buffer] = size
            size += -(-buffer.count * buffer.dtype.itemsize // ALIGNED) * ALIGNED
    held = torch.zeros(size, dtype=torch.uint8)
    for buffer, place in places.items():
        numbers = builder.constants[buffer].flatten().view(torch.uint8)
        held[place : place + len(numbers)] = numbers
    return held, places


def _declared(buffer: Buffer, at: str) -> str:
    const = "const " if buffer.kind in (Kind.GIVEN, Kind.CONSTANT) else ""
    kind = f"{const}{type_of(buffer.dtype)}*"
    return f"{kind} const {buffer.name} = reinterpret_cast<{kind}>({at});"


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
