"""Mistakes with slots are said, and change no row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from remembering import remembering

if TYPE_CHECKING:
    from codsl.nn.running.stream import Slots
from slot_networks import KINDS, noise, of
from slot_streams import equal, run, uneven

pytestmark = pytest.mark.usefixtures("remembering")
__all__ = ["remembering"]


def joined(**options: Any) -> Slots:
    slots = of(*KINDS["zeros"]).stream(4, **options)
    slots.join()
    slots.join()
    return slots


MISTAKES: dict[str, tuple[Any, str]] = {
    "unknown row": (lambda s: s.step(torch.zeros(1, 2).double(), [4]), "no row 4: rows go from 0"),
    "negative row": (lambda s: s.reset([-1]), "no row -1"),
    "row not joined": (lambda s: s.step(torch.zeros(1, 2).double(), [2]), "row 2 has not joined"),
    "row that left": (lambda s: (s.leave(1), s.leave(1)), "row 1 has not joined"),
    "row to save": (lambda s: s.save(3), "row 3 has not joined"),
    "row to load": (lambda s: s.load(3, s.save(0)), "row 3 has not joined"),
    "row to flush": (lambda s: s.flush([0, 2]), "row 2 has not joined"),
    "twice": (lambda s: s.step(torch.zeros(2, 2).double(), [1, 1]), "row 1 is given twice"),
    "full": (lambda s: [s.join() for _ in range(3)], "all 4 slots are taken"),
    "batch": (lambda s: s.step(torch.zeros(3, 2).double()), "2 rows, and frames for 3"),
    "batch of rows": (lambda s: s.step(torch.zeros(2, 2).double(), [1]), "1 rows?, and frames"),
    "dtype": (lambda s: s.step(torch.zeros(2, 2)), r"float64 on cpu, a frame is torch\.float32"),
    "device": (
        lambda s: s.step(torch.zeros(2, 2, dtype=torch.float64, device="meta")),
        "a frame is torch.float64 on meta",
    ),
    "shape": (lambda s: s.step(torch.zeros(2, 3).double()), "B x 2, got one of shape"),
    "several states": (
        lambda s: s.load(0, of(*KINDS["zeros"]).init_state(2)),
        "the state of one stream, got one of 2",
    ),
    "a state of another dtype": (
        lambda s: s.load(0, of(*KINDS["zeros"]).init_state(1, torch.float32)),
        r"the stream is torch\.float64, the state is torch\.float32",
    ),
    "a state of another network": (
        lambda s: s.load(0, of(*KINDS["window"]).init_state(1)),
        "of another network: .*conv",
    ),
    "no slots": (lambda s: of("relu").stream(0), "one slot or more, got 0"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_are_said_and_change_nothing(what: str) -> None:
    mistake, words = MISTAKES[what]
    slots, other = joined(), joined()
    run(slots, noise(5, 2))
    run(other, noise(5, 2))
    with pytest.raises(ValueError, match=words):
        mistake(slots)
    if what == "row that left":
        other.leave(1)
    if what == "full":
        other.join()
        other.join()
    assert slots.frames == other.frames
    rows = list(slots.rows)
    assert equal(run(slots, noise(9, len(rows))), run(other, noise(9, len(rows))))


@pytest.mark.parametrize(
    ("rows", "words"), [(1, "rows are several"), ("ab", "integer"), ([0.5], "integer")]
)
def test_rows_are_numbers(rows: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        joined().step(torch.zeros(1, 2).double(), rows)
    with pytest.raises(TypeError, match="a state is what"):
        joined().load(0, rows)


def test_rows_may_come_as_a_tensor() -> None:
    slots, other = joined(), joined()
    assert equal(run(slots, noise(6, 2), torch.tensor([1, 0])), run(other, noise(6, 2), [1, 0]))


def test_a_step_that_fails_changes_no_row() -> None:
    """Though rows of another phase were computed before it failed."""
    net = of(*KINDS["stride"])
    slots, other = uneven(net, (40, 41)), uneven(net, (40, 41))
    calls = []

    def fail(module: Any, inputs: Any) -> None:
        calls.append(module)
        if len(calls) == 2:
            raise MemoryError("no room")

    first = next(module for module in net.modules() if isinstance(module, torch.nn.Conv1d))
    handle = first.register_forward_pre_hook(fail)
    with pytest.raises(MemoryError):
        run(slots, noise(4, 2))
    handle.remove()
    done = slots.frames[0] - 40
    assert slots.frames == {0: 40 + done, 1: 41 + done}
    run(other, noise(4, 2)[:, :, :done])
    assert equal(run(slots, noise(9, 2, 3)), run(other, noise(9, 2, 3)))
