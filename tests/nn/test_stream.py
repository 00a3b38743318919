"""What surrounds the contract: refusals, warming up, states and copies of a stream."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from copies import pickled, saved
from small_network import SPEC, built, clip, same, stream
from torch import Tensor

import codsl
import codsl.nn as co
from harness.contract import contract


def test_the_network_keeps_the_contract() -> None:
    contract(built(), torch.float32)


FRAME = torch.zeros(2, 3, 6)

WRONG_FRAMES = {
    "channels": (torch.zeros(2, 4, 6), "B x 3 x 6"),
    "space": (torch.zeros(2, 3, 5), "B x 3 x 6"),
    "a clip": (torch.zeros(2, 3, 1, 6), "B x 3 x 6"),
    "no batch": (torch.zeros(3, 6), "B x 3 x 6"),
    "one dimension": (torch.zeros(3), "B x 3 x 6"),
    "no dimension": (torch.zeros(()), "B x 3 x 6"),
    "batch": (torch.zeros(3, 3, 6), "batch of 2"),
    "dtype": (FRAME.double(), "torch.float64"),
    "integers": (FRAME.long(), "torch.int64"),
    "device": (FRAME.to("meta"), "meta"),
}


@pytest.mark.parametrize("what", WRONG_FRAMES)
def test_a_wrong_frame_leaves_the_stream_as_it_is(what: str) -> None:
    wrong, words = WRONG_FRAMES[what]
    net = built()
    x = clip(net, 20)
    wanted = stream(net, x)
    net.reset()
    found = stream(net, x[:, :, :9])
    before = net.get_state()
    with pytest.raises(ValueError, match=words):
        net.forward_step(wrong)
    with pytest.raises(ValueError, match=words):
        net.step(wrong, before)
    with pytest.raises(ValueError, match=r"B x 3 x T x 6|batch of 2|torch|meta"):
        net.forward_steps(wrong.unsqueeze(2) if wrong.dim() > 1 else wrong)
    assert net.get_state() is before
    assert same(found + stream(net, x[:, :, 9:]), wanted)


@pytest.mark.parametrize("what", [w for w in WRONG_FRAMES if w != "batch"])
def test_a_wrong_first_frame_starts_nothing(what: str) -> None:
    net = built()
    with pytest.raises(ValueError, match=r"B x 3 x 6|torch|meta|shape"):
        net.forward_step(WRONG_FRAMES[what][0])
    assert net.get_state() is None
    assert same(stream(net, clip(net, 9)), stream(built(), clip(net, 9)))


@pytest.mark.parametrize("shape", [(2, 3, 9), (2, 4, 9, 6), (2, 3, 9, 5), (3, 9, 6), (9,), ()])
def test_a_wrong_clip_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="B x 3 x T x 6"):
        built()(torch.zeros(shape))


def test_a_network_that_sees_wrong_dtypes_at_once() -> None:
    """A stream has the dtype of the weights, before there is a state."""
    net = built(dtype=torch.float64)
    with pytest.raises(ValueError, match=r"torch\.float32"):
        net.forward_step(FRAME)
    assert net.get_state() is None


def test_state_before_the_first_frame_and_after_cleaning() -> None:
    net = built()
    assert net.get_state() is None
    assert net.flush() is None
    net.forward_step(FRAME)
    assert net.get_state() is not None
    net.clean_state()
    assert net.get_state() is None
    net.forward_steps(FRAME.unsqueeze(2), update_state=False)
    assert net.get_state() is None


def test_an_empty_chunk_is_nothing() -> None:
    net = built()
    assert net.forward_steps(clip(net, 0)) is None
    state = net.get_state()
    assert state is None or state.frame == 0
    assert same(stream(net, clip(net, 20)), stream(built(), clip(net, 20)))


def test_warm_up_makes_the_next_step_give_a_result() -> None:
    net = built()
    x = clip(net, 30)
    stream(net, x)
    net.warm_up((2, 3, 6))
    warmed = net.forward_step(x[:, :, 0])
    assert warmed is not None
    padded = torch.cat([torch.zeros_like(x[:, :, : net.delay]), x], 2)
    torch.testing.assert_close(warmed, net(padded)[:, :, 0], rtol=0, atol=5e-6)


def raised(*layers: Any) -> dict[str, Any]:
    up = {"name": "up", "out_channels": 2, "kernel_size": 4, "stride": 2, "padding": 1}
    return {"codsl": 1, "input": [2, "T"], "layers": [{"conv_transpose1d": up}, *layers]}


DOWN = {"conv1d": {"name": "down", "out_channels": 2, "kernel_size": 3, "stride": 3}}


@torch.no_grad()
def test_the_first_output_may_come_before_the_delay() -> None:
    """Where a period has several outputs, of which others come later after their own frames."""
    net = codsl.build(raised(DOWN), dtype=torch.float64).eval()
    hand = co.Sequential(
        co.ConvTranspose1d(2, 2, 4, 2, 1), co.Conv1d(2, 2, 3, 3), co.Identity()
    ).double()
    for each in (net, hand):
        assert each.delay == 2
        each.warm_up((1, 2))
        assert each.get_state().frame == each.graph.begins == 1
        assert each.forward_step(torch.zeros(1, 2).double()) is not None
        each.reset()
        dues = [each.forward_step(torch.zeros(1, 2).double()) is not None for _ in range(8)]
        assert dues == [False, True, False, True, True, False, True, True]


@torch.no_grad()
def test_a_network_that_bursts_is_warmed_up() -> None:
    net = codsl.build(raised(), dtype=torch.float64).eval()
    net.warm_up((1, 2))
    assert net.get_state().frame == net.graph.begins
    assert net.forward_steps(torch.zeros(1, 2, 1).double()).shape == (1, 2, 1)


def test_a_shape_to_warm_up_with_is_checked() -> None:
    net = built()
    with pytest.raises(ValueError, match="a frame is B x 3 x 6, got one of shape"):
        net.warm_up((2, 4, 6))


def test_a_pattern_over_space_that_is_too_long_is_said_by_name() -> None:
    """The network runs; what cannot be given are its numbers over space."""
    up = {"out_channels": 2, "kernel_size": [1, 7], "stride": [1, 7]}
    layers = [{"conv_transpose2d": {"name": f"up{each}", **up}} for each in range(4)]
    net = codsl.build({"codsl": 1, "input": [2, "T", 1], "layers": layers}).eval()
    assert net(torch.zeros(1, 2, 2, 1)).shape == (1, 2, 2, 7**4)
    for ask in (lambda: net.stride, lambda: net.padding, lambda: net.graph.space):
        with pytest.raises(ValueError, match="`up3`: more than 1024 positions until"):
            ask()


def test_a_state_is_taken_up_again() -> None:
    """Two streams through one network, taken in turns."""
    net = built()
    clips = [clip(net, 20, seed) for seed in (1, 2)]
    wanted = []
    for x in clips:
        net.reset()
        wanted.append(stream(net, x))
    net.reset()
    states: list[Any] = [None, None]
    found: list[list[Tensor | None]] = [[], []]
    for t in range(20):
        for row, x in enumerate(clips):
            net.set_state(states[row])
            found[row].append(net.forward_step(x[:, :, t]))
            states[row] = net.get_state()
    assert same(found[0], wanted[0])
    assert same(found[1], wanted[1])


def test_a_state_of_another_network_is_refused() -> None:
    net, other = built(), built({"codsl": 1, "input": [3, "T", 6], "layers": ["relu"]})
    net.forward_step(FRAME)
    other.forward_step(FRAME)
    before = net.get_state()
    with pytest.raises(ValueError, match="another network"):
        net.set_state(other.get_state())
    assert net.get_state() is before


@pytest.mark.parametrize("again", [copy.deepcopy, pickled, saved, copy.copy])
def test_a_copy_goes_on_mid_stream(again: Any) -> None:
    net = built()
    x = clip(net, 24)
    stream(net, x[:, :, :11])
    other = again(net)
    wanted = stream(net, x[:, :, 11:])
    assert any(y is not None for y in wanted)
    assert same(stream(other, x[:, :, 11:]), wanted)
    end, wanted_end = other.flush(), net.flush()
    assert same([end], [wanted_end])
    assert torch.equal(other.eval()(x), net(x))


def test_weights_go_from_one_network_to_another() -> None:
    net = built()
    torch.manual_seed(9)
    other = codsl.build(SPEC).eval()
    x = clip(net, 20)
    assert not torch.equal(net(x), other(x))
    assert other.load_state_dict(net.state_dict()) is not None
    assert torch.equal(net(x), other(x))
    assert same(stream(other, x), stream(net, x))
