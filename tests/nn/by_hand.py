"""Modules made by hand and brought as far as their graph, for the contract."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

import torch

import codsl.nn as co
from codsl.layers.table import table
from codsl.nn.classes import INFERRED, hand_class

if TYPE_CHECKING:
    from codsl.algebra.shape import Frame


OWN = {"recycling_positional_encoding"}
"""Rows whose name is by hand that of another class, as in the older library."""


def begun(net: Any, x: Frame, dtype: torch.dtype = torch.float64) -> Any:
    """The module in `eval()`, once it has seen a frame: its graph is known, its stream is new."""
    net = net.eval().to(dtype)
    net.forward_steps(torch.ones(1, x.channels, 1, *x.space, dtype=dtype))
    net.reset()
    return net


def layer_of(name: str, example: dict[str, Any], x: Frame) -> Any:
    """The class of a row, given an example and what it is told of the frame by hand."""
    row = table()[name]
    made = hand_class(row) if name in OWN else getattr(co, row.__name__)
    known = signature(made).parameters
    told: dict[str, Any] = {
        each: x.channels
        for each in INFERRED
        if each in known and known[each].default is Parameter.empty
    }
    if "normalized_shape" in known:
        told["normalized_shape"] = x.shape if example.get("over") == "frame" else x.channels
    if "shape" in known:
        told["shape"] = x.shape
    return made(**{**told, **example})
