"""How times go together: one node behind another, and several where they meet."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import inf, isinf, lcm

from codsl.algebra.period import Phase, Time

MOST = 1024
"""Outputs in one period at most."""


class Disagreement(ValueError):
    """Sequences that cannot meet; `kind` is `stride` or `length`."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"their {kind}s over time differ")
        self.kind = kind


class Unsteady(ValueError):
    """More than `MOST` outputs until a pattern repeats itself."""


def compose(first: Time, then: Time) -> Time:
    """The time of `then` reading what `first` gives; may raise `Unsteady`."""
    if first.steady and then.steady:
        return _steadily(first, then)
    items = lcm(len(first.phases), then.period)
    outputs = _at_most(len(then.phases) * (items // then.period))
    look = 1 if first.orderly else len(first.phases)
    phases = tuple(_through(first, then.output(j), then.spacing, look) for j in range(outputs))
    return Time(first.period * (items // len(first.phases)), phases).shortened()


def _steadily(first: Time, then: Time) -> Time:
    """Where neither upsamples: strides multiply, and what counts items counts `period` frames."""
    (frame,), (item,) = first.phases, then.phases
    period = first.period
    phase = Phase(
        frame.oldest + period * item.oldest,
        frame.newest + period * item.newest,
        frame.due + period * item.due,
        frame.first + period * (item.first - 1),
    )
    return Time(period * then.period, (phase,))


def _through(first: Time, item: Phase, spacing: int, look: int) -> Phase:
    """An output that reads items of `first`, in the frames that those come from.

    One of its `look` oldest items has the oldest frame, and of its newest the newest.
    """
    oldest, newest = _reach(first, item, spacing, look)
    return Phase(oldest, newest, first.output(item.due).due, first.output(item.first - 1).first)


def _reach(first: Time, item: Phase, spacing: int, look: int) -> tuple[float, int]:
    if item.blind:
        newest = first.output(item.newest).newest
        return newest + 1, newest
    endless = isinf(item.oldest)
    start = item.newest - look if endless else int(item.oldest)
    items = range(start, item.newest + 1, spacing)
    oldest, newest = _union(first.output(each) for each in (*items[:look], *items[-look:]))
    return -inf if endless and oldest <= newest else oldest, newest


def _union(outputs: Iterable[Phase]) -> tuple[float, int]:
    """The oldest and the newest frame that any of some outputs depends on."""
    every = list(outputs)
    seeing = [each for each in every if not each.blind] or every[-1:]
    return min(each.oldest for each in seeing), max(each.newest for each in seeing)


def join(times: Sequence[Time]) -> Time:
    """The time of a node whose output `j` is made of every input's `j`.

    Raises `Disagreement` where the strides differ, or the lengths do for every clip, and may raise
    `Unsteady`.
    """
    if len(times) == 1:
        return times[0]
    if len({time.stride for time in times}) > 1:
        raise Disagreement("stride")
    outputs = _at_most(lcm(*(len(time.phases) for time in times)))
    rows = [[time.output(j) for time in times] for j in range(-1, outputs)]
    if not any(_latest(before) < min(each.first for each in row) for before, row in pairwise(rows)):
        raise Disagreement("length")
    phases = (Phase(*_union(row), max(each.due for each in row), _latest(row)) for row in rows[1:])
    period = times[0].period * (outputs // len(times[0].phases))
    return Time(period, tuple(phases)).shortened()


def _latest(row: Sequence[Phase]) -> int:
    """The shortest clip that has an output of every input."""
    return max(each.first for each in row)


def _at_most(outputs: int) -> int:
    if outputs > MOST:
        raise Unsteady(f"more than {MOST} outputs until the pattern repeats itself")
    return outputs
