"""What modules with a step of their own remember, as part of a state."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from own_steps import OWN, Growing, Sum, near
from states import on_file, refusals, same
from torch import Tensor

import codsl.nn as co
from codsl.nn import State
from codsl.nn.running.tree import tensors


def own(kind: str) -> Any:
    torch.manual_seed(4)
    net = co.Sequential(*OWN[kind]()).eval()
    net.forward_steps(noise(1))
    net.reset()
    return net


def noise(frames: int, batch: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(frames)
    return torch.randn(batch, 2, frames, generator=generator, dtype=torch.float64)


SAVED = [kind for kind in OWN if kind not in ("strided", "opaque")]


@pytest.mark.parametrize("frames", [0, 1, 2, 5, 13])
@pytest.mark.parametrize("kind", SAVED)
def test_what_modules_with_a_step_remember_is_saved(kind: str, frames: int, tmp_path: Path) -> None:
    net, other = own(kind), own(kind)
    x = noise(30)
    with torch.no_grad():
        net.forward_steps(x[:, :, :frames])
        state = net.get_state()
        found = on_file(state, tmp_path)
        assert found.filed
        assert not state.filed
        assert [name for name, _ in found.others] == [name for name, _ in state.others]
        assert all(map(torch.equal, tensors(found.others), tensors(state.others)))
        other.set_state(found)
        wanted = net.forward_steps(x[:, :, frames:], pad_end=True)
        assert torch.equal(other.forward_steps(x[:, :, frames:], pad_end=True), wanted)
        assert not other.get_state().filed
        slots = other.stream(2)
        assert slots.join() == 0
        net.set_state(None)
        net.forward_steps(x[:1, :, :frames])
        slots.load(0, on_file(net.get_state(), tmp_path))
        for t in range(frames, 30):
            y = net.forward_steps(x[:1, :, t : t + 1])
            found, due = slots.step(x[:1, :, t])
            assert bool(due[0]) == (y is not None)
            if y is not None:
                own_y = found.unsqueeze(2) if found.dim() == 2 else found[:, :, : int(due[0])]
                assert torch.equal(own_y, y)
        slots.save(0).save(tmp_path / "row")
        assert same(State.load(tmp_path / "row"), slots.save(0))


@pytest.mark.parametrize("kind", ["strided", "opaque"])
def test_what_no_file_can_say_is_refused(kind: str, tmp_path: Path) -> None:
    net = own(kind)
    word = {"strided": "Kept", "opaque": "Opaque"}[kind]
    if kind == "opaque":
        with pytest.raises(ValueError, match="Opaque that a module remembers cannot be copied"):
            net.forward_steps(noise(9))
        net.reset()
    with torch.no_grad():
        net.forward_steps(noise(9))
    with pytest.raises(ValueError, match=f":state` is a {word}, which cannot be saved: tensors"):
        net.get_state().save(tmp_path / "x")
    assert not list(tmp_path.iterdir())


def filed(net: Any, tmp_path: Path, frames: int = 9) -> State:
    net.reset()
    net.forward_steps(noise(frames))
    return on_file(net.get_state(), tmp_path)


UNLIKE = {
    "size": (Sum(3, kind="wide"), "`1:state.0` is 2 x 2 x 3 of float64, here 2 x 4 x 3 of float64"),
    "kind": (Sum(3, kind="dict"), "`1:state` is tuple of 0, 1, here dict of past, frame"),
    "nothing": (Sum(3, kind="none"), "`1:state` is tuple of 0, 1, here nothing"),
}


@pytest.mark.parametrize("what", UNLIKE)
@torch.no_grad()
def test_what_another_module_remembered_is_refused(what: str, tmp_path: Path) -> None:
    """The network is the same by its fingerprint, which knows classes but no settings."""
    module, words = UNLIKE[what]
    net, other = (co.Sequential(near(), each, near()).eval() for each in (Sum(3), module))
    for each in (net, other):
        each.forward_steps(noise(1))
        each.reset()
    assert net.graph.fingerprint == other.graph.fingerprint
    state = filed(net, tmp_path)
    with pytest.raises(ValueError, match=f"of another network: {words}"):
        other.set_state(state)
    slots = other.stream(1)
    slots.join()
    with pytest.raises(ValueError, match=f"of another network: {words}"):
        slots.load(0, state)
    with pytest.raises(ValueError, match=f"of another network: {words}"):
        other.step(noise(1)[:, :, 0], state)
    assert other.get_state() is None
    net.set_state(state)


@torch.no_grad()
def test_endless_states_are_compared_but_for_what_may_grow(tmp_path: Path) -> None:
    net = co.Sequential(Growing()).eval()
    state = filed(net, tmp_path, 200)
    net.set_state(state)
    assert net.forward_step(noise(1)[:, :, 0]) is not None
    other = co.Sequential(Growing("list")).eval()
    other.forward_steps(noise(1))
    other.reset()
    with pytest.raises(ValueError, match="`0:state` is 2 x 2 x 200 of float64, here list of 0"):
        other.set_state(state)


def test_an_endless_module_has_to_state_its_delay() -> None:
    class Unsaid(Growing):
        delay = co.CoModule.delay

    with pytest.raises(ValueError, match="`Unsaid` has an endless receptive field, and has to say"):
        co.Sequential(Unsaid())(noise(3))


@torch.no_grad()
def test_what_is_missing_on_file_is_told(tmp_path: Path) -> None:
    net = own("tuple")
    state = filed(net, tmp_path)
    with pytest.raises(ValueError, match="`1:state` is nothing, here tuple of 0, 1"):
        net.set_state(replace(state, others=()))
    with pytest.raises(ValueError, match="`more` is not here"):
        net.set_state(replace(state, others=(*state.others, ("more", None))))


def test_states_of_modules_with_a_step_are_copied_and_moved() -> None:
    net = own("a state of codsl's")
    net.forward_steps(noise(9))
    state = net.get_state()
    places = {each.data_ptr() for each in tensors(state.others) if each.numel()}
    assert len(places) > 1
    for again in (State.copy, copy.deepcopy):
        others = [each for each in tensors(again(state).others) if each.numel()]
        assert len(others) == len(places)
        assert not places & {each.data_ptr() for each in others}
    there = state.to("meta")
    ((_, inner),) = there.others
    assert inner.device == torch.device("meta")
    assert {each.device for each in tensors(there.others)} == {there.device}


@pytest.mark.parametrize("seed", range(3))
def test_a_changed_byte_in_what_modules_remember_is_a_plain_error(
    seed: int, tmp_path: Path
) -> None:
    net = own("a state of codsl's")
    net.forward_steps(noise(9))
    assert refusals(net, net.get_state(), 150, random.Random(seed), tmp_path) > 75
