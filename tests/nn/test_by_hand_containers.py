"""Containers by hand: changed, named, copied, shared, called in modes."""

from __future__ import annotations

import copy
import io
import operator
import pickle
from collections import OrderedDict
from typing import Any

import pytest
import torch
from contained import clip_of, sequential, streamed
from torch import Tensor, nn

import codsl.nn as co
from harness.contract import randomise

CHANGES: dict[str, tuple[Any, int]] = {
    "append": (lambda net: net.append(nn.Conv1d(3, 3, 3)), 4),
    "insert": (lambda net: net.insert(1, nn.BatchNorm1d(3)), 4),
    "extend": (lambda net: net.extend([nn.Tanh(), nn.Conv1d(3, 1, 1)]), 5),
    "item": (lambda net: net.__setitem__(1, nn.Conv1d(3, 3, 7, padding=3)), 3),
    "name": (lambda net: setattr(net, "2", nn.Conv1d(3, 2, 3)), 3),
    "new name": (lambda net: setattr(net, "head", nn.Conv1d(3, 2, 3)), 4),
    "add_module": (lambda net: net.add_module("head", nn.Conv1d(3, 2, 3)), 4),
    "del": (lambda net: net.__delitem__(2), 2),
    "pop": (lambda net: net.pop(1), 2),
    "inside": (lambda net: net[2].__setitem__(1, nn.Conv1d(3, 3, 3, padding=1)), 3),
    "+=": (lambda net: net.__iadd__(nn.Sequential(nn.Conv1d(3, 3, 3))), 4),
}


@pytest.mark.parametrize("name", CHANGES)
@torch.no_grad()
def test_a_changed_container_is_laid_out_anew(name: str) -> None:
    net = sequential().eval()
    x = clip_of()
    streamed(net, x)
    change, size = CHANGES[name]
    change(net)
    net.eval()
    assert len(net) == size
    assert all(isinstance(part, co.CoModule) for part in net)
    wanted = x
    for part in net:
        wanted = part(wanted)
    assert torch.allclose(net(x), wanted, atol=1e-6)
    net.clean_state()
    assert torch.allclose(streamed(net, x), wanted, atol=1e-6)
    assert net.delay == sum(part.delay for part in net)


@torch.no_grad()
def test_sums_and_multiples_are_continual() -> None:
    net = sequential().eval()
    x = clip_of()
    more = co.Sequential(co.Conv1d(3, 2, 3))
    together = net + more
    assert type(together) is co.Sequential
    assert list(together) == [*net, *more]
    assert torch.allclose(streamed(together.eval(), x), more(net(x)), atol=1e-6)
    one = co.Sequential(co.Conv1d(2, 2, 3, padding=1)).eval()
    for thrice in (one * 3, 3 * one):
        assert type(thrice) is co.Sequential
        assert torch.allclose(streamed(thrice.eval(), x), one(one(one(x))), atol=1e-6)


def test_inserting_among_names() -> None:
    net = co.Sequential(OrderedDict(a=co.Conv1d(2, 2, 3), b=nn.ReLU()))
    net.insert(1, nn.Tanh()).append(nn.Sigmoid()).insert(-4, nn.ReLU6())
    assert list(net._modules) == ["4", "a", "2", "b", "3"]
    assert [type(part).__name__ for part in net] == ["ReLU6", "Conv1d", "Tanh", "ReLU", "Sigmoid"]
    assert net.eval().forward_steps(clip_of()).shape == (1, 2, 8)
    with pytest.raises(IndexError, match="no place 7"):
        net.insert(7, nn.Tanh())


@torch.no_grad()
def test_slices_and_items() -> None:
    net = sequential().eval()
    x = clip_of()
    head = net[:2]
    assert isinstance(head, co.Sequential)
    assert head[0] is net[0]
    assert torch.allclose(streamed(head, x), net[1](net[0](x)), atol=1e-6)
    assert net[-1] is net[2]
    assert [name for name, _ in net.named_children()] == ["0", "1", "2"]


@pytest.mark.parametrize("kind", [co.BroadcastReduce, co.Parallel])
@torch.no_grad()
def test_slices_are_joined_alike(kind: Any) -> None:
    net, x = kind(*(co.Conv1d(2, 2, 3) for _ in range(3)), aggregation="concat").eval(), clip_of()
    both = net[::2]
    assert type(both) is kind
    assert list(both._modules) == ["0", "2"]
    assert not both.training
    assert torch.equal(both(x), torch.cat([net[0](x), net[2](x)], 1))
    assert torch.allclose(streamed(both, x), both(x), atol=1e-6)
    assert net[0] is both[0]


