"""The project page of continual-inference 0.7.0, with only the import changed."""

import copy
import warnings
from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import codsl.nn as co

MODULES = """
    Conv1d Conv2d Conv3d AvgPool1d AvgPool2d AvgPool3d MaxPool1d MaxPool2d MaxPool3d
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
    AdaptiveMaxPool3d Sequential Parallel Residual Delay continual forward_stepping
"""
INTEROPERABLE: dict[str, tuple[tuple[Any, ...], int]] = {
    "BatchNorm1d": ((4,), 1), "Threshold": ((0.1, 20), 3), "ReLU": ((), 3), "RReLU": ((), 3),
    "Hardtanh": ((), 3), "ReLU6": ((), 3), "Sigmoid": ((), 3), "Hardsigmoid": ((), 3),
    "Tanh": ((), 3), "SiLU": ((), 3), "Hardswish": ((), 3), "ELU": ((), 3), "CELU": ((), 3),
    "SELU": ((), 3), "GLU": ((1,), 3), "GELU": ((), 3), "Hardshrink": ((), 3),
    "LeakyReLU": ((), 3), "LogSigmoid": ((), 3), "Softplus": ((), 3), "Softshrink": ((), 3),
    "PReLU": ((4,), 3), "Softsign": ((), 3), "Tanhshrink": ((), 3), "Softmin": ((1,), 3),
    "Softmax": ((1,), 3), "Softmax2d": ((), 2), "LogSoftmax": ((1,), 3), "BatchNorm2d": ((4,), 2),
    "BatchNorm3d": ((4,), 3), "Dropout": ((), 3), "Dropout2d": ((), 2), "Dropout3d": ((), 3),
    "AlphaDropout": ((), 3), "FeatureAlphaDropout": ((), 3),
}  # fmt: skip
"""The modules of torch.nn that the page lists, with arguments, and dimensions with time."""
OVER_TIME = {"GLU": (2,), "Softmin": (2,), "Softmax": (2,), "LogSoftmax": (2,)}
"""Those that can be given another dimension, which must not be time."""


@pytest.mark.parametrize("name", MODULES.split())
def test_the_modules_are_there(name: str) -> None:
    assert callable(getattr(co, name))
    assert name in dir(co)


def streamed(net: Any, x: Tensor) -> Tensor:
    """All outputs of a stream, frame by frame and at the end."""
    net.clean_state()
    steps = [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]
    due = [step.unsqueeze(2) for step in steps if step is not None]
    end = net.flush()
    return torch.cat([*due, *([] if end is None else [end])], 2)


@pytest.mark.parametrize("name", INTEROPERABLE)
@torch.no_grad()
def test_interoperable_modules(name: str) -> None:
    arguments, rank = INTEROPERABLE[name]
    theirs = getattr(nn, name)(*arguments).eval()
    for buffer in theirs.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 2)
    net = co.Sequential(theirs).eval()
    x = torch.randn(2, 4, 5, *(3,) * (rank - 1))
    assert torch.equal(net(x), theirs(x))
    assert torch.allclose(streamed(net, x), theirs(x), atol=1e-6)
    assert [key.removeprefix("0.") for key in net.state_dict()] == list(theirs.state_dict())


@pytest.mark.parametrize("name", OVER_TIME)
def test_no_dimension_of_a_module_is_time(name: str) -> None:
    net = co.Sequential(getattr(nn, name)(*OVER_TIME[name]))
    with pytest.raises(ValueError, match="`0`: this would be normalised over time"):
        net(torch.randn(2, 4, 6, 3, 3))


@pytest.mark.parametrize("name", ["Softmin", "Softmax", "LogSoftmax"])
def test_the_implicit_dimension_of_torch_is_refused(name: str) -> None:
    """Of a clip `(B, C, T)` torch takes the batch."""
    net = co.Sequential(getattr(nn, name)())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="streams of their own"):
            net(torch.randn(2, 4, 6))


def test_simple_example() -> None:
    # B, C, T, H, W
    example = torch.randn((1, 1, 5, 3, 3))
    conv = co.Conv3d(in_channels=1, out_channels=1, kernel_size=(3, 3, 3))
    # Same exact computation as torch.nn.Conv3d
    output = conv(example)
    theirs = nn.Conv3d(1, 1, (3, 3, 3))
    theirs.load_state_dict(conv.state_dict())
    assert torch.equal(output, theirs(example))
    # But can also perform online inference efficiently
    firsts = conv.forward_steps(example[:, :, :4])
    last = conv.forward_step(example[:, :, 4])
    assert torch.allclose(output[:, :, : conv.delay], firsts, atol=1e-6)
    assert torch.allclose(output[:, :, conv.delay], last, atol=1e-6)


