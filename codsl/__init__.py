"""A readable spec of a neural network, run on live streams frame by frame, exactly."""

from codsl.diagnostics import Diagnostic, SpecError
from codsl.graph.graph import Graph
from codsl.pipeline import build, check, register

__version__ = "0.1.0"
__all__ = ["Diagnostic", "Graph", "SpecError", "build", "check", "register"]