@torch.no_grad()
def test_what_is_put_behind_a_slice_replaces_nothing() -> None:
    net = co.Sequential(*(co.Conv1d(2, 2, 1) for _ in range(3)))
    last = net[1:].append(nn.ReLU())
    assert list(last._modules) == ["1", "2", "3"]
    last += nn.Sequential(nn.Tanh())
    last *= 2
    assert [type(part).__name__ for part in last] == ["Conv1d", "Conv1d", "ReLU", "Tanh"] * 2


def test_branches_are_no_row() -> None:
    row, theirs = co.Sequential(nn.ReLU()), nn.Sequential(nn.ReLU())
    branches = co.BroadcastReduce(nn.ReLU(), nn.Tanh())
    assert type(theirs + row) is co.Sequential
    for mix in (
        lambda: row + branches,
        lambda: theirs + branches,
        lambda: branches + row,
        lambda: 2 * branches,
        lambda: operator.iadd(row, branches),
        lambda: operator.iadd(branches, branches),
        lambda: operator.imul(branches, 2),
    ):
        with pytest.raises(TypeError, match=r"`BroadcastReduce` are no row.* `extend`"):
            mix()
    assert len(branches.extend(theirs)) == 3
    with pytest.raises(ValueError, match="once or more, got 0"):
        row * 0
    row.add_module("1", None)
    with pytest.raises(ValueError, match="`1` is None"):
        row(clip_of())


@torch.no_grad()
def test_names_are_those_that_were_given() -> None:
    net = co.Sequential(OrderedDict([("a", nn.Conv1d(2, 2, 3)), ("b", nn.ReLU())]))
    assert list(net.state_dict()) == ["a.weight", "a.bias"]
    both = co.BroadcastReduce(OrderedDict([("left", net), ("right", co.Conv1d(2, 2, 3))]))
    assert next(iter(both.state_dict())) == "left.a.weight"
    assert both.left.a is net.a


def test_flat_state_dicts() -> None:
    net = co.Sequential(co.Sequential(OrderedDict(conv=nn.Conv1d(2, 2, 3))), nn.ReLU())
    assert list(net.state_dict()) == ["0.conv.weight", "0.conv.bias"]
    with co.flat_state_dict:
        flat = net.state_dict()
    assert list(flat) == list(net.state_dict(flatten=True)) == ["conv.weight", "conv.bias"]
    other = co.Sequential(co.Sequential(OrderedDict(conv=nn.Conv1d(2, 2, 3))))
    with co.flat_state_dict:
        other.load_state_dict(flat)
    assert torch.equal(other[0].conv.weight, net[0].conv.weight)
    with pytest.raises(ValueError, match="name the modules"):
        co.Sequential(nn.Conv1d(2, 2, 3), nn.Conv1d(2, 2, 3)).state_dict(flatten=True)


@torch.no_grad()
def test_a_module_in_two_containers_has_a_stream_in_each() -> None:
    conv = co.Conv1d(2, 2, 3).eval()
    one, other = co.Sequential(conv), co.Sequential(conv, nn.ReLU(), conv)
    x = clip_of()
    for t in range(5):
        one.forward_step(x[:, :, t])
    assert torch.allclose(streamed(other, x), conv(conv(x).relu()), atol=1e-6)
    assert torch.allclose(one.forward_steps(x[:, :, 5:]), conv(x)[:, :, 3:], atol=1e-6)
    assert conv.get_state() is None
    assert len(list(other.parameters())) == 2


@torch.no_grad()
def test_copies_mid_stream() -> None:
    net = sequential().eval()
    x = clip_of()
    net.forward_steps(x[:, :, :6])
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    copies = [
        copy.deepcopy(net),
        pickle.loads(pickle.dumps(net)),
        torch.load(file, weights_only=False),
    ]
    wanted = net.forward_steps(x[:, :, 6:], pad_end=True)
    for each in copies:
        assert torch.equal(each.forward_steps(x[:, :, 6:], pad_end=True), wanted)
    with_other = sequential()
    with_other.load_state_dict(net.state_dict())
    assert torch.equal(with_other.eval()(x), net(x))


@torch.no_grad()
def test_a_snapshot_of_a_container_is_a_value() -> None:
    net = sequential().eval()
    x = clip_of()
    net.forward_steps(x[:, :, :6])
    state = net.get_state()
    assert state is not None
    once = net.forward_steps(x[:, :, 6:])
    net.set_state(copy.deepcopy(state))
    assert torch.equal(net.forward_steps(x[:, :, 6:]), once)
    net.state = pickle.loads(pickle.dumps(state))
    assert torch.equal(net.forward_steps(x[:, :, 6:]), once)
    other = co.Sequential(co.Conv1d(2, 2, 9)).eval()
    with pytest.raises(ValueError, match="another network"):
        other.step(x[:, :, 0], state)


