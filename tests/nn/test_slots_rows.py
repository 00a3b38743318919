"""Rows of slots: what joins and leaves, what is kept and given, and where one goes on."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest
import torch
from remembering import remembering

import forked
from codsl.nn import State
from codsl.nn.running.work import Late

if TYPE_CHECKING:
    from pathlib import Path

    from codsl.nn.running.stream import Slots
from slot_networks import KINDS, conv, noise, of
from slot_streams import close, equal, run, uneven

pytestmark = pytest.mark.usefixtures("remembering")
__all__ = ["remembering"]


def test_rows_of_unlike_frames_are_one_batch() -> None:
    """However many they are, there are as many runs as a turn has frames."""
    for layers, runs in ((KINDS["zeros"], 1), (KINDS["stride"], 4)):
        net = of(*layers)
        slots = uneven(net, tuple(range(10)))
        seen: list[int] = []
        first = next(module for module in net.modules() if isinstance(module, torch.nn.Conv1d))
        first.register_forward_hook(lambda module, inputs, y, seen=seen: seen.append(len(y)))
        slots.step(noise(1, 10)[:, :, 0])
        assert seen == [10] if runs == 1 else len(seen) < runs
        groups = slots._groups(slots.rows)
        assert len(groups) == runs
        assert any(isinstance(late, Late) for _, _, late in groups)


def test_slots_are_written_in_place() -> None:
    slots = uneven(of(*KINDS["all"]), (0, 3, 9))
    places = [tensor.data_ptr() for tensor in slots._kept.tensors]
    run(slots, noise(9, 3))
    run(slots, noise(9, 2), [2, 0])
    slots.reset()
    slots.leave(1)
    slots.join()
    assert [tensor.data_ptr() for tensor in slots._kept.tensors] == places
    assert slots.bytes == sum(t.numel() * t.element_size() for t in slots._kept.tensors)


def test_neither_frames_nor_outputs_are_kept() -> None:
    net = of(*KINDS["residual"])
    one, other = uneven(net, (0, 3, 30)), uneven(net, (0, 3, 30))
    x = noise(9, 3)
    wanted = run(one, x)
    with torch.no_grad():
        for t in range(9):
            frame = x[:, :, t].clone()
            y, _ = other.step(frame)
            assert torch.equal(y, wanted[t][0])
            frame.fill_(torch.nan)
            y.fill_(torch.nan)


def test_a_join_is_the_lowest_free_row() -> None:
    slots = of("relu").stream(3)
    assert [slots.join(), slots.join(), slots.join()] == [0, 1, 2]
    slots.leave(1)
    slots.leave(0)
    assert slots.rows == (2,)
    assert repr(slots) == "Slots(1 of 3 taken)"
    assert slots.join() == 0
    assert slots.frames == {0: 0, 2: 0}


def test_no_rows_are_no_mistake() -> None:
    slots = of(*KINDS["zeros"]).stream(2)
    y, due = slots.step(torch.zeros(0, 2).double())
    assert (y.shape, due.shape) == ((0, 2), (0,))
    assert (y.dtype, due.dtype) == (torch.float64, torch.bool)
    assert slots.flush() == []


def test_where_nothing_is_due_there_are_zeros() -> None:
    slots = uneven(of(*KINDS["window"]), (0, 4, 3))
    y, due = slots.step(noise(1, 3)[:, :, 0])
    assert due.tolist() == [False, True, False]
    assert y[1].all()
    assert not y[[0, 2]].any()


def test_flush_leaves_the_streams_as_they_are() -> None:
    net = of(*KINDS["all"])
    one, other = uneven(net, (2, 7, 31)), uneven(net, (2, 7, 31))
    ends = other.flush([2, 0, 1])
    assert [end is None for end in ends] == [False] * 3
    for row, end in zip((2, 0, 1), ends, strict=True):
        assert torch.equal(other.flush([row])[0], end)
    assert equal(run(other, noise(9, 3)), run(one, noise(9, 3)))


GO_ON = """
import sys, torch
from codsl.nn import State
sys.path[:0] = sys.argv[2:]
torch.set_num_threads(1)
folder = sys.argv[1]
net, x = torch.load(f"{folder}/net", weights_only=False)
slots = net.stream(3)
rows = [slots.join() for _ in range(3)]
slots.load(1, State.load(f"{folder}/row"))
with torch.no_grad():
    ys = [slots.step(x[:, :, t], [1]) for t in range(x.shape[2])]
