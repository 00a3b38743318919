"""The page of MegEngine's `Conv3d`: its arguments, its weights and the shape that it prints."""

from inspect import signature
from typing import Any

import pytest
import torch
from torch import nn

import codsl
import codsl.nn as co


def by_hand() -> Any:
    return co.Conv3d(in_channels=3, out_channels=1, kernel_size=3)


def in_the_language() -> Any:
    return codsl.build("codsl 1\nnetwork n { input (3, T, 4, 4) conv3d(1, kernel_size=3) }")


@pytest.mark.parametrize("way", [by_hand, in_the_language])
@torch.no_grad()
def test_the_example(way: Any) -> None:
    m = way().eval()
    inp = torch.arange(0, 384, dtype=torch.float32).reshape(2, 3, 4, 4, 4)
    oup = m(inp)
    assert tuple(oup.numpy().shape) == (2, 1, 2, 2, 2)
    steps = [m.forward_step(inp[:, :, t]) for t in range(4)]
    assert torch.allclose(torch.stack(steps[2:], 2), oup, rtol=1e-5)


def test_the_arguments() -> None:
    known = signature(co.Conv3d).parameters
    defaults = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}
    page = ["in_channels", "out_channels", "kernel_size", *defaults]
    assert list(known)[: len(page)] == page
    assert {name: known[name].default for name in defaults} == defaults
    assert known["conv_mode"].default == "cross_correlation"


def test_an_int_is_every_dimension() -> None:
    conv = co.Conv3d(3, 3, 3, 2, 1, 2)
    assert (conv.kernel_size, conv.stride, conv.padding) == ((3,) * 3, (2,) * 3, (1,) * 3)
    assert conv.dilation == (2,) * 3


@torch.no_grad()
def test_it_is_a_cross_correlation() -> None:
    """`out = bias + sum over channels of weight * input`, where nothing is turned around."""
    conv = co.Conv3d(2, 1, 2, conv_mode="cross_correlation").double()
    x = torch.randn(1, 2, 2, 2, 2, dtype=torch.float64)
    wanted = (conv.weight[0] * x[0]).sum() + conv.bias[0]
    assert torch.allclose(conv(x).flatten(), wanted, atol=1e-12)
    with pytest.raises(ValueError, match="conv_mode"):
        co.Conv3d(2, 1, 2, conv_mode="convolution")


@torch.no_grad()
def test_depthwise_with_a_multiplier() -> None:
    """Groups of MegEngine's weights `(groups, out / groups, in / groups, *kernel)` are torch's in
    one row."""
    conv = co.Conv3d(in_channels=3, out_channels=6, kernel_size=2, groups=3)
    assert conv.weight.shape == (6, 1, 2, 2, 2)
    assert conv.bias.shape == (6,)
    x = torch.randn(1, 3, 4, 4, 4)
    grouped = conv.weight.reshape(3, 2, 1, 2, 2, 2)
    wanted = [
        nn.functional.conv3d(x[:, g : g + 1], grouped[g], conv.bias[2 * g : 2 * g + 2])
        for g in range(3)
    ]
    assert torch.allclose(conv(x), torch.cat(wanted, 1), atol=1e-6)


@pytest.mark.parametrize(("channels", "out"), [(3, 4), (4, 3)])
def test_groups_divide_the_channels(channels: int, out: int) -> None:
    with pytest.raises(ValueError, match="divisible by groups"):
        co.Conv3d(channels, out, 1, groups=2)
