"""What peers get wrong, and what is right, for modules put together by hand: one test each."""

import copy
import io
import pickle
from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import codsl.nn as co

FRAMES = 23


def noise(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def assert_one_answer(net: Any, x: Tensor, wanted: Tensor) -> None:
    """Clip, steps and chunks are what torch gives, each output at its frame."""
    net = net.eval().double()
    assert torch.allclose(net(x), wanted, atol=1e-12)
    steps = [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]
    due = [t for t, step in enumerate(steps) if step is not None]
    assert due == list(range(net.delay, x.shape[2], net.stride[0]))
    made = [step.unsqueeze(2) for step in steps if step is not None]
    end = net.flush()
    assert torch.allclose(torch.cat([*made, *([] if end is None else [end])], 2), wanted)
    net.clean_state()
    parts = [net.forward_steps(each) for each in x.split([1, 4, x.shape[2] - 5], 2)]
    parts = [part for part in (*parts, net.flush()) if part is not None]
    assert torch.allclose(torch.cat(parts, 2), wanted, atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize(
    "module",
    [
        nn.Conv1d(2, 3, 1, stride=3),
        nn.Conv1d(2, 3, 3, dilation=4, padding=4),
        nn.MaxPool1d(3, 1, 1),
        nn.MaxPool1d(3, 2, 1, dilation=4),
        nn.AvgPool1d(3, 2, 1, count_include_pad=False),
        nn.AvgPool1d(3, 2, 1, ceil_mode=True),
    ],
    ids=str,
)
def test_single_layers(module: nn.Module) -> None:
    """Strided kernel 1, dilation, max pools over minus infinity, settings of average pools."""
    module.double()
    x = noise(2, 2, FRAMES) - 3
    assert_one_answer(co.continual(module), x, module(x))
    assert_one_answer(co.Sequential(module), x, module(x))


@torch.no_grad()
def test_branches_with_strides_meet_by_index() -> None:
    long = nn.Conv1d(2, 2, 5, 2, 2, dtype=torch.float64)
    short = nn.Conv1d(2, 2, 3, 2, 1, dtype=torch.float64)
    project = nn.Conv1d(2, 2, 1, 2, dtype=torch.float64)
    x = noise(1, 2, FRAMES)
    wanted = long(x) + short(x) + project(x)
    assert_one_answer(co.BroadcastReduce(long, short, project), x, wanted)


@torch.no_grad()
def test_going_on_after_the_end_of_a_stack() -> None:
    net = co.Sequential(co.Conv1d(2, 3, 3, padding=1), co.Conv1d(3, 2, 5, padding=2)).double()
    net.eval()
    x = noise(1, 2, FRAMES)
    parts: list[Tensor] = []
    for start in range(0, FRAMES, 5):
        y = net.forward_steps(x[:, :, start : start + 5])
        parts += [] if y is None else [y]
        whole = torch.cat([*parts, net.flush()], 2)
        assert torch.allclose(whole, net(x[:, :, : start + 5]), atol=1e-12)


@torch.no_grad()
def test_padding_beyond_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="padding of 3 over time is more than 2"):
        co.Conv1d(2, 2, 3, padding=3)
    with pytest.raises(ValueError, match="padding of 3 over time is more than 2"):
        co.continual(nn.Conv1d(2, 2, 3, padding=3))


@torch.no_grad()
def test_an_adaptive_pool_means_one_thing() -> None:
    x = noise(1, 2, FRAMES, 3, 3)
    wanted = torch.cat([nn.AdaptiveAvgPool3d(1)(x[:, :, t : t + 5]) for t in range(19)], 2)
    assert_one_answer(co.AdaptiveAvgPool3d(1, kernel_size=5), x, wanted)
    with pytest.raises(ValueError, match="kernel_size"):
        co.AdaptiveAvgPool3d(1)


@pytest.mark.parametrize("mode", ["forward_step", "forward_steps"])
@torch.no_grad()
def test_another_batch_size_mid_stream_is_an_error(mode: str) -> None:
    for net in (co.Conv1d(2, 2, 3).double(), co.Residual(co.Conv1d(2, 2, 3)).double()):
        net.eval()
        net.forward_steps(noise(2, 2, 5))
        before = net.get_state()
        other = noise(3, 2, 4)
        with pytest.raises(ValueError, match="batch"):
            getattr(net, mode)(other[:, :, 0] if mode == "forward_step" else other)
        assert net.get_state() is before


@torch.no_grad()
def test_a_container_has_a_state_which_is_a_value() -> None:
    net = co.Residual(co.Sequential(co.Conv1d(2, 2, 3, padding=1), co.MaxPool1d(2, 1))).double()
    net.eval()
    x = noise(1, 2, FRAMES)
    net.forward_steps(x[:, :, :9])
    snapshot = net.get_state()
    assert snapshot is not None
    wanted = net.forward_steps(x[:, :, 9:])
    file = io.BytesIO()
    torch.save(snapshot, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    for state in (snapshot, copy.deepcopy(snapshot), pickle.loads(pickle.dumps(snapshot)), loaded):
        net.set_state(state)
        assert torch.equal(net.forward_steps(x[:, :, 9:]), wanted)
    net.set_state(snapshot)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(twin.forward_steps(x[:, :, 9:]), wanted)


def test_keys_do_not_depend_on_a_siblings_delay() -> None:
    narrow, wide = (
        co.BroadcastReduce(
            OrderedDict(a=co.Conv1d(2, 2, kernel, padding=kernel // 2), b=co.Conv1d(2, 2, 1))
        )
        for kernel in (1, 9)
    )
    assert narrow.delay != wide.delay
    assert list(narrow.state_dict()) == list(wide.state_dict())
    assert list(wide.state_dict()) == ["a.weight", "a.bias", "b.weight", "b.bias"]


@pytest.mark.parametrize(
    "module",
    [
        nn.GroupNorm(1, 2),
        nn.Softmax(2),
        nn.LayerNorm((2, FRAMES)),
        nn.LSTM(2, 2, bidirectional=True),
        nn.GRU(2, 2, bidirectional=True),
    ],
    ids=str,
)
@torch.no_grad()
def test_what_looks_at_frames_to_come_is_refused(module: nn.Module) -> None:
    with pytest.raises(ValueError, match=r"cannot be streamed|over time|any number of frames"):
        co.continual(nn.Sequential(module.double()))(noise(1, 2, FRAMES))


@torch.no_grad()
def test_group_and_layer_norm_are_exact_per_frame() -> None:
    x = noise(2, 4, FRAMES, 3)
    group, layer = nn.GroupNorm(2, 4).double(), nn.LayerNorm((4, 3)).double()
    for module, ours in ((group, co.GroupNorm(2, 4)), (layer, co.LayerNorm((4, 3)))):
        wanted = torch.stack([module(x[:, :, t]) for t in range(FRAMES)], 2)
        assert_one_answer(ours, x, wanted)


@torch.no_grad()
def test_state_is_no_larger_than_the_window() -> None:
    conv = co.Conv1d(2, 2, 9).eval()
    conv.forward_step(torch.zeros(1, 2))
    assert conv.init_state(1).bytes == 8 * 2 * 4
    padded = co.Residual(co.Conv1d(2, 2, 3, padding=1)).eval()
    padded.forward_step(torch.zeros(1, 2))
    assert padded.init_state(1).bytes == 2 * 2 * 4
