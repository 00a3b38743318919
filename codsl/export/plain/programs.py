"""Programs that stream through the C++ of a network, in C++ and in Python."""

import json
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import torch

from codsl.export.blanks import filled
from codsl.export.plain.interface import arguments
from codsl.native.compiling import FLAGS, LIBRARIES
from codsl.native.target import lanes

RUN_CPP = r"""// Streams frames through the model beside this file.
//
//     @COMPILE@ run.cpp model.cpp -o run
//     ./run < blocks
//
// On stdin: @READS@, as raw numbers, block after block.
// On stdout: what is due of each output, one item (C, *S) a line, its name first@ROWS@.

#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

#include "model.h"

using Number = @NUMBER@;
using Numbers = std::vector<Number>;

static bool read(Numbers& numbers) {
  return std::fread(numbers.data(), sizeof(Number), numbers.size(), stdin) == numbers.size();
}

// The items of an output, (B, C, T, *S), that are due; `valid` is (B, T).
template <size_t COUNT>
static void print(const char* name, const Numbers& y, const bool (&valid)[COUNT], size_t channels,
                  size_t items) {
  const size_t positions = y.size() / COUNT / channels;
  for (size_t i = 0; i < COUNT; ++i) {
    if (!valid[i]) continue;
    std::printf("%s", name);
    const Number* const row = y.data() + i / items * channels * items * positions;
    for (size_t c = 0; c < channels; ++c)
      for (size_t p = 0; p < positions; ++p)
        std::printf(" %.9g", static_cast<double>(row[(c * items + i % items) * positions + p]));
    std::printf("\n");
  }
}

int main() {
  std::ifstream file("model.bin", std::ios::binary);
  const std::vector<char> weights{std::istreambuf_iterator<char>(file), {}};
  if (weights.size() != @NAME@_weights) {
    std::fprintf(stderr, "model.bin is not there, or of another model\n");
    return 1;
  }
  std::vector<char> state(@NAME@_state);
@ROOMS@
  while (@READ@) {
    @NAME@_step(weights.data(), state.data(), @GIVEN@);
@PRINTS@
  }
}
"""

RUN_PY = '''\
"""Streams clips through the model beside this file; needs numpy and a compiler of C++, no codsl.

    python run.py @CLIPS@

A clip is an array (B, C, T, *S), one for each input: B streams that begin together.
"""

import ctypes
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

here = Path(__file__).parent


def compiled():
    """The model as a library, which is made where it is not there."""
    library = here / "model.so"
    if not library.exists():
        own = shlex.split(os.environ.get("CXX", ""))
        names = [own] if own else [["g++"], ["clang++"], ["c++"]]
        compiler = next((each for each in names if shutil.which(each[0])), None)
        if compiler is None:
            sys.exit("there is no compiler of C++ here: install g++, or set CXX")
        flags = "@FLAGS@".split() + shlex.split(os.environ.get("CXXFLAGS", ""))
        command = [*compiler, *flags, "-shared", "-fPIC", here / "model.cpp", "-o", library]
        subprocess.run(command, check=True)
    return ctypes.CDLL(str(library))


model = compiled()
model.@NAME@_about.restype = ctypes.c_char_p
about = json.loads(model.@NAME@_about())


def stream(clips):
    """Each block's number of frames so far, name of an output, and its items (B, C, n, *S)."""
    block, kind, outputs = about["frames"], about["dtype"], about["outputs"]
    rows, frames = clips[0].shape[0], clips[0].shape[2]
    if rows != about["batch"][0]:
        sys.exit(f"the model takes batches of {about['batch'][0]}, not of {rows}")
    weights = np.fromfile(here / "model.bin", np.uint8)
    state = np.zeros(ctypes.c_size_t.in_dll(model, "@NAME@_state").value, np.uint8)
    made = [np.zeros((rows, *port["shape"]), kind) for port in outputs]
    valid = [np.zeros((rows, port["shape"][1]), bool) for port in outputs]
    for t in range(0, frames - block + 1, block):
        given = [np.ascontiguousarray(clip[:, :, t : t + block], kind) for clip in clips]
        arrays = (weights, state, *given, *made, *valid)
        model.@NAME@_step(*(ctypes.c_void_p(x.ctypes.data) for x in arrays))
        for port, y, flags in zip(outputs, made, valid):
            due = flags[0]  # the rows began together: they have the same items
            if due.any():
                yield t + block, port["name"], y[:, :, due]


if __name__ == "__main__":
    for frame, name, y in stream([np.load(path) for path in sys.argv[1:]]):
        print(f"after frame {frame}: {name} {y.shape}\\n{y}")
'''


