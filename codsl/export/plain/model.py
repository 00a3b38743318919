"""The C++ of a network: its kernels, a function for each phase, and how state lies: `model.cpp`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from codsl.export.blanks import filled
from codsl.export.layout import Layout
from codsl.export.plain.interface import arguments
from codsl.export.plain.steps import kept_of
from codsl.native.keeping import COUNT, Keeping
from codsl.native.pages import ALIGNED, aligned
from codsl.native.source import ALWAYS, Source, library_of, parameters

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
// What is kept.
@TABLE@
constexpr size_t rows = @ROWS@, phases = @PHASES@;

// Behind the counts with which a state begins: how many calls there were, and how many frames each
// row has had.
struct Head {
  int64_t calls;
  std::array<int64_t, rows> had;
};

constexpr size_t weight_bytes = @WEIGHTS@, state_bytes = @STATE@;

char* bytes_of(const void* memory) { return static_cast<char*>(const_cast<void*>(memory)); }

Head& head_of(void* state) { return *reinterpret_cast<Head*>(bytes_of(state) + @COUNTS@); }

struct alignas(@ALIGNED@) Line { char bytes[@ALIGNED@]; };

char* room() {
  static thread_local std::vector<Line> lines(@LINES@);
  return reinterpret_cast<char*>(lines.data());
}

@STEPS@
constexpr void (*steps[])(@KINDS@) = {@NAMES@};

}  // namespace

const size_t @NAME@_weights = weight_bytes;
const size_t @NAME@_state = state_bytes;

void @NAME@_step(const void* weights, void* state, @PARAMETERS@) {
  Head& head = head_of(state);
  steps[head.calls % phases](bytes_of(weights), room(), bytes_of(state), @GIVEN@);
  for (int64_t& had : head.had) had += @FRAMES@;
  head.calls++;
}

void @NAME@_begin(void* state, size_t row) {
  head_of(state).had[row] = 0;
  for (const codsl::Kept& each : kept)
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


def model_cpp(
    sources: Sequence[Source], layout: Layout, about: Mapping[str, Any], weights: int
) -> str:
    """The program; `sources` are the steps of each phase, whose weights are so many bytes."""
    rows = about["batch"][0]
    kept = kept_of(layout, rows)
    keeping = Keeping(kept, more=COUNT * (1 + rows))
    includes, kernels = _parted(library_of(getattr(torch, layout.dtype)))
    listed = arguments(about)
    names = [f"x{number}" for number in range(len(listed))]
    blanks = {
        "NETWORK": about["network"],
        "CODSL": about["codsl"],
        "INCLUDES": "\n".join(f"#include <{name}>" for name in sorted(includes | INCLUDES)),
        "ROWS": str(rows),
        "PHASES": str(layout.phases),
        "FRAMES": str(layout.frames),
        "TABLE": keeping.table,
        "WEIGHTS": str(weights),
        "STATE": str(keeping.size),
        "COUNTS": str(COUNT * len(kept)),
        "ALIGNED": str(ALIGNED),
        "LINES": str(aligned(max(each.room for each in sources)) // ALIGNED),
        "NAMES": ", ".join(f"step{phase}" for phase in range(layout.phases)),
        "NAME": about["network"],
        "PARAMETERS": ", ".join(
            f"{each.kind} {name}" for each, name in zip(listed, names, strict=True)
        ),
        "KINDS": ", ".join(["char*"] * (len(ALWAYS) + len(names))),
        "GIVEN": ", ".join(f"bytes_of({name})" for name in names),
        "KERNELS": kernels,
        "STEPS": "".join(
            f"void step{phase}({parameters(names)}) {{\n{each.body}\n}}\n\n"
            for phase, each in enumerate(sources)
        ),
        "ABOUT": json.dumps(json.dumps(about)),
    }
    return filled(MODEL, blanks)


def _parted(text: str) -> tuple[set[str], str]:
    """The headers that a text includes, and the rest of it."""
    begin = "#include <"
    lines = text.splitlines()
    headers = {line.removeprefix(begin).rstrip("> ") for line in lines if line.startswith(begin)}
    return headers, "\n".join(line for line in lines if not line.startswith(begin))
