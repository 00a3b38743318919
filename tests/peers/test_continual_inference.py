"""Equality with continual-inference 1.2.4, in every mode in which it is right."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

import codsl
from codsl.network import Network

NETWORKS = Path(__file__).parents[2] / "networks"
REASON = "continual-inference is not installed; it comes with the test extra"


@pytest.fixture(scope="module")
def co() -> ModuleType:
    return pytest.importorskip("continual", reason=REASON)


def spec(body: str, input: str) -> Network:
    return codsl.build(f"codsl 1\nnetwork n {{\ninput ({input})\n{body}\n}}").eval()


def norms(module: nn.Module) -> list[_BatchNorm]:
    return [each for each in module.modules() if isinstance(each, _BatchNorm)]


def with_weights_of(net: Network, peer: nn.Module) -> nn.Module:
    """The peer with the weights and statistics of the network; both have them in written order."""
    torch.manual_seed(0)
    for norm, other in zip(norms(net), norms(peer), strict=True):
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, 0, 0.3)
        other.running_mean.copy_(norm.running_mean.normal_(0, 0.3))
        other.running_var.copy_(norm.running_var.uniform_(0.5, 1.5))
    for value, place in zip(net.parameters(), peer.parameters(), strict=True):
        assert value.shape == place.shape
        place.copy_(value)
    return peer.eval()


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def steps_of(net: Any, x: Tensor) -> list[Tensor | None]:
    """What each frame gives; None where nothing is due, whatever stands for that."""
    outputs = (net.forward_step(x[:, :, t]) for t in range(x.shape[2]))
    return [y if isinstance(y, Tensor) and y.numel() else None for y in outputs]


def assert_equal_steps(net: Network, peer: nn.Module, x: Tensor) -> None:
    for t, (ours, theirs) in enumerate(zip(steps_of(net, x), steps_of(peer, x), strict=True)):
        assert (ours is None) == (theirs is None), f"frame {t}"
        if ours is not None:
            assert torch.allclose(ours, theirs, atol=1e-5), f"frame {t}"


def assert_equal(net: Network, peer: nn.Module, x: Tensor) -> None:
    """The same clip, chunk with its end padding, and steps; the same numbers."""
    assert torch.allclose(net(x), peer.forward(x), atol=1e-5)
    chunk = peer.forward_steps(x, pad_end=True)
    peer.clean_state()
    assert torch.allclose(net.forward_steps(x, pad_end=True), chunk, atol=1e-5)
    net.clean_state()
    assert_equal_steps(net, peer, x)
    assert net.receptive_field == peer.receptive_field
    assert net.delay == peer.delay


Stack = Callable[[ModuleType], Sequence[nn.Module]]
STACKS: dict[str, tuple[str, str, Stack]] = {
    "conv1d": (
        "a = conv1d(4, 5)\nb = conv1d(2, 3)",
        "3, T",
        lambda co: (co.Conv1d(3, 4, 5), co.Conv1d(4, 2, 3)),
    ),
    "conv1d padded": (
        "a = conv1d(4, 5, padding=2)\nb = conv1d(2, 3, padding=1, groups=2)",
        "3, T",
        lambda co: (co.Conv1d(3, 4, 5, padding=2), co.Conv1d(4, 2, 3, padding=1, groups=2)),
    ),
    "conv2d": (
        "a = conv2d(4, 3, padding=(1, 1), bias=false)\nbatch_norm2d\nrelu",
        "3, T, 6",
        lambda co: (
            co.Conv2d(3, 4, 3, padding=(1, 1), bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
        ),
    ),
    "conv3d": (
        "a = conv3d(4, 3, padding=1, stride=(1, 2, 2))\nb = conv3d(2, (3, 1, 1))",
        "3, T, 6, 5",
        lambda co: (
            co.Conv3d(3, 4, 3, padding=1, stride=(1, 2, 2)),
            co.Conv3d(4, 2, (3, 1, 1)),
        ),
    ),
    "max pool": (
        "a = conv3d(4, 3, padding=1)\nmax_pool3d((3, 2, 2), stride=(1, 2, 2))",
        "3, T, 6, 6",
        lambda co: (
            co.Conv3d(3, 4, 3, padding=1),
            co.MaxPool3d((3, 2, 2), stride=(1, 2, 2)),
        ),
    ),
    "average pool": (
        "a = conv1d(4, 3, padding=1)\navg_pool1d(4, stride=1)",
        "3, T",
        lambda co: (co.Conv1d(3, 4, 3, padding=1), co.AvgPool1d(4, stride=1)),
    ),
}


@pytest.mark.parametrize(("body", "input", "stack"), STACKS.values(), ids=STACKS)
@torch.no_grad()
def test_stacks(co: ModuleType, body: str, input: str, stack: Stack) -> None:
    net = spec(body, input)
    peer = with_weights_of(net, co.Sequential(*stack(co)))
    frame = net.graph.input
    assert_equal(net, peer, noise(2, frame.channels, 12, *frame.space))


@pytest.mark.parametrize("padding", [0, 1])
@torch.no_grad()
def test_strides(co: ModuleType, padding: int) -> None:
    strides = (1, 2, 3, 1)
    body = "\n".join(
        f"c{n} = conv1d(2, 3, stride={s}, padding={padding})" for n, s in enumerate(strides)
    )
    net = spec(body, "2, T")
    peer = co.Sequential(*(co.Conv1d(2, 2, 3, stride=s, padding=padding) for s in strides))
    with_weights_of(net, peer)
    x = noise(1, 2, 60)
    assert torch.allclose(net(x), peer.forward(x), atol=1e-5)
    assert_equal_steps(net, peer, x)
    assert net.receptive_field == peer.receptive_field
    assert net.delay == peer.delay
    assert net.stride == tuple(peer.stride)
    assert net.padding == tuple(peer.padding)


@torch.no_grad()
def test_mbconv(co: ModuleType) -> None:
    net = codsl.build(NETWORKS / "mbconv.yaml").eval()
    peer = co.Residual(
        co.Sequential(
            co.Conv3d(32, 64, kernel_size=(1, 1, 1)),
            nn.BatchNorm3d(64),
            nn.ReLU6(),
            co.Conv3d(64, 64, kernel_size=(3, 3, 3), padding=(1, 1, 1), groups=64),
            nn.ReLU6(),
            co.Conv3d(64, 32, kernel_size=(1, 1, 1)),
            nn.BatchNorm3d(32),
        )
    )
    assert_equal(net, with_weights_of(net, peer), noise(1, 32, 6, 28, 28))


@torch.no_grad()
def test_inception(co: ModuleType) -> None:
    net = codsl.build(NETWORKS / "inception.yaml").eval()

    def norm_relu(module: nn.Module, channels: int) -> nn.Module:
        return co.Sequential(module, nn.BatchNorm3d(channels), nn.ReLU())

    peer = co.BroadcastReduce(
        co.Conv3d(192, 64, kernel_size=1),
        co.Sequential(
            norm_relu(co.Conv3d(192, 96, kernel_size=1), 96),
            norm_relu(co.Conv3d(96, 128, kernel_size=3, padding=1), 128),
        ),
        co.Sequential(
            norm_relu(co.Conv3d(192, 16, kernel_size=1), 16),
            norm_relu(co.Conv3d(16, 32, kernel_size=3, padding=1), 32),
        ),
        co.Sequential(
            co.MaxPool3d(kernel_size=(1, 3, 3), padding=(0, 1, 1), stride=1),
            norm_relu(co.Conv3d(192, 32, kernel_size=1), 32),
        ),
        reduce="concat",
    )
    assert_equal(net, with_weights_of(net, peer), noise(1, 192, 4, 28, 28))


@torch.no_grad()
def test_squeeze_excitation(co: ModuleType) -> None:
    """Its clip pools all frames at once, so only its steps are compared."""
    net = codsl.build(NETWORKS / "squeeze_excitation.yaml").eval()
    peer = co.Residual(
        co.Sequential(
            OrderedDict(
                [
                    ("pool", co.AdaptiveAvgPool3d((1, 1, 1), kernel_size=7)),
                    ("down", co.Conv3d(256, 16, kernel_size=1)),
                    ("act1", nn.ReLU()),
                    ("up", co.Conv3d(16, 256, kernel_size=1)),
                    ("act2", nn.Sigmoid()),
                ]
            )
        ),
        reduce="mul",
        residual_shrink="lagging",
    )
    assert_equal_steps(net, with_weights_of(net, peer), noise(1, 256, 11, 14, 14))
    assert (net.receptive_field, net.delay) == (peer.receptive_field, peer.delay)


@pytest.mark.parametrize("shrink", ["centered", "lagging", "leading"])
@torch.no_grad()
def test_residual_that_shrinks(co: ModuleType, shrink: str) -> None:
    net = spec(f'residual(shrink="{shrink}") {{ conv1d(2, 5) }}', "2, T")
    peer = co.Residual(co.Conv1d(2, 2, 5), residual_shrink=shrink)
    with_weights_of(net, peer)
    x = noise(1, 2, 12)
    assert torch.allclose(net(x), peer.forward(x), atol=1e-5)
