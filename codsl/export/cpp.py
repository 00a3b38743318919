"""The same program in C++, for ONNX Runtime."""

import json
from collections.abc import Iterable
from typing import Any

from codsl.export.blanks import KINDS, filled

RUN = r"""// Streams frames through the model beside this file; needs ONNX Runtime, and no codsl.
//
//     g++ -std=c++17 run.cpp -I ORT/include -L ORT/lib -lonnxruntime -o run
//     ./run < blocks
//
// On stdin: @READS@, as raw numbers, block after block.
// On stdout: what is due of each output, one item (C, *S) a line, its name first.

#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>
#include <vector>

using Shape = std::vector<int64_t>;
using Number = @NUMBER@;

struct Tap { const char* name; size_t back; };
struct Ring {
  size_t depth;
  Shape shape;
  std::vector<Tap> taps;
  std::vector<const char*> fresh;
  std::vector<size_t> comes;  // how many of these in each phase
};
struct Input { const char* name; Shape shape; };
struct Output { const char* name; const char* valid; };
struct Carry { const char* old; const char* fresh; };

// One stream: the batch is 1.
static const int64_t frames = @FRAMES@;  // of a block
static const size_t phases = @PHASES@;   // blocks after which they come round
static const std::vector<Input> inputs = {@INPUTS@};
static const std::vector<Ring> rings = {@RINGS@};
static const std::vector<Carry> carried = {@CARRIED@};
static const std::vector<Output> outputs = {@OUTPUTS@};

template <typename T>
Ort::Value zeros(const Shape& shape) {
  Ort::AllocatorWithDefaultOptions memory;
  Ort::Value made = Ort::Value::CreateTensor<T>(memory, shape.data(), shape.size());
  const size_t count = made.GetTensorTypeAndShapeInfo().GetElementCount();
  std::fill_n(made.GetTensorMutableData<T>(), count, T{});
  return made;
}

// The items of each output, (1, C, n, *S), that are due.
void print(const char* name, Ort::Value& y, Ort::Value& valid) {
  const Shape shape = y.GetTensorTypeAndShapeInfo().GetShape();
  const int64_t channels = shape[1], items = shape[2];
  int64_t positions = 1;
  for (size_t d = 3; d < shape.size(); ++d) positions *= shape[d];
  const Number* numbers = y.GetTensorMutableData<Number>();
  const bool* due = valid.GetTensorMutableData<bool>();
  for (int64_t item = 0; item < items; ++item) {
    if (!due[item]) continue;
    std::printf("%s", name);
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < positions; ++p)
        std::printf(" %.9g", static_cast<double>(numbers[(c * items + item) * positions + p]));
    std::printf("\n");
  }
}

int main() {
  Ort::Env env;
  Ort::Session session(env, ORT_TSTR("model.onnx"), Ort::SessionOptions{});
  Ort::IoBinding binding(session);
  Ort::AllocatorWithDefaultOptions memory;

  std::vector<std::deque<Ort::Value>> kept;  // the newest item last
  for (const Ring& ring : rings) {
    kept.emplace_back();
    while (kept.back().size() < ring.depth) kept.back().push_back(zeros<Number>(ring.shape));
  }
  std::vector<Ort::Value> carry;
@ZEROS@
  size_t phase = 0;
  for (int64_t had = 0;; had += frames, phase = (phase + 1) % phases) {
    std::vector<Ort::Value> given;
    for (const Input& input : inputs) {
      given.push_back(zeros<Number>(input.shape));
      const size_t count = given.back().GetTensorTypeAndShapeInfo().GetElementCount();
      Number* room = given.back().GetTensorMutableData<Number>();
      if (std::fread(room, sizeof(Number), count, stdin) != count) return 0;
      binding.BindInput(input.name, given.back());
    }
@PHASE@    given.push_back(zeros<int64_t>({1}));
    *given.back().GetTensorMutableData<int64_t>() = had;
    binding.BindInput(@HAD@, given.back());
    for (size_t r = 0; r < rings.size(); ++r)
      for (const Tap& tap : rings[r].taps)
        binding.BindInput(tap.name, kept[r][kept[r].size() - tap.back]);
    for (size_t c = 0; c < carried.size(); ++c) binding.BindInput(carried[c].old, carry[c]);

    binding.ClearBoundOutputs();
    for (const Output& y : outputs) binding.BindOutput(y.name, memory.GetInfo());
    for (const Output& y : outputs) binding.BindOutput(y.valid, memory.GetInfo());
    for (const Ring& ring : rings)
      for (const char* name : ring.fresh) binding.BindOutput(name, memory.GetInfo());
    for (const Carry& each : carried) binding.BindOutput(each.fresh, memory.GetInfo());
    session.Run(Ort::RunOptions{}, binding);

    std::vector<Ort::Value> made = binding.GetOutputValues();  // as they were bound
    for (size_t y = 0; y < outputs.size(); ++y)
      print(outputs[y].name, made[y], made[outputs.size() + y]);
    size_t at = 2 * outputs.size();
    for (size_t r = 0; r < rings.size(); ++r)
      for (size_t i = 0; i < rings[r].fresh.size(); ++i, ++at)
        if (i < rings[r].comes[phase]) {
          kept[r].push_back(std::move(made[at]));
          kept[r].pop_front();
        }
    for (Ort::Value& each : carry) each = std::move(made[at++]);
  }
}
"""

PHASE = """\
    given.push_back(zeros<int64_t>({}));
    *given.back().GetTensorMutableData<int64_t>() = static_cast<int64_t>(phase);
    binding.BindInput(@NAME@, given.back());
"""


def run_cpp(about: dict[str, Any]) -> str:
    """A program that streams raw numbers through a model, one stream of them."""
    reads = (
        f"{port['name']} ({', '.join(map(str, port['shape']))}) of {about['dtype']}"
        for port in about["inputs"]
    )
    blanks = {
        "READS": ", then ".join(reads),
        "NUMBER": KINDS[about["dtype"]],
        "FRAMES": str(about["frames"]),
        "PHASES": str(about["phases"]),
        "PHASE": PHASE.replace("@NAME@", _text(about["phase"])) if about["phase"] else "",
        "HAD": _text(about["had"]),
        "INPUTS": _rows([_text(port["name"]), _shape(port)] for port in about["inputs"]),
        "RINGS": _rows(map(_ring, about["rings"])),
        "CARRIED": _rows([_text(each["old"]), _text(each["new"])] for each in about["carried"]),
        "OUTPUTS": _rows([_text(each["name"]), _text(each["valid"])] for each in about["outputs"]),
        "ZEROS": "".join(
            f"  carry.push_back(zeros<{KINDS[each['dtype']]}>({_shape(each)}));\n"
            for each in about["carried"]
        ),
    }
    return filled(RUN, blanks)


def _ring(ring: dict[str, Any]) -> list[str]:
    taps = ", ".join(f"{{{_text(name)}, {back}}}" for name, back in ring["taps"])
    fresh = ", ".join(map(_text, ring["new"]))
    comes = ", ".join(map(str, ring["comes"]))
    return [str(ring["depth"]), _shape(ring), *(f"{{{each}}}" for each in (taps, fresh, comes))]


def _rows(rows: Iterable[list[str]]) -> str:
    return "".join(f"\n    {{{', '.join(row)}}}," for row in rows)


def _shape(each: dict[str, Any]) -> str:
    return "{" + ", ".join(map(str, (1, *each["shape"]))) + "}"


def _text(name: str) -> str:
    return json.dumps(name)
