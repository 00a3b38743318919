"""ONNX Runtime: the step as a model, its inputs and outputs bound to the tensors where they lie."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from codsl.engine.backends.backend import Backend
from codsl.engine.backends.onnx_graph import PACKAGES, pure_model
from codsl.engine.listing import Listing, Straight
from codsl.engine.pure import grouped
from codsl.engine.style import GRAPH, Style


def _style(batch: int, device: torch.device) -> Style:
    return GRAPH


def _prepare(listing: Listing, given: Sequence[Tensor], precision: torch.dtype | None) -> Straight:
    import onnxruntime  # type: ignore[import-untyped]

    pure = pure_model(listing, given)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session: Any = onnxruntime.InferenceSession(pure.model, options, ["CPUExecutionProvider"])
    taken = {each.name for each in session.get_inputs()}
    bound = [
        (place, name, _kind(x))
        for place, (name, x) in enumerate(zip(pure.inputs, given, strict=True))
        if name in taken
    ]
    made = [(name, y, _kind(y)) for name, y in zip(pure.outputs, pure.results, strict=True)]

    def run(*tensors: Tensor) -> Any:
        binding = session.io_binding()
        held = [x.contiguous() for x in tensors]
        for place, name, kind in bound:
            x = held[place]
            binding.bind_input(name, "cpu", 0, kind, tuple(x.shape), x.data_ptr())
        fresh = [torch.empty(y.shape, dtype=y.dtype) for _, y, _ in made]
        for (name, y, kind), room in zip(made, fresh, strict=True):
            binding.bind_output(name, "cpu", 0, kind, tuple(y.shape), room.data_ptr())
        session.run_with_iobinding(binding)
        return grouped(listing, fresh)

    return run


def _kind(x: Tensor) -> Any:
    """The dtype of a tensor as NumPy has it."""
    return x.new_empty(0).numpy().dtype


ONNXRUNTIME = Backend(
    "onnxruntime",
    "ONNX Runtime on the CPU",
    _prepare,
    _style,
    {"onnxruntime": "onnx", **PACKAGES},
)
