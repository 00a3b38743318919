"""The maskers of Conv-TasNet, with each of their norms: a spec, and the formulas of its source.

Luo and Mesgarani, 2019; structure, norms and figures are those of `TDConvNet` of asteroid 0.7.0
with 32 channels in, 2 sources, 2 repeats of 4 blocks, 16, 32 and 16 channels inside, `causal`.
"""

from collections.abc import Callable
from math import inf
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import codsl
from codsl.network import Network
from harness.contract import randomise

SPEC = """codsl 1
template unit(dilation: int, norm: layer) {
  shared = {
    entry = conv1d(32, 1)
    entry_act = prelu
    entry_norm = norm
    depth = conv1d(32, 3, padding="causal", dilation=dilation, groups=32)
    depth_act = prelu
    depth_norm = norm
  }
  skip = conv1d(16, 1) from shared
  rest = conv1d(16, 1) from shared
  join("sum") from input, rest
}
network masker {
  input (32, T)
  norm = NORM
  bottleneck = conv1d(16, 1)
  unit[i in 0..7] = unit(dilation=2 ** (i % 4), norm="NORM")
  join("sum") from unit[*].skip
  act = prelu
  mask = conv1d(64, 1)
  sigmoid
}
"""
FRAMES = 75


def by_channels(x: Tensor, of: Callable[[str], Tensor]) -> Tensor:
    """asteroid's `cLN`: each frame by the mean and the variance of its channels."""
    spread, mean = torch.var_mean(x, 1, correction=0, keepdim=True)
    scaled = (x - mean) / (spread + 1e-8).sqrt()
    return of("gamma").view(-1, 1) * scaled + of("beta").view(-1, 1)


def by_all_so_far(x: Tensor, of: Callable[[str], Tensor]) -> Tensor:
    """asteroid's `cgLN`: each frame by the mean and the variance of all numbers up to it."""
    counts = torch.arange(1, x.shape[2] + 1, dtype=x.dtype) * x.shape[1]
    mean = x.sum(1).cumsum(1) / counts
    spread = (x**2).sum(1).cumsum(1) / counts - mean**2
    scaled = (x - mean[:, None]) / (spread[:, None] + 1e-8).sqrt()
    return of("gamma").view(-1, 1) * scaled + of("beta").view(-1, 1)


def by_batches(x: Tensor, of: Callable[[str], Tensor]) -> Tensor:
    """asteroid's `BN`, as it is after training."""
    scaled = (x - of("running_mean").view(-1, 1)) / (of("running_var").view(-1, 1) + 1e-5).sqrt()
    return of("weight").view(-1, 1) * scaled + of("bias").view(-1, 1)


NORMS: dict[str, tuple[str, Any, float]] = {
    "cLN": ("channel_layer_norm", by_channels, 61),
    "cgLN": ("cumulative_layer_norm", by_all_so_far, inf),
    "BN": ("batch_norm1d", by_batches, 61),
}
"""The layer for each norm of asteroid, its formula, and how many frames the masker sees."""


def masker(layer: str) -> Network:
    torch.manual_seed(4)
    net = codsl.build(SPEC.replace("NORM", layer), dtype=torch.float64).eval()
    randomise(net, 4)
    return net


def masks(state: dict[str, Tensor], norm: Any, x: Tensor) -> Tensor:
    """The masker of a state dict, as its source computes it."""

    def conv(x: Tensor, name: str, **how: int) -> Tensor:
        return functional.conv1d(x, state[f"{name}.weight"], state[f"{name}.bias"], **how)

    def act(x: Tensor, name: str) -> Tensor:
        return functional.prelu(x, state[f"{name}.weight"])

    def normed(x: Tensor, name: str) -> Tensor:
        y: Tensor = norm(x, lambda part: state[f"{name}.{part}"])
        return y

    x = conv(normed(x, "norm"), "bottleneck")
    skips = torch.zeros(())
    for number in range(8):
        unit, far = f"unit{number}", 2 ** (number % 4)
        y = normed(act(conv(x, f"{unit}.shared.entry"), f"{unit}.shared.entry_act"),
                   f"{unit}.shared.entry_norm")  # fmt: skip
        y = conv(functional.pad(y, (2 * far, 0)), f"{unit}.shared.depth", dilation=far, groups=32)
        y = normed(act(y, f"{unit}.shared.depth_act"), f"{unit}.shared.depth_norm")
        skips = skips + conv(y, f"{unit}.skip")
        x = x + conv(y, f"{unit}.rest")
    return conv(act(skips, "act"), "mask").sigmoid()


@pytest.mark.parametrize("name", NORMS)
@torch.no_grad()
def test_clip_and_stream_are_the_formulas(name: str) -> None:
    layer, norm, _ = NORMS[name]
    net = masker(layer)
    x = torch.randn(2, 32, FRAMES, dtype=torch.float64)
    wanted = masks(net.state_dict(), norm, x)
    assert torch.allclose(net(x), wanted, atol=1e-11)
    steps = [net.forward_step(frame) for frame in x.unbind(2)]
    assert torch.allclose(torch.stack(steps, 2), wanted, atol=1e-11)
    assert net.flush() is None


@pytest.mark.parametrize("name", NORMS)
def test_figures_are_those_of_the_source(name: str) -> None:
    """16,545 parameters, no frame to come, and 61 frames, or all, that there were."""
    layer, _, field = NORMS[name]
    net = masker(layer)
    assert sum(each.numel() for each in net.parameters()) == 16_545
    assert (net.delay, net.receptive_field) == (0, field)
    assert net(torch.zeros(1, 32, 100, dtype=torch.float64)).shape == (1, 64, 100)
