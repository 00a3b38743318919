"""Checkpoints of others: read without running anything, renamed, laid out anew, loaded."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from codsl.weights.load import load_weights
from codsl.weights.refusal import WeightsError
from codsl.weights.report import Loaded, LoadReport
from codsl.weights.save import save_weights
from codsl.weights.tensors import Tensors, read
from codsl.weights.unwrap import ENVELOPES

if TYPE_CHECKING:
    from codsl.pretrained import from_pretrained, save_pretrained

__all__ = [
    "ENVELOPES",
    "LoadReport",
    "Loaded",
    "Tensors",
    "WeightsError",
    "from_pretrained",
    "load_weights",
    "read",
    "save_pretrained",
    "save_weights",
]


def __getattr__(name: str) -> Any:
    """What builds networks too, when it is first asked for."""
    if name not in ("from_pretrained", "save_pretrained"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("codsl.pretrained"), name)
