"""What a stream gives, what it reads for that, and what must be kept and held."""

from dataclasses import replace
from math import isinf, lcm

from codsl.algebra.period import Phase, Time
from codsl.algebra.series import compose


def _due(phase: Phase) -> int:
    return phase.due


def emits(time: Time, frames: int) -> int:
    """How many outputs have come out of a stream after its first `frames` frames."""
    return max(0, time.count(frames - 1, _due))


def burst(time: Time) -> int:
    """The most outputs that come out of a stream with one frame."""
    last = time.output(len(time.phases)).due
    return max(emits(time, frame + 1) - emits(time, frame) for frame in range(max(0, last) + 1))


def reads(time: Time, first: int, last: int) -> tuple[int, int]:
    """The oldest and the newest input item of outputs `first` to `last`.

    An endless past is carried, not read: of the items such an output takes its own.
    """
    turn = len(time.phases)
    if turn == 1:
        (phase,) = time.phases
        return first * time.period + _taken(phase), last * time.period + phase.newest
    oldest = (_taken(time.output(j)) for j in range(first, min(last + 1, first + turn)))
    newest = (time.output(j).newest for j in range(max(first, last - turn), last + 1))
    return min(oldest), max(newest)


def _taken(output: Phase) -> int:
    """The oldest item that an output takes: one even where it depends on none."""
    return output.newest if isinf(output.oldest) else min(int(output.oldest), output.newest)


def hold(source: Time, edge: Time, reader: Time) -> int:
    """Frames that an item waits on an edge at most, though the reader could take it."""
    return max(_late(source, edge, reader))


def spare(source: Time, edge: Time, reader: Time) -> int:
    """Frames that every item of `source` could come later, and still be there for the reader."""
    return min(_late(source, edge, reader))


def _late(source: Time, edge: Time, reader: Time) -> list[int]:
    """For each output of a period the frames that its newest item waits for the reader."""
    ready = compose(source, edge)
    outputs = lcm(len(ready.phases), len(reader.phases))
    return [reader.output(j).due - ready.output(j).due for j in range(outputs)]


def backlog(source: Time, edge: Time, reader: Time) -> int:
    """Items of `source` that must be kept between two frames, so that `reader` finds its own."""
    outputs = lcm(len(reader.phases), len(edge.phases))
    frames = reader.period * outputs // len(reader.phases)
    outputs *= lcm(source.period, frames) // frames
    kept = (
        source.count(reader.output(j).due - 1, _due) - _taken(edge.output(j))
        for j in range(outputs)
    )
    return max(0, *kept)


def postponed(time: Time, frames: int) -> Time:
    """The same node, made to speak `frames` frames later."""
    phases = tuple(replace(phase, due=phase.due + frames) for phase in time.phases)
    return Time(time.period, phases, time.spacing)
