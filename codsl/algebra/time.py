"""When a node sees what, and when it speaks: every formula of time stands here, once.

A node's time is relative to the frames that enter it. Its users compose and join times, ask
what is emitted, read and kept, and look at the named numbers; none of them calculates with these.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import inf, isinf, lcm

from codsl.algebra.extent import Window

MOST = 1024
"""Outputs in one period at most."""


@dataclass(frozen=True, slots=True)
class Phase:
    """An output: it depends on frames `oldest` to `newest`, comes out of a stream at frame `due`,
    and `first` frames are the shortest clip that has it."""

    oldest: float = 0
    newest: int = 0
    due: int = 0
    first: int = 1

    def later(self, frames: int) -> "Phase":
        """The output that is the same some frames later."""
        return Phase(
            self.oldest + frames, self.newest + frames, self.due + frames, self.first + frames
        )


@dataclass(frozen=True, slots=True)
class Time:
    """All about a node's time, in input frames: its outputs repeat themselves every `period`.

    Output `j + len(phases)` is output `j`, `period` frames later. Without upsampling there is one
    phase, and the period is the stride.
    """

    period: int = 1
    phases: tuple[Phase, ...] = (Phase(),)

    def output(self, index: int) -> Phase:
        """Output `index`, which may be negative."""
        if len(self.phases) == 1:
            return self.phases[0].later(index * self.period)
        turns, phase = divmod(index, len(self.phases))
        return self.phases[phase].later(turns * self.period)

    @property
    def stride(self) -> int | Fraction:
        """Input frames per output; less than one where there are more outputs than frames."""
        stride = Fraction(self.period, len(self.phases))
        return stride.numerator if stride.denominator == 1 else stride

    @property
    def past(self) -> float:
        """Frames that an output reaches back from its own at most, `floor(j * stride)`."""
        return max(self._own(j) - phase.oldest for j, phase in enumerate(self.phases))

    @property
    def ahead(self) -> int:
        """Frames that an output reaches beyond its own at most."""
        return max(phase.newest - self._own(j) for j, phase in enumerate(self.phases))

    @property
    def delay(self) -> int:
        """Frames that an output comes later than its own at most; the first one's frame."""
        return max(phase.due - self._own(j) for j, phase in enumerate(self.phases))

    @property
    def receptive_field(self) -> float:
        """Frames from the oldest to the newest that one output depends on; may be `inf`."""
        return max(phase.newest - phase.oldest + 1 for phase in self.phases)

    @property
    def offset(self) -> int:
        """Frames that the end of a period comes early: without upsampling, `T` frames give
        `floor((T + offset) / stride)` outputs."""
        return self.period - self.phases[-1].first

    @property
    def shortest(self) -> int:
        """The least number of frames, one or more, that gives an output."""
        return max(1, self.phases[0].first)

    @property
    def pointwise(self) -> bool:
        """Whether output `j` is made of one frame, `j * stride`, and of no other."""
        return len(self.phases) == 1 and self.past == 0 == self.ahead

    @property
    def bursts(self) -> bool:
        """Whether two outputs come with the same frame."""
        dues = [phase.due for phase in (*self.phases, self.output(len(self.phases)))]
        return len(set(dues)) < len(dues)

    def _own(self, index: int) -> int:
        return index * self.period // len(self.phases)


