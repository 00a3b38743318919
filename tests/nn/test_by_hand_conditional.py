"""A conditional by hand: one side or the other, as a predicate says frame by frame."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from contained import clip_of, streamed
from torch import Tensor, nn

import codsl.nn as co


@torch.no_grad()
def test_a_conditional_that_changes_its_mind() -> None:
    """Both sides see every frame, so each answer is that of its whole past."""
    torch.manual_seed(0)
    flag = {"on": True}
    net = co.Sequential(
        co.Conditional(lambda *_: flag["on"], co.Conv1d(2, 2, 3), co.Conv1d(2, 2, 3)), nn.Tanh()
    ).eval()
    x = clip_of()
    yes, no = net[0]._modules["0"], net[0]._modules["1"]
    assert (net.delay, net.receptive_field) == (2, 3)
    for t in range(10):
        flag["on"] = t % 3 == 0
        y = net.forward_step(x[:, :, t])
        if t < 2:
            assert y is None
            continue
        side = yes if flag["on"] else no
        assert torch.allclose(y, side(x)[:, :, t - 2].tanh(), atol=1e-6)


@torch.no_grad()
def test_a_conditional_waits_for_its_slower_side() -> None:
    net = co.Conditional(lambda _, x: bool(x.sum() > 0), co.Conv1d(2, 2, 5, padding=2), nn.ReLU())
    assert (net.delay, net.receptive_field) == (2, 5)
    x = clip_of().abs()
    assert torch.equal(net(-x), torch.zeros_like(x))
    assert torch.allclose(streamed(net, x), net._modules["0"](x), atol=1e-6)
    with pytest.raises(ValueError, match="same frames"):
        co.Conditional(lambda *_: True, co.Conv1d(2, 3, 1), nn.ReLU())(x)
    with pytest.raises(ValueError, match="`Conditional`: what meets here differs in length"):
        co.Conditional(lambda *_: True, co.Conv1d(2, 2, 3), nn.ReLU())(x)
    with pytest.raises(TypeError, match="predicate"):
        co.Conditional(True, nn.ReLU())


SIDES: dict[str, tuple[Any, Any, int]] = {
    "padded": (lambda: co.Conv1d(2, 2, 3, 2, 1), lambda: co.Conv1d(2, 2, 5, 2, 2), 0),
    "narrow": (lambda: co.Conv1d(2, 2, 1, 2), lambda: co.Subsample(2), 0),
    "even": (lambda: co.Conv1d(2, 2, 4, 2, 1), lambda: co.Conv1d(2, 2, 2, 2), 0),
    "shortened": (lambda: co.Conv1d(2, 2, 3, 2), lambda: co.MaxPool1d(3, 2), 2),
    "shortened by 4": (
        lambda: co.Sequential(co.Conv1d(2, 2, 3, 2), co.Conv1d(2, 2, 2, 2)),
        lambda: co.Conv1d(2, 2, 5, 4),
        4,
    ),
    "of two": (
        lambda: co.Sequential(co.Conv1d(2, 2, 3, 3), co.Conv1d(2, 2, 3, 1, 1)),
        lambda: co.Conv1d(2, 2, 3, 3),
        0,
    ),
}  # fmt: skip
"""Sides of one stride, and how far behind output `j` the frame is that a predicate sees."""


@pytest.mark.parametrize("name", SIDES)
@torch.no_grad()
def test_sides_of_a_conditional_with_a_stride(name: str) -> None:
    """Every clip is that of the side; a stream may change sides at any output."""
    yes, no, _ = SIDES[name]
    torch.manual_seed(0)
    flag: dict[str, Any] = {"on": True}
    net = co.Conditional(lambda *_: flag["on"], yes(), no()).eval().double()
    sides = {True: net._modules["0"], False: net._modules["1"]}
    for frames in range(9, 15):
        x = torch.randn(2, 2, frames, dtype=torch.float64)
        for flag["on"] in (True, False):
            want = sides[flag["on"]](x)
            assert torch.equal(net(x), want)
            net.reset()
            assert torch.allclose(streamed(net, x), want, atol=1e-14)
    net.reset()
    made = {on: side(x) for on, side in sides.items()}
    stride = net.time.stride
    for t in range(14):
        flag["on"] = t % 3 != 0
        y, due = net.forward_step(x[:, :, t]), t - net.delay
        assert (y is None) == (due < 0 or due % stride > 0)
        if y is not None:
            assert torch.allclose(y, made[flag["on"]][:, :, due // stride], atol=1e-14)


@pytest.mark.parametrize("name", SIDES)
@torch.no_grad()
def test_a_predicate_sees_the_frame_of_each_output(name: str) -> None:
    yes, no, behind = SIDES[name]
    seen: list[Tensor] = []
    net = co.Conditional(lambda _, x: bool(seen.append(x) or True), yes(), no()).eval()
    x = torch.arange(14.0).expand(1, 2, 14)
    y = net(x)
    stride = net.time.stride
    want = [behind + stride * j for j in range(y.shape[2])]
    assert [each[0, 0].item() for each in seen] == want
    seen.clear()
    for t in range(14):
        net.forward_step(x[:, :, t])
    steps = [each[0, 0].item() for each in seen]
    assert steps == [each for j, each in enumerate(want) if j * stride + net.delay < 14]


@torch.no_grad()
def test_rows_and_frames_are_asked_about_one_by_one() -> None:
    torch.manual_seed(0)
    net = co.Sequential(
        co.Conditional(lambda _, x: x.mean() > 0, co.Conv1d(2, 2, 3, padding=1), nn.ReLU())
    ).eval()
    x, slots = torch.randn(3, 2, 12), net.stream(3)
    y = net(x)
    yes, no = net[0]._modules["0"](x), x.relu()
    assert torch.equal(y, torch.where(x.mean(1, keepdim=True) > 0, yes, no))
    assert torch.allclose(streamed(net, x), y, atol=1e-6)
    net.reset()
    assert torch.allclose(net.forward_steps(x, pad_end=True), y, atol=1e-6)
    assert torch.allclose(torch.cat([net(row) for row in x.split(1)]), y, atol=1e-6)
    for _ in range(3):
        slots.join()
    for t in range(12):
        made, due = slots.step(x[:, :, t])
        assert not due.any() if t < 1 else torch.allclose(made, y[:, :, t - 1], atol=1e-6)
    assert net(x[:0]).shape == (0, 2, 12)


def test_a_predicate_says_one_thing_of_a_frame() -> None:
    net = co.Conditional(lambda _, x: x > 0, nn.ReLU())
    with pytest.raises(ValueError, match=r"lambda _, x: x > 0` says True or False .*\(1, 2, 1\)"):
        net(clip_of())


REFUSED_SIDES: list[tuple[Any, Any, str]] = [
    (co.Conv1d(2, 2, 3, 2, 1), None, "different strides over time: 2 and 1"),
    (co.Conv1d(2, 2, 3), co.Conv1d(2, 2, 3, 3), "different strides over time: 1 and 3"),
    (co.Conv1d(2, 2, 3, 2, 1), co.Conv1d(2, 2, 2, 2), "differs in length"),
    (co.Conv1d(2, 2, 3, 2), co.Conv1d(2, 2, 5, 2), "differs in length"),
    (co.Conv1d(2, 2, 4, 2, 2), co.Conv1d(2, 2, 4, 2, 2), "more outputs than there are frames"),
    (co.Upsample(scale_factor=2), co.ConvTranspose1d(2, 2, 2, 2), "stride of 1/2"),
]


@pytest.mark.parametrize(("yes", "no", "why"), REFUSED_SIDES)
def test_sides_that_no_stream_can_choose_between(yes: Any, no: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        co.Conditional(lambda *_: True, yes, no)(clip_of(12))
