"""C++ that needs nothing else: kernels, the step and the state of its streams."""

import ctypes
import json
import re
from pathlib import Path
from typing import Any

import torch

from codsl.export.formats.format import Format, Model
from codsl.export.layout import Layout
from codsl.export.phases import PhasedStep
from codsl.export.plain.interface import model_h
from codsl.export.plain.model import model_cpp
from codsl.export.plain.programs import driving, run_cpp, run_py
from codsl.export.plain.steps import written
from codsl.export.rings import Clips, Due
from codsl.native.compiling import library, no_compiler
from codsl.native.source import Held
from codsl.native.target import lanes
from codsl.native.values import Unsupported

INSIDE = ("given", "made", "phase", "had", "rings", "carried")
"""Metadata of what others keep for a step."""
WEIGHTS = "model.bin"


def _about(model: Model) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(model.about)
    return {key: value for key, value in about.items() if key not in INSIDE}


def _write(model: Model, path: Path) -> None:
    layout, about, held = model.layout, _about(model), Held()
    steps, given = [model.step], list(model.given)
    if isinstance(model.step, PhasedStep):
        steps = list(model.step.steps)
        del given[model.step.place]
    try:
        sources = [written(step, given, layout, phase, held) for phase, step in enumerate(steps)]
    except Unsupported as error:
        raise Unsupported(f"there is no kernel for {error}") from None
    weights = held.put(torch.empty(held.size, dtype=torch.uint8)).numpy().tobytes()
    path.with_name(WEIGHTS).write_bytes(weights)
    path.with_name("model.h").write_text(model_h(about), encoding="utf-8")
    path.write_text(model_cpp(sources, layout, about, len(weights)), encoding="utf-8")


class _Streams:
    """Streams of a compiled model, by their state."""

    def __init__(self, model: Any, name: str, weights: bytes, layout: Layout, rows: int) -> None:
        size = ctypes.c_size_t.in_dll(model, f"{name}_state").value
        kind = getattr(torch, layout.dtype)
        self._step, self._begin = model[f"{name}_step"], model[f"{name}_begin"]
        self._weights, self._state = weights, torch.zeros(size, dtype=torch.uint8)
        self._kind, self._rows, self._ports = kind, rows, layout.outputs

    def begin(self, row: int) -> None:
        """Let a stream begin in a row."""
        self._begin(ctypes.c_void_p(self._state.data_ptr()), ctypes.c_size_t(row))

    def step(self, clips: Clips) -> Due:
        """The items of each output, and which of them each row has."""
        made = [torch.empty(self._rows, *port.shape, dtype=self._kind) for port in self._ports]
        valid = [torch.empty(self._rows, port.shape[1], dtype=torch.bool) for port in self._ports]
        tensors = [self._state, *(clip.contiguous() for clip in clips), *made, *valid]
        self._step(self._weights, *(ctypes.c_void_p(x.data_ptr()) for x in tensors))
        return list(zip(made, valid, strict=True))


def _load(path: Path, layout: Layout, rows: int) -> _Streams:
    header = path.with_name("model.h").read_text(encoding="utf-8")
    (name,) = re.findall(r"size_t (\w+)_state;", header)
    return _Streams(library(path), name, path.with_name(WEIGHTS).read_bytes(), layout, rows)


CPP = Format(
    "cpp",
    "C++17 that needs nothing but a compiler",
    "model.cpp",
    _write,
    _load,
    needs="a compiler of C++",
    most=1,
    programs={"run.cpp": run_cpp, "run.py": run_py},
    channels=lanes(torch.float32),
    lacks=no_compiler,
    driving=driving,
)
