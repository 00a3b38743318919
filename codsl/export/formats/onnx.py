"""ONNX, run by ONNX Runtime."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from codsl.engine.backends.onnx_graph import PACKAGES, onnx_model
from codsl.export.cpp import run_cpp
from codsl.export.formats.format import KEY, Format, Model
from codsl.export.formats.pt2 import program_of
from codsl.export.layout import Layout
from codsl.export.rings import Rings

SAMPLE = """\
import onnxruntime

session = onnxruntime.InferenceSession(here / "model.onnx")
about = json.loads(session.get_modelmeta().custom_metadata_map["codsl"])
names = [each.name for each in session.get_outputs()]


def run(given):
    return dict(zip(names, session.run(None, given)))
"""


def model_of(model: Model) -> bytes:
    """The model, as a file has it."""
    layout = model.layout
    return onnx_model(program_of(model), model.given, layout.given, layout.made)


def _write(model: Model, path: Path) -> None:
    import onnx

    proto = onnx.load_from_string(model_of(model))
    onnx.helper.set_model_props(proto, {KEY: model.about})
    onnx.save(proto, path)


def _load(path: Path, layout: Layout, rows: int) -> Rings:
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session: Any = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    taken = tuple(each.name for each in session.get_inputs())
    if taken != layout.given:
        raise ValueError(f"it takes {', '.join(taken)} rather than {', '.join(layout.given)}")

    def run(given: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        made = session.run(layout.made, {name: x.numpy() for name, x in given.items()})
        return {name: torch.from_numpy(x) for name, x in zip(layout.made, made, strict=True)}

    return Rings(layout, rows, run)


ONNX = Format(
    "onnx",
    "ONNX, for ONNX Runtime and all that reads it",
    "model.onnx",
    _write,
    _load,
    SAMPLE,
    {**PACKAGES, "onnxruntime": "onnx"},
    needs="onnxruntime",
    programs={"run.cpp": run_cpp},
)
