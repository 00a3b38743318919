"""Users' own classes of `CoModule`: opaque nodes that are exact in every mode of a container."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import codsl.nn as co


class Window(co.CoModule):
    """A learnt sum of the last `size` frames after `pad` zeros, every `every` frames, by hand."""

    def __init__(self, size: int = 3, every: int = 1, pad: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(1, 2, size, dtype=torch.float64))
        self.stride, self.padding = (every,), (pad,)
        self.clean_state()

    @property
    def receptive_field(self) -> int:
        return len(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        padded = nn.functional.pad(input, (self.padding[0],) * 2)
        return padded.unfold(2, len(self.weight), self.stride[0]) @ self.weight

    def forward_step(self, input: Tensor, update_state: bool = True) -> Tensor | None:
        past = self.past or [torch.zeros_like(input)] * self.padding[0]
        past = [*past, input][-len(self.weight) :]
        frame = self.frame
        if update_state:
            self.past, self.frame = past, frame + 1
        late = frame - (len(self.weight) - 1 - self.padding[0])
        due = late >= 0 and late % self.stride[0] == 0
        return torch.stack(past, -1) @ self.weight if due else None

    def get_state(self) -> Any:
        return (list(self.past), self.frame) if self.frame else None

    def set_state(self, state: Any) -> None:
        self.past, self.frame = list(state[0]), state[1]

    def clean_state(self) -> None:
        self.past, self.frame = [], 0


class Wrong(Window):
    """It says that it is earlier than it is."""

    @property
    def delay(self) -> int:
        return 1


def clip_of(frames: int = 15) -> Tensor:
    generator = torch.Generator().manual_seed(frames)
    return torch.randn(2, 2, frames, generator=generator, dtype=torch.float64)


def nets() -> dict[str, Any]:
    torch.manual_seed(0)
    conv = co.Conv1d(2, 2, 3, padding=1, dtype=torch.float64)
    return {
        "behind a convolution": co.Sequential(conv, Window()),
        "before a strided one": co.Sequential(
            Window(pad=1), co.Conv1d(2, 3, 3, 2, dtype=torch.float64)
        ),
        "strided": co.Sequential(Window(4, every=2, pad=1), conv),
        "in a residual": co.Residual(co.Sequential(conv, Window(3, pad=1))),
        "in a residual that shrinks": co.Residual(Window(4), residual_shrink="lagging"),
        "beside another": co.BroadcastReduce(
            OrderedDict(own=Window(5, pad=2), conv=conv), reduce="concat"
        ),
        "two of them": co.Sequential(Window(), nn.Tanh(), Window(2)),
        "under a stride": co.Sequential(co.MaxPool1d(2), Window(3, pad=1), Window()),
    }


NAMES = list(nets())


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_its_step_is_exact_in_a_container(name: str) -> None:
    net = nets()[name].eval()
    x = clip_of()
    wanted = net(x)
    due: list[Tensor] = []
    for t in range(15):
        tried = net.forward_step(x[:, :, t], update_state=False)
        y = net.forward_step(x[:, :, t])
        assert (tried is None) == (y is None)
        assert (y is not None) == (t >= net.delay and (t - net.delay) % net.stride[0] == 0)
        if y is not None:
            assert torch.equal(tried, y)
            due.append(y.unsqueeze(2))
        if t >= net.min_frames:
            end = net.flush()
            whole = torch.cat([*due, *([] if end is None else [end])], 2)
            assert torch.allclose(whole, net(x[:, :, : t + 1]), atol=1e-11)
    net.clean_state()
    parts = [net.forward_steps(chunk) for chunk in x.split([3, 1, 6, 5], 2)]
    rest = [part for part in (*parts, net.flush()) if part is not None]
    assert torch.allclose(torch.cat(rest, 2), wanted, atol=1e-11)


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_its_state_is_part_of_the_containers(name: str) -> None:
    net = nets()[name].eval()
    x = clip_of()
    net.forward_steps(x[:, :, :9])
    state = net.get_state()
    own = [part for part in net.modules() if isinstance(part, Window)]
    assert all(part.get_state() is None for part in own)
    wanted = net.forward_steps(x[:, :, 9:], pad_end=True)
    for each in (state, copy.deepcopy(state), pickle.loads(pickle.dumps(state))):
        net.set_state(each)
        assert torch.equal(net.forward_steps(x[:, :, 9:], pad_end=True), wanted)
    twin = copy.deepcopy(net)
    twin.set_state(state)
    assert torch.equal(twin.forward_steps(x[:, :, 9:], pad_end=True), wanted)


@torch.no_grad()
def test_a_stream_of_its_own_goes_on_beside_the_containers() -> None:
    window = Window()
    net = co.Sequential(window).eval()
    x = clip_of()
    window.forward_steps(x[:, :, :4])
    net.forward_steps(x)
    assert torch.allclose(window.forward_step(x[:, :, 4]), window(x)[:, :, 2], atol=1e-12)


def test_numbers_that_are_not_what_it_does_are_an_error() -> None:
    net = co.Sequential(Wrong()).eval()
    with pytest.raises(
        ValueError, match="`0` declares that 14 outputs are due, but its step gave 13"
    ):
        net.forward_steps(clip_of())


class Shorter(Window):
    """Its clip is shorter than it says."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input)[:, :, 1:]


