"""The C++ of a graph: one function that calls kernels, and what it is called with."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from importlib.resources import files

import torch
from torch import Tensor

from codsl.native.builder import Builder
from codsl.native.fetching import fetched
from codsl.native.loops import type_of
from codsl.native.memory import planned
from codsl.native.pages import aligned
from codsl.native.staging import declared, staging
from codsl.native.target import lanes
from codsl.native.turns import staged
from codsl.native.values import Buffer

COMMON = ("follow.h", "vector.h", "ahead.h", "convolutions.h")
KERNELS = {
    ("dense", "winograd"): ("tiles.h", "alone.h", "dense.h", "winograd.h", "dense.cpp"),
    ("depthwise",): ("depthwise.h", "depthwise.cpp"),
}
"""The kernels that are compiled together, and their files."""
LOOPS = ("scalar.h", "product.h", "pool.h", "items.h")
ALWAYS = ("weights", "room", "state")
"""What every step is called with, before what is given and its results: constants, scratch, and
what is kept."""


@dataclass(frozen=True)
class Source:
    """The body of a step in C++, whose constants are `held`, whose room is of so many bytes, and
    which `calls` kernels."""

    body: str
    held: "Held"
    room: int
    calls: frozenset[str]


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
            self.size += aligned(len(numbers))
        return self._places[numbers]

    def put(self, memory: Tensor) -> Tensor:
        """All of them in memory of `size` bytes, which is returned."""
        memory.zero_()
        for numbers, place in self._places.items():
            if numbers:
                part = torch.frombuffer(bytearray(numbers), dtype=torch.uint8)
                memory[place : place + len(numbers)] = part
        return memory


def source_of(builder: Builder, places: Mapping[Buffer, str], held: Held | None = None) -> Source:
    """What is written for the kernels of a builder, with C++ for where lies what is given and what
    is a result; constants may be held with others."""
    held = held or Held()
    used = {buffer for kernel in builder.kernels for buffer in kernel.reads}
    constants = {buffer: held.place(x) for buffer, x in builder.constants.items() if buffer in used}
    stages = staged(builder.kernels)
    scratch, room = planned(stages)
    touched = {x for stage in stages for x in stage.touches - stage.own.keys()}
    addresses = {
        **places,
        **{each: f"weights + {place}" for each, place in constants.items()},
        **{each: f"room + {place}" for each, place in scratch.items()},
    }
    lines = [declared(each, at) for each, at in addresses.items() if each in touched]
    for stage, parts in zip(stages, fetched(stages), strict=True):
        lines += staging(stage, parts, addresses)
    calls = frozenset(kernel.calls for kernel in builder.kernels if kernel.calls)
    return Source("\n".join(lines), held, room, calls)


def parameters(names: Sequence[str]) -> str:
    """Those of a function around the body of a step."""
    return ", ".join(f"[[maybe_unused]] char* {name}" for name in (*ALWAYS, *names))


def library_of(dtype: torch.dtype) -> str:
    """All kernels that bodies call, in one text."""
    return _head(dtype) + "".join(map(_texts, KERNELS.values())) + _texts(LOOPS)


def loops_of(dtype: torch.dtype) -> str:
    """Those that are written out in bodies, and how the others are called."""
    return _head(dtype) + _texts(LOOPS)


def kernels_of(dtype: torch.dtype, calls: Set[str]) -> list[str]:
    """Texts with the kernels that are called, the same for all graphs of numbers of this dtype."""
    used = (files for names, files in KERNELS.items() if not calls.isdisjoint(names))
    return [_head(dtype) + _texts(files) for files in used]


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
