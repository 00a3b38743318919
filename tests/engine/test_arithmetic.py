"""Products with numbers are folded into weights, and what is done number by number is written over
a result that nobody has seen."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from codsl.engine.lister import Lister
from codsl.engine.numbers import arithmetic
from codsl.engine.style import Style
from codsl.layers.recipe import Call, Pointwise
from engine.fast_streams import same_stream
from engine.test_fast_step import built

CASES = {
    "folded": ("conv1d(4, 3) mul(0.5) relu", 1),
    "folded with a summand": ("conv1d(4, 3, bias=false) mul(-2) tanh", 1),
    "written over": ("conv1d(4, 3) batch_norm1d mul(0.5)", 1),
    "behind a sum": ("residual { conv1d(4, 3, padding=1) } mul(0.5) a = conv1d(2, 1)", 2),
    "a power": ("conv1d(4, 3) relu pow(2) sqrt clamp(max=1)", 3),
    "seen twice": ("conv1d(4, 3) residual { mul(0.5) }", 3),
    "of each channel": ("conv1d(4, 3) mul((1, 2, 0.5, 0)) add((1, 0, 2, 0.5))", 3),
    "of channels": ("conv1d(4, 3) channel_layer_norm relu", 2),
    "without gains": ("conv1d(4, 3) channel_layer_norm(affine=false)", 2),
}
"""Layers, and how many operations a step of them is."""


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_arithmetic_takes_no_operations_of_its_own(name: str, dtype: torch.dtype) -> None:
    layers, operations = CASES[name]
    net = built(f"codsl 1\nnetwork n {{ input (4, T) {layers} }}", dtype)
    same_stream(net, 2, dtype, 12)
    like = torch.empty(0, dtype=dtype)
    listing = Lister(net.program, like, Style(last=True)).listing(net.graph.cycle.start)
    assert len(listing.operations) == operations


def test_channels_of_images_are_normalised_at_each_place() -> None:
    layers = "conv2d(6, 3, padding=1) channel_layer_norm mul(3)"
    net = built(f"codsl 1\nnetwork n {{ input (4, T, 5) {layers} }}", torch.float64)
    same_stream(net, 2, torch.float64, 12)


def test_a_function_of_what_is_learnt_is_no_number() -> None:
    learnt = Pointwise("Identity", tensors=("weight",), call=Call("mul"))
    assert arithmetic(learnt, nn.Identity()) == ""
    assert arithmetic(Pointwise(call=Call("mul", {"other": 2.0})), nn.Identity()) == "mul"