class Disagreement(ValueError):
    """Sequences that cannot meet; `kind` is `stride` or `length`."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"their {kind}s over time differ")
        self.kind = kind


class Unsteady(ValueError):
    """More than `MOST` outputs until a pattern repeats itself."""


def steady(
    stride: int = 1, past: float = 0, ahead: int = 0, delay: int = 0, offset: int = 0
) -> Time:
    """The time of a node without upsampling, by a few integers.

    Output `j` depends on frames `j*stride - past` to `j*stride + ahead`, comes out of a stream at
    frame `j*stride + delay`, and a clip of `T` frames gives `floor((T + offset) / stride)` outputs.
    """
    return Time(stride, (Phase(-past, ahead, delay, stride - offset),))


def sees(window: Window) -> Time:
    """The time of a window that slides over its input and the padding at its ends."""
    ahead = window.reach - window.before
    return steady(window.stride, window.before, ahead, ahead, window.offset)


def waits(frames: int) -> Time:
    """The time of a pure delay: it looks at nothing else, and a clip passes unchanged."""
    return steady(delay=frames)


def crops(front: int, back: int) -> Time:
    """The time of leaving out frames at either end.

    That a frame is not among the last `back` is known only `back` frames later.
    """
    return steady(past=-front, ahead=front, delay=front + back, offset=-front - back)


def remembers() -> Time:
    """The time of a carried state: an output depends on all frames up to its own."""
    return steady(past=inf)


def spreads(factor: int, window: Window, extra: int = 0) -> Time:
    """The time of a transposed convolution: every input is spread over `window`, `factor` apart.

    `before` and `after` of the window are what is cut off the ends, `extra` is added at the end.
    Output `q` is made of the inputs `(q + before - dilation * tap) / factor` that are whole.
    """
    size = window.reach + 1 + extra - window.before - window.after
    phases: list[Phase] = []
    for q in range(factor):
        at = q + window.before
        taps = range(0, window.reach + 1, window.dilation)
        made = [(at - tap) // factor for tap in taps if (at - tap) % factor == 0]
        made = made or [at // factor]
        first = (q - size) // factor + 2
        phases.append(Phase(min(made), max(made), max(*made, first - 1), first))
    return _in_order(Time(1, tuple(phases)))


def stretches(factor: int, reach: Sequence[tuple[int, int]]) -> Time:
    """The time of `factor` outputs a frame; output `q` of frame 0 sees `reach[q]`.

    Beyond the last frame stands what repeats it, so a clip gives all its outputs.
    """
    phases = (Phase(oldest, newest, max(newest, 0), 1) for oldest, newest in reach)
    return _in_order(Time(1, tuple(phases)))


def _in_order(time: Time) -> Time:
    """The same outputs, none of which comes before the one that it follows."""
    last = max(phase.due for phase in time.phases) - time.period
    phases = []
    for phase in time.phases:
        last = max(last, phase.due)
        phases.append(replace(phase, due=last))
    return Time(time.period, tuple(phases))


def compose(first: Time, then: Time) -> Time:
    """The time of `then` reading what `first` gives; may raise `Unsteady`."""
    items = lcm(len(first.phases), then.period)
    outputs = len(then.phases) * (items // then.period)
    if outputs > MOST:
        raise Unsteady(f"more than {MOST} outputs until the pattern repeats itself")
    phases = tuple(_through(first, then.output(index)) for index in range(outputs))
    return Time(first.period * (items // len(first.phases)), phases)


def _through(first: Time, item: Phase) -> Phase:
    """An output that reads items of `first`, in the frames that those come from."""
    oldest, newest = _reach(first, item.oldest, item.newest)
    return Phase(
        oldest,
        newest,
        first.output(item.due).due,
        first.output(item.first - 1).first,
    )


def _reach(time: Time, oldest: float, newest: int) -> tuple[float, int]:
    """The frames that outputs `oldest` to `newest` depend on."""
    turn = len(time.phases)
    last = (time.output(j).newest for j in _ends(newest, newest - oldest, turn))
    if isinf(oldest):
        return oldest, max(last)
    first = (time.output(j).oldest for j in _starts(int(oldest), newest - oldest, turn))
    return min(first), max(last)


def _starts(oldest: int, more: float, turn: int) -> range:
    """The first outputs of some, of which one is the oldest."""
    return range(oldest, oldest + 1 + int(max(0, min(more, turn - 1))))


def _ends(newest: int, more: float, turn: int) -> range:
    """The last outputs of some, of which one is the newest."""
    return range(newest - int(max(0, min(more, turn - 1))), newest + 1)


def join(times: Sequence[Time]) -> Time:
    """The time of a node whose output `j` is made of every input's `j`.

    Raises `Disagreement` where the strides differ, or the lengths do for every clip.
    """
    if len({time.stride for time in times}) > 1:
        raise Disagreement("stride")
    outputs = lcm(*(len(time.phases) for time in times))
    if outputs > MOST:
        raise Unsteady(f"more than {MOST} outputs until the pattern repeats itself")
    columns = [[time.output(j) for time in times] for j in range(-1, outputs)]
    pairs = pairwise(columns)
    if all(_latest(before) >= min(each.first for each in now) for before, now in pairs):
        raise Disagreement("length")
    phases = tuple(
        Phase(
            min(each.oldest for each in column),
            max(each.newest for each in column),
            max(each.due for each in column),
            _latest(column),
        )
        for column in columns[1:]
    )
    period = times[0].period * (outputs // len(times[0].phases))
    return _shortest_form(Time(period, phases))


def _latest(column: Sequence[Phase]) -> int:
    return max(each.first for each in column)


def _shortest_form(time: Time) -> Time:
    """The same time with no more phases than it takes to repeat itself."""
    outputs = len(time.phases)
    for count in range(1, outputs):
        if outputs % count or time.period * count % outputs:
            continue
        short = Time(time.period * count // outputs, time.phases[:count])
        if all(short.output(j) == phase for j, phase in enumerate(time.phases)):
            return short
    return time


def _count(phases: Sequence[int], period: int, frames: int) -> int:
    """How many frame numbers of a pattern are at most `frames`; below zero before the first."""
    return sum((frames - each) // period + 1 for each in phases)


def emits(time: Time, frames: int) -> int:
    """How many outputs have come out of a stream after its first `frames` frames."""
    period = time.period
    return sum(max(0, (frames - 1 - each.due) // period + 1) for each in time.phases)


def length(time: Time, frames: int) -> int:
    """How many outputs a clip of `frames` frames gives."""
    period = time.period
    return sum(max(0, (frames - each.first) // period + 1) for each in time.phases)


def lost(long: Time, short: Time) -> int:
    """How many items fewer `short` gives than `long`, of equal stride, at the least."""
    outputs = lcm(len(long.phases), len(short.phases))
    firsts = [each.first for each in long.phases]
    return min(_count(firsts, long.period, short.output(j).first) - j - 1 for j in range(outputs))


def longest(times: Sequence[Time]) -> Time:
    """The time, of several of equal stride, that gives the most items."""
    return min(times, key=lambda time: time.phases[0].first)


def shortens(time: Time) -> int:
    """How many items fewer a node gives than one for each `stride` frames begun."""
    outputs = len(time.phases)
    begun = (Phase(first=j * time.period // outputs + 1) for j in range(outputs))
    return lost(Time(time.period, tuple(begun)), time)


def rate(time: Time, macs: int) -> float:
    """Work per input frame of a node that does `macs` for each output."""
    return macs * len(time.phases) / time.period


def reads(time: Time, first: int, last: int) -> tuple[int, int]:
    """The oldest and the newest input item of outputs `first` to `last`.

    An endless past is carried, not read: of the items such an output takes its own.
    """
    if len(time.phases) == 1:
        (phase,) = time.phases
        oldest = phase.newest if isinf(phase.oldest) else int(phase.oldest)
        return first * time.period + oldest, last * time.period + phase.newest
    turn = len(time.phases)
    taken = [_taken(time.output(j)) for j in _starts(first, last - first, turn)]
    newest = (time.output(j).newest for j in _ends(last, last - first, turn))
    return min(taken), max(newest)


def _taken(output: Phase) -> int:
    return output.newest if isinf(output.oldest) else int(output.oldest)


def _late(source: Time, edge: Time, reader: Time) -> list[int]:
    """For each output of a period the frames that its newest item waits for the reader."""
    ready = compose(source, edge)
    outputs = lcm(len(ready.phases), len(reader.phases))
    return [reader.output(j).due - ready.output(j).due for j in range(outputs)]


def hold(source: Time, edge: Time, reader: Time) -> int:
    """Frames that an item waits on an edge at most, though the reader could take it."""
    return max(_late(source, edge, reader))


def spare(source: Time, edge: Time, reader: Time) -> int:
    """Frames that every item of `source` could come later, and still be there for the reader."""
    return min(_late(source, edge, reader))


def backlog(source: Time, edge: Time, reader: Time) -> int:
    """Items of `source` that must be kept between two frames, so that `reader` finds its own."""
    turn = len(edge.phases)
    outputs = lcm(len(reader.phases), turn)
    frames = reader.period * outputs // len(reader.phases)
    outputs *= lcm(source.period, frames) // frames
    dues = [each.due for each in source.phases]
    kept = 0
    for j in range(outputs):
        oldest = min(_taken(edge.output(i)) for i in range(j, j + turn))
        given = _count(dues, source.period, reader.output(j).due - 1)
        kept = max(kept, given - oldest)
    return kept


def postponed(time: Time, frames: int) -> Time:
    """The same node, made to speak `frames` frames later."""
    phases = tuple(replace(phase, due=phase.due + frames) for phase in time.phases)
    return Time(time.period, phases)


IDENTITY = Time()
