"""OpenVINO on the CPU: the step as a model, whose tensors are those of the stream."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from codsl.engine.backends.backend import Backend
from codsl.engine.backends.onnx_graph import PACKAGES, pure_model
from codsl.engine.backends.shelves import Forms, Shelving
from codsl.engine.listing import Listing, Straight
from codsl.engine.style import PLAIN, Style


def _style(batch: int, device: torch.device) -> Style:
    return PLAIN


def _prepare(
    listing: Listing, given: Sequence[Tensor], precision: torch.dtype | None, forms: Forms
) -> Straight:
    import openvino  # type: ignore[import-untyped]

    pure = pure_model(listing, given)
    core = openvino.Core()
    model = core.read_model(pure.model)
    hint = "bf16" if precision is torch.bfloat16 else "f32"
    settings = {
        "INFERENCE_PRECISION_HINT": hint,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    request: Any = core.compile_model(model, "CPU", settings).create_infer_request()
    taken = {name: place for place, each in enumerate(model.inputs) for name in each.names}
    bound = [(place, taken[name]) for place, name in enumerate(pure.inputs) if name in taken]
    group = listing.grouping()

    def run(*tensors: Tensor) -> Any:
        held = [x.contiguous() for x in tensors]
        for place, port in bound:
            request.set_input_tensor(port, openvino.Tensor(held[place].numpy(), shared_memory=True))
        fresh = [torch.empty(y.shape, dtype=y.dtype) for y in pure.results]
        for port, room in enumerate(fresh):
            request.set_output_tensor(port, openvino.Tensor(room.numpy(), shared_memory=True))
        request.infer()
        return group(*fresh)

    return run


OPENVINO = Backend(
    "openvino",
    "OpenVINO on the CPU",
    Shelving(_prepare),
    _style,
    {"openvino": "openvino", **PACKAGES},
    (torch.bfloat16,),
    own_precision=True,
    without=(torch.float64, torch.bfloat16),
)