def test_a_clip_that_is_not_as_long_as_declared_is_an_error() -> None:
    net = co.Sequential(Shorter()).eval()
    with pytest.raises(ValueError, match="`0`: a clip of 3 frames has 1 outputs by what"):
        net(clip_of())


def test_keys_and_parameters_are_its_own() -> None:
    net = co.Sequential(OrderedDict(own=Window()))
    assert list(net.state_dict()) == ["own.weight"]


def test_gradients_reach_it() -> None:
    net = co.Sequential(Window(pad=1), nn.Tanh())
    x = clip_of()
    net(x).sum().backward()
    wanted = net[0].weight.grad.clone()
    net.zero_grad()
    net.train()
    net.forward_steps(x, pad_end=True).sum().backward()
    assert torch.allclose(net[0].weight.grad, wanted)


class Fragile(Window):
    """It breaks at frames of a number that is none."""

    def forward_step(self, input: Tensor, update_state: bool = True) -> Tensor | None:
        if input.isnan().any():
            raise ArithmeticError("no number")
        return super().forward_step(input, update_state)


@pytest.mark.parametrize("update_state", [True, False])
@torch.no_grad()
def test_a_chunk_that_breaks_leaves_the_stream_where_it_was(update_state: bool) -> None:
    net, x = Fragile(), clip_of(9)
    broken = x.clone()
    broken[:, :, 6] = torch.nan
    for begun in (0, 3):
        net.clean_state()
        if begun:
            net.forward_steps(x[:, :, :begun])
        wanted = net.forward_steps(x[:, :, begun:], update_state=False)
        with pytest.raises(ArithmeticError):
            net.forward_steps(broken[:, :, begun:], update_state=update_state)
        assert net.frame == begun
        assert torch.equal(net.forward_steps(x[:, :, begun:]), wanted)


@torch.no_grad()
def test_the_step_of_steps_is_given() -> None:
    """`forward_steps` and `warm_up` follow from `forward_step`."""
    window = Window(3, pad=1)
    x = clip_of()
    assert torch.allclose(window.forward_steps(x, pad_end=True), window(x), atol=1e-12)
    window.clean_state()
    window.forward_steps(x[:, :, :5], pad_end=True)
    assert torch.allclose(window.forward_step(x[:, :, 5]), window(x)[:, :, 4], atol=1e-12)
    window.warm_up((2, 2))
    assert window.forward_step(x[:, :, 0]) is not None