def driving(about: Mapping[str, Any]) -> Iterator[str]:
    """How to compile and to call the model, line by line."""
    name, phases = about["network"], about["phases"]
    vector = lanes(getattr(torch, about["dtype"]))
    yield (
        "It is C++17 without anything else, for GCC and Clang; `model.h` is its interface, for C "
        "too, and `model.bin` has its weights:"
    )
    yield ""
    yield "```sh"
    yield f"{_compile()} run.cpp model.cpp -o run"
    yield "```"
    yield ""
    yield (
        f"A stream is its state: `{name}_state` bytes, zeros before the first frame. "
        f"`{name}_step` takes the next frames, and keeps there what later ones need. B streams, "
        f"which is fixed, share a state; `{name}_begin` lets one of them begin anew, the others as "
        "they were. There may be any number of states, and threads may step them at once, each "
        "its own. A state may be copied, and written to a file for the same program."
    )
    yield ""
    yield (
        f"Weights are laid out for vectors of {vector} numbers, as the machine has that wrote "
        f"them; others compute the same, maybe slower. `{name}_about` gives the metadata as JSON."
    )
    if phases > 1:
        yield ""
        yield (
            f"Calls come round after {phases}: the strides have something else to do in each. A "
            "stream begins anew after a multiple of them."
        )


def _compile() -> str:
    """The command that compiles, without its files."""
    return f"g++ {_flags()}"


def run_cpp(about: Mapping[str, Any]) -> str:
    """A program that streams raw numbers."""
    listed = arguments(about)
    inputs, outputs = len(about["inputs"]), len(about["outputs"])
    given = [f"x{n}.data()" for n in range(inputs + outputs)]
    given += [f"valid{n}" for n in range(outputs)]
    rows = about["batch"][0]
    ports = [*about["inputs"], *about["outputs"]]
    reads = (
        f"{port['name']} ({', '.join(map(str, each.shape))}) of {about['dtype']}"
        for port, each in zip(about["inputs"], listed, strict=False)
    )
    rooms = [f"  Numbers x{n}({prod(each.shape)});" for n, each in enumerate(listed[: len(ports)])]
    rooms += [
        f"  bool valid{n}[{prod(each.shape)}];" for n, each in enumerate(listed[len(ports) :])
    ]
    blanks = {
        "COMPILE": _compile(),
        "READS": ", then ".join(reads),
        "ROWS": "; those of each stream after another" if rows > 1 else "",
        "NUMBER": listed[0].kind.removeprefix("const ").removesuffix("*"),
        "ROOMS": "\n".join(rooms),
        "READ": " && ".join(f"read(x{n})" for n in range(inputs)),
        "NAME": about["network"],
        "GIVEN": ", ".join(given),
        "PRINTS": "\n".join(
            f"    print({json.dumps(port['name'])}, x{inputs + n}, valid{n}, {c}, {items});"
            for n, port in enumerate(about["outputs"])
            for c, items in [port["shape"][:2]]
        ),
    }
    return filled(RUN_CPP, blanks)


def run_py(about: Mapping[str, Any]) -> str:
    """A program that streams arrays."""
    clips = " ".join(f"{port['name']}.npy" for port in about["inputs"])
    return filled(RUN_PY, {"CLIPS": clips, "FLAGS": _flags(), "NAME": about["network"]})


def _flags() -> str:
    return " ".join([LIBRARIES, *(flag for flag in FLAGS if flag != "-fPIC")])
