"""Checkpoints of others: read without running anything, renamed, laid out anew, loaded."""

from codsl.weights.load import load_weights
from codsl.weights.refusal import WeightsError
from codsl.weights.report import Loaded, LoadReport
from codsl.weights.save import save_weights
from codsl.weights.tensors import Tensors, read
from codsl.weights.unwrap import ENVELOPES

__all__ = [
    "ENVELOPES",
    "LoadReport",
    "Loaded",
    "Tensors",
    "WeightsError",
    "load_weights",
    "read",
    "save_weights",
]