slots.save(1).save(f"{folder}/end")
torch.save(ys, f"{folder}/ys")
"""


@pytest.mark.parametrize("frames", [3, 40])
def test_a_row_goes_on_in_another_process_bit_for_bit(frames: int, tmp_path: Path) -> None:
    net = of(*KINDS["strided join"], *KINDS["replicate"])
    slots = uneven(net, (2, frames, 31))
    x = noise(11, 1, 8)
    torch.save((net, x), tmp_path / "net")
    slots.save(1).save(tmp_path / "row")
    wanted = run(slots, x, [1])
    forked.done(forked.program, GO_ON, str(tmp_path)).check_returncode()
    assert equal(torch.load(tmp_path / "ys"), wanted)
    end, here = State.load(tmp_path / "end"), slots.save(1)
    assert end.frame == here.frame == frames + 11
    assert all(map(torch.equal, end.tensors, here.tensors))


@pytest.mark.parametrize("kind", ["window", "replicate", "strided join", "minus infinity", "crop"])
def test_replaying_its_frames_rebuilds_a_row(kind: str) -> None:
    """All frames give its state; the last of them, as many as the field reaches, its outputs."""
    net = of(*KINDS[kind])
    past = noise(50, 1)
    slots = net.stream(4)
    rows = [slots.join() for _ in range(4)]
    run(slots, past, rows[:1])
    run(slots, past, rows[1:2])
    whole = zip(slots.save(0).tensors, slots.save(1).tensors, strict=True)
    assert all(torch.equal(a, b) for a, b in whole)
    cycle = net.graph.cycle
    times = [net.graph.times[outlet.value] for outlet in net.graph.outputs]
    needed = max(int(time.past + time.delay) for time in times)
    needed += -(needed - 50) % cycle.turn
    needed += (50 - needed) % cycle.turn
    run(slots, past[:, :, 50 - needed :], rows[2:3])
    ahead = noise(20, 1, 5).expand(3, -1, -1)
    for y, due in run(slots, ahead, rows[:3]):
        assert due[0] == due[1] == due[2]
        torch.testing.assert_close(y[1:], y[:1].expand_as(y[1:]), rtol=1e-12, atol=1e-12)


def test_a_row_takes_the_state_of_a_stream_and_gives_it_back() -> None:
    net = of(*KINDS["all"])
    x = noise(20, 1)
    with torch.no_grad():
        net.forward_steps(x[:, :, :7])
        slots = net.stream(2)
        slots.join()
        slots.load(0, net.get_state())
        steps = run(slots, x[:, :, 7:13])
        net.set_state(slots.save(0))
        rest = net.forward_steps(x[:, :, 13:], pad_end=True)
        due = [y.unsqueeze(2) for y, said in steps if said]
        whole = net(x)
    found = torch.cat([*due, rest], 2)
    close(found, whole[:, :, -found.shape[2] :])


def _pickled(slots: Slots) -> Any:
    return pickle.loads(pickle.dumps(slots))


@pytest.mark.parametrize("again", [copy.deepcopy, _pickled])
def test_a_copy_of_slots_goes_on_alone(again: Any) -> None:
    slots = uneven(of(*KINDS["zeros"], *KINDS["cut"]), (2, 9, 31))
    other = again(slots)
    x = noise(9, 3)
    assert equal(run(other, x), run(slots, x))
    other.reset()
    assert slots.frames == {0: 11, 1: 18, 2: 40}


def test_slots_made_or_run_in_inference_mode() -> None:
    net = of(*KINDS["all"])
    wanted = run(uneven(net, (0, 4, 33)), noise(9, 3))
    with torch.inference_mode():
        slots = net.stream(3)
    for row, frames in enumerate((0, 4, 33)):
        slots.join()
        run(slots, noise(frames, 1, row), [row])
    x = noise(9, 3)
    found = run(slots, x[:, :, :4])
    with torch.inference_mode():
        found += [slots.step(x[:, :, t]) for t in range(4, 9)]
    assert equal(found, wanted)
    run(slots, x)


def test_gradients_of_a_step_reach_the_weights_and_end_there() -> None:
    net = of(*KINDS["all"]).train()
    slots = uneven(net, (3, 9))
    for t in range(6):
        y, _ = slots.step(noise(6, 2)[:, :, t])
    y.sum().backward()
    assert all(weight.grad is not None for weight in net.parameters())
    assert not any(tensor.requires_grad for tensor in slots._kept.tensors)


def test_slots_have_a_dtype_and_a_device() -> None:
    slots = of("relu", conv(3)).stream(2, dtype=torch.float32, device="cpu")
    state = slots._kept
    assert (state.dtype, state.device) == (torch.float32, torch.device("cpu"))
    assert of("relu", dtype=torch.float16).stream(1)._kept.dtype == torch.float16
    assert of(conv(3)).stream(1, device="meta")._kept.tensors[0].device.type == "meta"
