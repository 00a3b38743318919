"""The C++ of a network: its kernels, a function for each phase, and how state lies: `model.cpp`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch

from codsl.export.layout import Layout
from codsl.export.plain.interface import arguments, filled
from codsl.native.pages import ALIGNED
from codsl.native.source import Source, library_of

MODEL = """\
// The step of `@NETWORK@`, by codsl @CODSL@.
#include "model.h"

@INCLUDES@

#pragma GCC diagnostic ignored "-Wunused-function"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wpsabi"  // vectors stay in this file
#endif

namespace {

@KERNELS@
@STEPS@
// What is kept: items of so many bytes for each row, in slots that are so far apart.
struct Kept { size_t place, bytes, slots, apart; };

constexpr size_t rows = @ROWS@, phases = @PHASES@, count = @COUNT@;
using Counts = std::array<int64_t, count>;
constexpr std::array<Kept, count> kept = {@KEPT@};

// How many items come to each in each phase.
constexpr std::array<Counts, phases> comes = {@COMES@};

// What a state begins with: how many calls there were, how many frames each row has had, and how
// many items have come to each that is kept.
struct Head {
  int64_t calls;
  std::array<int64_t, rows> had;
  Counts came;
};

constexpr size_t weight_bytes = @WEIGHTS@, state_bytes = @STATE@;
static_assert(sizeof(Head) <= @HEAD@, "what is kept lies behind it");

Head& head_of(void* state) { return *static_cast<Head*>(state); }

char* bytes_of(const void* memory) { return static_cast<char*>(const_cast<void*>(memory)); }

// An item: the next to come, with 0, or one before it.
char* item(void* state, size_t which, int64_t from_next) {
  const Kept& each = kept[which];
  const int64_t slots = each.slots, number = head_of(state).came[which] + from_next;
  return bytes_of(state) + each.place + (number + slots) % slots * each.apart;
}

struct alignas(@ALIGNED@) Line { char bytes[@ALIGNED@]; };

char* room() {
  static thread_local std::vector<Line> lines(@LINES@);
  return reinterpret_cast<char*>(lines.data());
}

constexpr void (*steps[])(char* const*) = {@NAMES@};

}  // namespace

const size_t @NAME@_weights = weight_bytes;
const size_t @NAME@_state = state_bytes;

void @NAME@_step(const void* weights, void* state, @PARAMETERS@) {
  Head& head = head_of(state);
  const size_t phase = head.calls % phases;
  char* const at[] = {
@AT@
      bytes_of(weights), room()};
  steps[phase](at);
  for (size_t which = 0; which < count; which++) head.came[which] += comes[phase][which];
  for (int64_t& had : head.had) had += @FRAMES@;
  head.calls++;
}

void @NAME@_begin(void* state, size_t row) {
  head_of(state).had[row] = 0;
  for (const Kept& each : kept)
    for (size_t slot = 0; slot < each.slots; slot++) {
      char* const first = bytes_of(state) + each.place + slot * each.apart;
      std::memset(first + row * each.bytes, 0, each.bytes);
    }
}

const char* @NAME@_about(void) {
  return @ABOUT@;
}
"""
INCLUDES = frozenset({"array", "cstdint", "cstring", "vector"})


@dataclass(frozen=True)
class Kept:
    """Items that are kept in a state: so many slots of so many bytes a row. A step reads those that
    are so far `back`, and `comes` says for each phase how many of those that it gives are items."""

    bytes: int
    slots: int
    backs: tuple[int, ...]
    fresh: int
    comes: tuple[int, ...]


def kept_of(layout: Layout) -> list[Kept]:
    """What a layout keeps: the items of its rings, with room for those that come before the oldest
    goes, and what is carried, of which the next comes while the last is read."""
    found = []
    for ring in layout.rings:
        fresh = len(ring.new)
        size = prod(ring.shape) * _bytes(layout.dtype)
        backs = tuple(back for _, back in ring.taps)
        found.append(Kept(size, ring.depth + fresh, backs, fresh, ring.comes))
    for each in layout.carried:
        size = prod(each.shape) * _bytes(each.dtype)
        found.append(Kept(size, 2, (1,), 1, (1,) * layout.phases))
    return found


def model_cpp(
    sources: Sequence[Source], layout: Layout, about: Mapping[str, Any], weights: int
) -> str:
    """The program; `sources` are the steps of each phase, whose weights are so many bytes."""
    rows = about["batch"][0]
    kept = kept_of(layout)
    head = _up(8 * (1 + rows + len(kept)))
    places = [head]
    for each in kept:
        places.append(places[-1] + each.slots * _up(rows * each.bytes))
    includes, kernels = _parted(library_of(getattr(torch, layout.dtype)))
    listed = arguments(about)
    blanks = {
        "NETWORK": about["network"],
        "CODSL": about["codsl"],
        "INCLUDES": "\n".join(f"#include <{name}>" for name in sorted(includes | INCLUDES)),
        "ROWS": str(rows),
        "PHASES": str(layout.phases),
        "FRAMES": str(layout.frames),
        "COUNT": str(len(kept)),
        "KEPT": ",".join(
            f"\n    Kept{{{place}, {each.bytes}, {each.slots}, {_up(rows * each.bytes)}}}"
            for place, each in zip(places, kept, strict=False)
        ),
        "COMES": ",".join(
            f"\n    Counts{{{', '.join(str(each.comes[phase]) for each in kept)}}}"
            for phase in range(layout.phases)
        ),
        "WEIGHTS": str(weights),
        "STATE": str(places[-1]),
        "HEAD": str(head),
        "ALIGNED": str(ALIGNED),
        "LINES": str(_up(max(each.room for each in sources)) // ALIGNED),
        "NAMES": ", ".join(f"step{phase}" for phase in range(layout.phases)),
        "NAME": about["network"],
        "PARAMETERS": ", ".join(f"{each.kind} x{n}" for n, each in enumerate(listed)),
        "AT": "\n".join(f"      {line}," for line in _addresses(layout, kept)),
        "KERNELS": kernels,
        "STEPS": "".join(
            f"void step{phase}(char* const* at) {{\n{each.body}\n}}\n\n"
            for phase, each in enumerate(sources)
        ),
        "ABOUT": json.dumps(json.dumps(about)),
    }
    return filled(MODEL, blanks)


def _addresses(layout: Layout, kept: Sequence[Kept]) -> Iterator[str]:
    """What a step of a phase is called with, in the order of the layout."""
    inputs, results = len(layout.inputs), 2 * len(layout.outputs)
    yield ", ".join(f"bytes_of(x{n})" for n in range(inputs))
    yield "bytes_of(head.had.data())"
    for which, each in enumerate(kept):
        if each.backs:
            yield ", ".join(f"item(state, {which}, {-back})" for back in each.backs)
    yield ", ".join(f"bytes_of(x{inputs + n})" for n in range(results))
    for which, each in enumerate(kept):
        if each.fresh:
            yield ", ".join(f"item(state, {which}, {place})" for place in range(each.fresh))


def _parted(text: str) -> tuple[set[str], str]:
    """The headers that a text includes, and the rest of it."""
    begin = "#include <"
    lines = text.splitlines()
    headers = {line.removeprefix(begin).rstrip("> ") for line in lines if line.startswith(begin)}
    return headers, "\n".join(line for line in lines if not line.startswith(begin))


def _up(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def _bytes(dtype: str) -> int:
    kind: torch.dtype = getattr(torch, dtype)
    return kind.itemsize
