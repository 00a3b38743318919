"""Streams beside one another by hand: copied, reordered, joined; functions of frames."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from by_hand import begun
from contained import clip_of, streamed
from torch import Tensor, nn

import codsl.nn as co
from codsl.algebra.shape import Frame
from harness.contract import contract

ROW = Frame(2, ())


def gate(frames: list[Tensor]) -> Tensor:
    return frames[0] * torch.sigmoid(frames[1])


def test_an_aggregation_of_ones_own() -> None:
    torch.manual_seed(0)
    net = co.BroadcastReduce(co.Conv1d(2, 3, 3), co.Conv1d(2, 3, 3), reduce=gate)
    contract(begun(net, ROW))
    assert "reduce=gate" in repr(net)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda xs: xs[0].mean(2, keepdim=True) * xs[1], "pointwise in time"),
        (lambda xs: (xs[0] + xs[1]).flip(2), "pointwise in time"),
        (lambda xs: xs[0][:, :, 1:] + xs[1][:, :, :-1], "pointwise in time"),
        (lambda xs: xs[0] - xs[1].mean(0, keepdim=True), "rows of a batch"),
        (lambda xs: xs[0] @ xs[1], "frames"),
    ],
)
def test_an_aggregation_that_mixes_frames_is_refused(function: Any, why: str) -> None:
    net = co.BroadcastReduce(nn.ReLU(), nn.Tanh(), reduce=function)
    with pytest.raises(ValueError, match=why):
        net(clip_of())
    with pytest.raises(ValueError, match=why):
        net.forward_step(clip_of()[:, :, 0])


@torch.no_grad()
def test_routing() -> None:
    net = co.Sequential(
        co.Broadcast(),
        co.Parallel(co.Conv1d(2, 2, 5, padding=2), co.Delay(0), nn.Tanh()),
        co.ParallelDispatch([2, 0]),
        co.Reduce("concat"),
    ).eval()
    x = clip_of()
    assert net[0].num_streams == 3
    conv = net[1][0]
    wanted = torch.cat([x.tanh(), conv(x)], 1)
    assert torch.allclose(net(x), wanted, atol=1e-6)
    assert torch.allclose(streamed(net, x), wanted, atol=1e-6)
    assert net.delay == 2


@pytest.mark.parametrize("mapping", ["01", 3, [0.5], [True], [[None]]])
def test_a_mapping_is_made_of_numbers(mapping: Any) -> None:
    with pytest.raises(ValueError, match="mapping"):
        co.ParallelDispatch(mapping)


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ValueError, match="there is no stream 2: 2 come in"):
        co.ParallelDispatch([2])([clip_of(), clip_of()])
    with pytest.raises(ValueError, match="2 modules beside one another, but 3 streams"):
        co.Parallel(nn.ReLU(), nn.ReLU())([clip_of()] * 3)
    with pytest.raises(ValueError, match="num_streams"):
        co.Broadcast()(clip_of())
    with pytest.raises(ValueError, match="cannot join"):
        co.BroadcastReduce(co.Conv1d(2, 3, 1), co.Conv1d(2, 2, 1))(clip_of())
    with pytest.raises(ValueError, match="different strides over time: 1, 2"):
        co.BroadcastReduce(nn.ReLU(), co.MaxPool1d(2))(clip_of())
    for branch, lengths in ((co.Conv1d(2, 2, 4), "T, T - 3"), (co.Crop(0, 1), "T, T - 1")):
        with pytest.raises(ValueError, match=f"`sum`: .* T frames give {lengths} outputs"):
            co.BroadcastReduce(nn.ReLU(), branch)(clip_of())
    strided = co.MaxPool1d(2), co.Conv1d(2, 2, 7, 2)
    with pytest.raises(ValueError, match=r"`join`: .* give \(T\) / 2, \(T - 5\) / 2 outputs"):
        co.BroadcastReduce(*strided, reduce=lambda values: values[0])(clip_of())
    with pytest.raises(ValueError, match="needs a shortcut"):
        co.Residual(nn.Conv1d(2, 2, 3, stride=2))
    with pytest.raises(ValueError, match="`0`: in_channels=3, but the input has 2"):
        co.Sequential(nn.Conv1d(3, 2, 1))(clip_of())
    with pytest.raises(ValueError, match="a clip of 1 frames is too short: `0` asks for 3"):
        co.Sequential(nn.Conv1d(2, 2, 3))(clip_of(1))
    with pytest.raises(ValueError, match="too short: `Conv1d` asks for 3"):
        co.Conv1d(2, 2, 3)(clip_of(1))
    with pytest.raises(TypeError, match=r"Conv1d\(in_channels.*'strid'"):
        co.Conv1d(2, 2, 3, strid=2)


def test_reshape_and_linear() -> None:
    net = co.Sequential(co.Reshape(-1, 6), co.Linear(6, 3, channel_dim=1))
    contract(begun(net, Frame(2, (3,))))
    with pytest.raises(ValueError, match="is over time: give `channel_dim=1`"):
        co.Sequential(co.Linear(2, 3))(clip_of(2))
    with pytest.raises(ValueError, match="cannot be reshaped"):
        co.Sequential(co.Reshape(1, 5))(clip_of())
    last = co.Linear(4, 2)
    x = torch.randn(3, 4)
    assert torch.equal(last.forward_step(x), nn.functional.linear(x, last.weight, last.bias))


@pytest.mark.parametrize("dim", [1, 3, 4, -4, -2, -1])
@torch.no_grad()
def test_a_linear_map_of_a_frame_is_over_the_same_dimension(dim: int) -> None:
    x = torch.randn(2, 3, 5, 4, 6)
    net = co.Linear(x.shape[dim], 7, channel_dim=dim)
    y = net(x)
    assert y.shape[dim] == 7
    assert torch.allclose(net.forward_step(x[:, :, 1]), y[:, :, 1], atol=1e-6)
    assert torch.allclose(net.forward_steps(x), y)


def test_a_linear_map_of_no_frame_is_none() -> None:
    assert co.Linear(3, 2, channel_dim=1).forward_steps(torch.zeros(2, 3, 0)) is None


CLOSURES = {
    "add": (lambda: co.Add(2), lambda x: x + 2),
    "add a tensor": (lambda: co.Add(torch.ones(2, 1)), lambda x: x + 1),
    "multiply": (lambda: co.Multiply(-0.5), lambda x: x * -0.5),
    "identity": (co.Identity, lambda x: x),
    "constant": (lambda: co.Constant(3.0), lambda x: torch.full_like(x, 3)),
    "zero": (co.Zero, torch.zeros_like),
    "one": (co.One, torch.ones_like),
    "lambda": (lambda: co.Lambda(torch.sigmoid), torch.sigmoid),
    "of time": (lambda: co.Lambda(lambda x: x.mean(1, True), takes_time=True),
                lambda x: x.mean(1, True)),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSURES)
def test_closures(name: str) -> None:
    make, plain = CLOSURES[name]
    x = clip_of().double()
    for net in (make(), co.Sequential(make())):
        assert torch.allclose(net(x), plain(x), atol=1e-12)
        assert torch.allclose(net.forward_steps(x), plain(x), atol=1e-12)
    step = make().forward_step(x[:, :, 0])
    assert torch.allclose(step, plain(x)[:, :, 0], atol=1e-12)
    if name in ("add", "multiply", "lambda", "of time", "identity"):
        contract(begun(co.Sequential(make(), co.Conv1d(1 if name == "of time" else 2, 2, 3)), ROW))


@pytest.mark.parametrize("contained", [True, False])
@pytest.mark.parametrize("mode", ["forward_step", "forward_steps"])
def test_a_lambda_that_mixes_frames_is_refused_in_a_stream(contained: bool, mode: str) -> None:
    mixing = co.Lambda(lambda x: x - x.mean(2, keepdim=True), takes_time=True)
    net = co.Sequential(mixing) if contained else mixing
    x = clip_of()
    with pytest.raises(ValueError, match="pointwise in time"):
        getattr(net, mode)(x[:, :, 0] if mode == "forward_step" else x)


@torch.no_grad()
def test_delay_and_skip() -> None:
    x = clip_of(6)
    delay = co.Delay(2)
    assert torch.equal(delay(x), x)
    assert delay.forward_step(x[:, :, 0]) is None
    assert torch.equal(delay.forward_steps(x[:, :, 1:]), x[:, :, :4])
    assert torch.equal(co.Delay(2, auto_shrink=True)(x), x[:, :, 2:-2])
    assert torch.equal(co.Delay(2, auto_shrink="lagging")(x), x[:, :, :-2])
    assert torch.equal(co.Skip(2)(x), x[:, :, 2:])
    for bad in (-1, True, 1.5):
        with pytest.raises(ValueError, match="number of frames"):
            co.Delay(bad)
        with pytest.raises(ValueError, match="number of frames"):
            co.Skip(bad)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (co.Conv1d(2, 2, 5, 2), co.Conv1d(2, 2, 3, 2)),
        (co.Conv1d(2, 2, 7, 3), co.Conv1d(2, 2, 5, 3)),
        (co.Conv1d(2, 2, 6, 2), co.Conv1d(2, 2, 3, 2)),
        (co.Conv1d(2, 2, 5, 4), co.Conv1d(2, 2, 2)),
        (co.Sequential(co.ConvTranspose1d(2, 2, 4, 2, 1), co.Conv1d(2, 2, 3, 3)), co.Delay(4)),
    ],
)
@torch.no_grad()
def test_streams_beside_one_another_begin_together(one: Any, other: Any) -> None:
    """Or, where a whole item would be too late, as near before it as items come."""
    for ends in ([one, other], [other, one]):
        net = co.Sequential(co.Broadcast(), co.Parallel(*ends)).eval()
        alone = [co.Sequential(each).eval() for each in ends]
        x, seen = clip_of(40), []
        for t in range(40):
            seen.append([y is not None for y in net.forward_step(x[:, :, t])])
        begun = [column.index(True) for column in zip(*seen, strict=True)]
        apart = [each.stride[0] for each in alone]
        assert max(begun) == max(each.laid.program.graph.begins for each in map(fed, alone))
        assert all(max(begun) - first < step for first, step in zip(begun, apart, strict=True))


def fed(net: Any) -> Any:
    """A module that has seen a frame."""
    net.forward_step(clip_of(1)[:, :, 0])
    return net


def test_what_takes_too_long_to_repeat_itself_is_refused_by_name() -> None:
    raised = [co.ConvTranspose1d(2, 2, 7, 7) for _ in range(4)]
    for ask in (lambda net: net.time, lambda net: net.forward(clip_of(3))):
        with pytest.raises(ValueError, match="`3`: more than 1024 outputs until the pattern"):
            ask(co.Sequential(*raised))
    rows = [
        co.Sequential(co.Conv1d(2, 2, over, over), co.Upsample(scale_factor=over))
        for over in (31, 37)
    ]
    with pytest.raises(ValueError, match="`1`: more than 1024 outputs until"):
        co.Sequential(co.Identity(), co.BroadcastReduce(*rows))(clip_of(200))