def mb_conv() -> Any:
    return co.Residual(
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


def norm_relu(module: nn.Module, channels: int) -> Any:
    return co.Sequential(
        module,
        nn.BatchNorm3d(channels),
        nn.ReLU(),
    )


def inception_module(**how: Any) -> Any:
    return co.Parallel(
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
        **how,
    )


def se(**how: Any) -> Any:
    return co.Residual(
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
        **how,
    )


@torch.no_grad()
def test_mb_conv() -> None:
    net = mb_conv().eval()
    assert (net.receptive_field, net.delay) == (3, 1)
    x = torch.randn(1, 32, 6, 4, 4)
    plain = nn.Sequential(*(copy.deepcopy(part) for part in net[1]))
    assert torch.allclose(net(x), x + plain(x), atol=1e-6)
    assert torch.allclose(streamed(net, x), net(x), atol=1e-6)


@pytest.mark.parametrize("word", ["aggregation_fn", "reduce", "aggregation"])
@torch.no_grad()
def test_inception_module(word: str) -> None:
    net = inception_module(**{word: "concat"}).eval()
    assert (net.receptive_field, net.delay) == (3, 1)
    x = torch.randn(1, 192, 4, 5, 5)
    y = net(x)
    assert y.shape == (1, 64 + 128 + 32 + 32, 4, 5, 5)
    assert torch.allclose(y, torch.cat([branch(x) for branch in net], 1), atol=1e-6)
    assert torch.allclose(streamed(net, x), y, atol=1e-6)


@pytest.mark.parametrize("word", ["aggregation_fn", "reduce", "aggregation"])
@torch.no_grad()
def test_squeeze_and_excitation(word: str) -> None:
    """The gate of a window of 7 frames meets the oldest of them, in a clip as in a stream."""
    net = se(**{word: "mul"}).eval()
    assert (net.receptive_field, net.delay) == (7, 6)
    x = torch.randn(1, 256, 9, 3, 3)
    pool, *rest = net[1]
    del pool
    gates = []
    for t in range(3):
        gate = x[:, :, t : t + 7].mean((2, 3, 4), keepdim=True)
        for part in rest:
            gate = part(gate)
        gates.append(gate)
    wanted = x[:, :, :3] * torch.cat(gates, 2)
    assert torch.allclose(net(x), wanted, atol=1e-6)
    assert torch.allclose(streamed(net, x), wanted, atol=1e-6)


@torch.no_grad()
def test_parallel_takes_a_tensor_or_a_list() -> None:
    """0.7 fans a tensor out and joins; 1.2 takes a list of streams and gives one."""
    net = co.Parallel(co.Conv1d(2, 2, 3, padding=1), nn.ReLU())
    a, b = torch.randn(2, 1, 2, 6).unbind()
    assert torch.allclose(net(a), net[0](a) + a.relu(), atol=1e-6)
    one, other = net([a, b])
    assert torch.allclose(one, net[0](a), atol=1e-6)
    assert torch.equal(other, b.relu())
    first = net.forward_step([a[:, :, 0], b[:, :, 0]])
    second = net.forward_step([a[:, :, 1], b[:, :, 1]])
    assert first == [None, None]
    assert torch.allclose(second[0], one[:, :, 0], atol=1e-6)
    assert torch.equal(second[1], other[:, :, 0])


@pytest.mark.parametrize(
    ("shrink", "front"), [("lagging", 0), ("leading", 2), ("centered", 1), (True, 1), (False, 0)]
)
@pytest.mark.parametrize("word", ["residual_shrink", "shrink", "phantom_padding"])
@torch.no_grad()
def test_residuals_that_shrink(shrink: Any, front: int, word: str) -> None:
    """Left out, the oldest frame of the window is carried."""
    net = co.Residual(co.Conv1d(1, 1, 3, bias=False), **{word: shrink} if shrink else {})
    x = torch.arange(6.0).reshape(1, 1, 6)
    nn.init.ones_(net[1].weight)
    wanted = torch.tensor([3.0, 6, 9, 12]) + x[0, 0, front : front + 4]
    assert net(x).flatten().tolist() == wanted.tolist()
    assert streamed(net, x).flatten().tolist() == wanted.tolist()


def test_an_older_and_a_newer_name_together_are_an_error() -> None:
    with pytest.raises(TypeError, match="older name"):
        co.Parallel(nn.ReLU(), reduce="sum", aggregation_fn="sum")
    with pytest.raises(ValueError, match="sum"):
        co.Parallel(nn.ReLU(), reduce="median")


@torch.no_grad()
def test_continual_and_forward_stepping() -> None:
    theirs = nn.Conv3d(1, 2, 3)
    ours = co.continual(theirs)
    assert isinstance(ours, co.Conv3d)
    x = torch.randn(1, 1, 5, 4, 4)
    assert torch.equal(ours(x), theirs(x))
    local = nn.Conv3d(1, 2, (1, 3, 3))
    stepping = co.forward_stepping(local)
    assert torch.allclose(stepping.forward_step(x[:, :, 0]), local(x)[:, :, 0], atol=1e-6)
