"""A readable spec of a neural network, run on live streams frame by frame, exactly."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from codsl import report
from codsl.diagnostics import Diagnostic, SpecError
from codsl.graph.graph import Graph
from codsl.pipeline import build, check, register
from codsl.surfaces import convert, format, parse

if TYPE_CHECKING:
    from codsl import weights
    from codsl.weights import WeightsError, load_weights, save_weights

__version__ = "0.1.0"
__all__ = [
    "Diagnostic",
    "Graph",
    "SpecError",
    "WeightsError",
    "build",
    "check",
    "convert",
    "format",
    "load_weights",
    "parse",
    "register",
    "report",
    "save_weights",
    "weights",
]


def __getattr__(name: str) -> Any:
    """What loads torch, when it is first asked for."""
    if name not in ("weights", "load_weights", "save_weights", "WeightsError"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module("codsl.weights")
    return module if name == "weights" else getattr(module, name)