@torch.no_grad()
def test_another_batch_mid_stream_is_an_error() -> None:
    net = sequential().eval()
    net.forward_steps(clip_of(5))
    with pytest.raises(ValueError, match="batch of 1"):
        net.forward_step(torch.randn(2, 2))
    net.clean_state()
    net.forward_step(torch.randn(2, 2))


@torch.no_grad()
def test_going_on_after_an_end() -> None:
    net = sequential().eval()
    x = clip_of()
    net.forward_steps(x[:, :, :6], pad_end=True)
    assert torch.allclose(
        net.forward_steps(x[:, :, 6:], pad_end=True), net(x)[:, :, 6 - net.delay :], atol=1e-6
    )


def test_modes_of_torch() -> None:
    net = sequential()
    assert net.training
    assert not any(part.training for part in net.eval().modules())
    assert {each.dtype for each in net.to(torch.float64).parameters()} == {torch.float64}
    assert net(clip_of().double()).dtype == torch.float64
    with pytest.raises(ValueError, match=r"network is torch\.float16"):
        net.half().forward_step(torch.randn(1, 2))


@torch.no_grad()
def test_hooks_fire_at_layers_and_at_what_is_called() -> None:
    net = co.Sequential(
        OrderedDict(inner=co.Sequential(co.Conv1d(2, 2, 3), nn.ReLU()), own=co.Residual(nn.Tanh()))
    ).eval()
    fired: list[str] = []
    for name, module in net.named_modules():
        module.register_forward_hook(lambda *_, name=name: fired.append(name))
    x, layers = clip_of(3), ["inner.0", "inner.1", "own.1"]
    net(x)
    assert [name for name in fired if name != "own.0"] == [*layers, ""]
    fired.clear()
    net.forward_steps(x)
    assert [name for name in fired if name != "own.0"] == layers
    fired.clear()
    net.inner(x)
    assert fired == ["inner.0", "inner.1", "inner"]


@torch.no_grad()
def test_calls_follow_the_mode_and_hooks_fire() -> None:
    net = sequential().eval()
    x = clip_of()
    seen: list[Any] = []
    net.register_forward_hook(lambda module, given, y: seen.append(None if y is None else y.shape))
    net[0].register_forward_hook(lambda *_: seen.append("part"))
    wanted = net(x)
    with co.call_mode("forward_steps"):
        assert torch.allclose(net(x, pad_end=True), wanted, atol=1e-6)
    net.clean_state()
    net.call_mode = "forward_step"
    assert net[2].call_mode == "forward_step"
    assert net(x[:, :, 0]) is None
    net.call_mode = "forward"
    assert torch.equal(net(x), wanted)
    assert seen.count("part") == 4
    own = [each for each in seen if each != "part"]
    assert own == [wanted.shape, wanted.shape, None, wanted.shape]
    with pytest.raises(ValueError, match="call mode"):
        net.call_mode = "sideways"


def test_the_names() -> None:
    assert set(co.__all__) <= set(dir(co))
    assert all(getattr(co, name) is not None for name in dir(co))
    assert "Any" not in dir(co)
    with pytest.raises(AttributeError, match=r"`codsl\.nn` has no `Conv4d`"):
        co.Conv4d  # noqa: B018


def test_gradients_are_those_of_the_clip() -> None:
    net = sequential().double()
    randomise(net, 1)
    net.eval()
    x = clip_of().double()

    def gradients(y: Tensor) -> list[Tensor]:
        net.zero_grad()
        (y * torch.arange(y.numel()).reshape(y.shape)).sum().backward()
        return [each.grad.clone() for each in net.parameters()]

    wanted = gradients(net(x))
    net.clean_state()
    found = gradients(net.forward_steps(x, pad_end=True))
    assert all(torch.allclose(a, b) for a, b in zip(wanted, found, strict=True))


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.late = nn.Conv1d(3, 3, 4)
        self.slow = nn.Conv1d(3, 3, 7, stride=2, padding=5)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.late(x), self.slow(x)


def test_numbers_of_several_outputs_are_the_most_of_theirs() -> None:
    parts = co.Parallel(co.Conv1d(3, 3, 4), co.Conv1d(3, 3, 7, stride=2, padding=5))
    for made in (co.Sequential(co.Broadcast(2), parts), co.continual(Two())):
        assert (made.receptive_field, made.delay) == (7, 3)
        assert (made.stride, made.padding) == ((2,), (5,))


def test_an_endless_past_is_no_padding() -> None:
    assert co.Sequential(co.Conv1d(3, 3, 3, padding=1), co.GRU(3, 4)).padding == (0,)
