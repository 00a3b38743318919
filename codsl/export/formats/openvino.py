"""OpenVINO's own files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from codsl.engine.backends.onnx_graph import PACKAGES
from codsl.export.formats.format import KEY, Format, Model
from codsl.export.formats.onnx import model_of
from codsl.export.layout import Layout
from codsl.export.rings import Rings

SETTINGS = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
"""On processors that have it OpenVINO computes in bfloat16 where it is not told otherwise."""

SAMPLE = """\
import openvino

model = openvino.Core().read_model(here / "model.xml")
about = json.loads(model.get_rt_info("codsl").value)
settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}  # else maybe bfloat16
request = openvino.compile_model(model, "CPU", settings).create_infer_request()


def run(given):
    made = request.infer([given[name] for name in about["given"]])
    return {name: made[place].copy() for place, name in enumerate(about["made"])}
"""


def _write(model: Model, path: Path) -> None:
    import openvino  # type: ignore[import-untyped]

    made: Any = openvino.Core().read_model(model_of(model))
    made.set_rt_info(model.about, KEY)
    openvino.save_model(made, path, compress_to_fp16=False)


def _load(path: Path, layout: Layout, rows: int) -> Rings:
    import openvino

    model: Any = openvino.Core().read_model(path)
    settings = {**SETTINGS, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    request: Any = openvino.compile_model(model, "CPU", settings).create_infer_request()
    taken = tuple(each.any_name for each in model.inputs)
    if taken != layout.given:
        raise ValueError(f"it takes {', '.join(taken)} rather than {', '.join(layout.given)}")

    def run(given: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        made = request.infer([given[name].numpy() for name in layout.given])
        return {
            name: torch.from_numpy(made[place].copy()) for place, name in enumerate(layout.made)
        }

    return Rings(layout, rows, run)


OPENVINO = Format(
    "openvino",
    "OpenVINO's files, for Intel's runtime",
    "model.xml",
    _write,
    _load,
    SAMPLE,
    {"openvino": "openvino", **dict.fromkeys(PACKAGES, "openvino")},
    needs="openvino",
    double=False,
)
