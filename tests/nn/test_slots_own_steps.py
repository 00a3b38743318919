"""Modules with a step of their own in slots: each row has a state of its own there too."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest
import torch
from own_steps import OWN, Sum, near
from remembering import remembering
from slot_networks import noise
from slot_streams import agree, close, equal, hold_apart, run

import codsl.nn as co
from codsl.nn.running.tree import tensors

pytestmark = pytest.mark.usefixtures("remembering")
__all__ = ["remembering"]


def by_hand(kind: str) -> Any:
    torch.manual_seed(4)
    net = co.Sequential(*OWN[kind]()).eval()
    net.forward_steps(noise(1, 1))
    net.reset()
    return net


@pytest.mark.parametrize("kind", OWN)
def test_modules_with_a_step_of_their_own_run_in_slots(kind: str) -> None:
    net = by_hand(kind)
    hits: Counter[str] = Counter()
    for seed in range(2):
        hits += agree(net, seed)
    assert hits["outputs"] > 20
    assert not hits["late"]
    assert hits["ends"] > 2 or kind in ("tuple", "time first", "opaque", "below several")
    own = [module for module in net.modules() if isinstance(module, Sum)]
    together = {size for module in own for size in module.calls}
    assert max(together, default=2) > 1 or kind in ("time first", "opaque")
    assert together <= {0, 1, 2, 3} or kind not in ("time first", "opaque")


@pytest.mark.parametrize("kind", OWN)
def test_what_is_wrong_in_one_row_stays_there_in_modules_with_a_step(kind: str) -> None:
    hold_apart(by_hand(kind))


def test_modules_that_do_not_know_their_frames_take_memory_with_the_first() -> None:
    net = co.Sequential(near(), Sum(3), near(5)).eval()
    slots, other = net.stream(2), net.stream(2)
    row = slots.join()
    assert other.join() == row == 0
    for ask in (lambda: slots.save(0), slots.flush, lambda: slots.bytes):
        with pytest.raises(ValueError, match="not known before the first input"):
            ask()
    slots.reset()
    with pytest.raises(ValueError, match="there are 1 rows, and frames for 3"):
        slots.step(noise(1, 3)[:, :, 0])
    x = noise(12, 1)
    found = run(slots, x)
    with torch.no_grad():
        for t in range(12):
            y = net.forward_step(x[:, :, t])
            assert bool(found[t][1]) == (y is not None)
            if y is not None:
                close(found[t][0], y)
    with pytest.raises(ValueError, match="channels"):
        slots.step(torch.zeros(1, 3).double())
    assert slots.frames == {0: 12}


def test_rows_of_modules_without_tensors_are_like_their_first_frame() -> None:
    slots = co.Sequential(co.Delay(2), co.Identity()).stream(1)
    slots.join()
    slots.step(torch.zeros(1, 2).double())
    assert slots._kept.dtype == torch.float64
    with pytest.raises(ValueError, match="of another network"):
        slots.step(torch.zeros(1, 3).double())


def test_containers_that_change_elsewhere_do_not_end_a_stream() -> None:
    """Layouts are made anew then."""
    net = by_hand("padded")
    slots, other = net.stream(1), net.stream(1)
    assert slots.join() == other.join() == 0
    x = noise(8, 1)
    wanted = run(other, x)
    found = run(slots, x[:, :, :5])
    co.Sequential(co.Identity())
    assert equal([*found, *run(slots, x[:, :, 5:])], wanted)
    net.append(near())
    with pytest.raises(ValueError, match="of another network"):
        slots.step(x[:, :, 0])


@pytest.mark.parametrize("kind", [kind for kind in OWN if kind != "below several"])
def test_states_move_between_slots_and_streams_of_their_own(kind: str) -> None:
    net = by_hand(kind)
    x = noise(20, 1)
    with torch.no_grad():
        whole = net(x)
        net.forward_steps(x[:, :, :7])
        slots = net.stream(2)
        assert (slots.join(), slots.join()) == (0, 1)
        run(slots, noise(4, 1), [0])
        slots.load(1, net.get_state())
        for t in range(7, 13):
            slots.step(torch.cat([noise(1, 1, t)[:, :, 0], x[:, :, t]]), [0, 1])
        net.set_state(slots.save(1))
        slots.step(x[:, :, 0], [1])
        rest = net.forward_steps(x[:, :, 13:], pad_end=True)
    close(rest, whole[:, :, -rest.shape[2] :])


def test_gradients_of_own_steps_end_with_a_step_in_eval() -> None:
    net = by_hand("tuple")
    slots = net.stream(2)
    assert (slots.join(), slots.join()) == (0, 1)
    for frame in noise(9, 2).unbind(2):
        y, _ = slots.step(frame)
    y.sum().backward()
    assert all(weight.grad is not None for weight in net.parameters())
    for frame in noise(9, 2).unbind(2):
        net.forward_step(frame)
    for state in (net.get_state(), slots.save(1)):
        assert any(each.numel() for each in tensors(state.others))
        assert not any(each.requires_grad for each in tensors(state))
    net.train()
    for frame in noise(9, 2).unbind(2):
        net.forward_step(frame)
    assert any(each.requires_grad for each in tensors(net.get_state().others))
    again = copy.deepcopy(net.get_state())
    assert not any(each.requires_grad for each in tensors(again))


def test_bytes_count_what_modules_with_a_step_remember() -> None:
    net = by_hand("tuple")
    slots = net.stream(2)
    before = slots.bytes
    slots.join()
    run(slots, noise(9, 1))
    assert slots.bytes == before + 2 * 4 * 8
    assert slots.save(0).bytes == before // 2 + 2 * 4 * 8
    slots.leave(0)
    assert slots.bytes == before


def test_a_module_that_breaks_its_word_is_told_in_slots() -> None:
    class Early(Sum):
        @property
        def delay(self) -> int:
            return 1

    slots = co.Sequential(near(), Early(3)).eval().stream(2)
    assert (slots.join(), slots.join()) == (0, 1)
    with pytest.raises(ValueError, match="`1` declares that 1 outputs are due, but its step gave"):
        run(slots, noise(3, 2))
    assert slots.frames == {0: 2, 1: 2}
