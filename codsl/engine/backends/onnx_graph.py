"""A step as an ONNX model."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from codsl.engine.listing import Listing
from codsl.engine.pure import PureStep

PACKAGES = {"onnx": "onnx", "onnxscript": "onnx"}
"""What writing a model needs, and the extra that brings it."""


@dataclass(frozen=True)
class PureModel:
    """The pure step of a listing as a model; `results` are tensors as it gives them."""

    model: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    results: tuple[Tensor, ...]


def pure_model(listing: Listing, given: Sequence[Tensor]) -> PureModel:
    """The model of a listing that is given tensors of these shapes."""
    step = PureStep(listing)
    with torch.inference_mode():
        results = step(*given)
    inputs = tuple(f"x{number}" for number in range(len(given)))
    outputs = tuple(f"y{number}" for number in range(len(results)))
    return PureModel(onnx_model(step, given, inputs, outputs), inputs, outputs, results)


def onnx_model(
    step: nn.Module | ExportedProgram,
    given: Sequence[Tensor],
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> bytes:
    """The model of a step, or of its graph, that is given tensors of these shapes, with names for
    what goes in and comes out."""
    with torch.no_grad(), _quietly():
        program = torch.onnx.export(
            step.eval() if isinstance(step, nn.Module) else step,
            tuple(given),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch's exporter gave no model")
    return program.model_proto.SerializeToString()  # type: ignore[no-any-return]


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what torch's exporter says of packages that no step needs."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with catch_warnings():
            simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
