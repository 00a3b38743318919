"""When a node sees what, and when it speaks: every formula of time stands here, once.

A node's time is relative to the frames that enter it. Its users compose and join times, ask
what is emitted, read and kept, and look at the named numbers; none of them calculates with these.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from codsl.algebra.extent import Window


@dataclass(frozen=True, slots=True)
class Time:
    """The few integers that say all about a node's time, in input frames.

    Output `j` depends on frames `j*stride - past` to `j*stride + ahead`, comes out of a stream at
    frame `j*stride + delay`, and a clip of `T` frames gives `floor((T + offset) / stride)` outputs.
    """

    stride: int = 1
    past: float = 0
    ahead: int = 0
    delay: int = 0
    offset: int = 0

    @property
    def receptive_field(self) -> float:
        """Frames from the oldest to the newest that one output can depend on; may be `inf`."""
        return self.past + 1 + self.ahead

    @property
    def shortest(self) -> int:
        """The least number of frames, one or more, that gives an output."""
        return max(1, self.stride - self.offset)

    @property
    def pointwise(self) -> bool:
        """Whether output `j` is made of one frame, `j*stride`, and of no other."""
        return self.past == 0 == self.ahead


class Disagreement(ValueError):
    """Sequences that cannot meet; `kind` is `stride` or `length`."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"their {kind}s over time differ")
        self.kind = kind


def sees(window: Window) -> Time:
    """The time of a window that slides over its input and the padding at its ends."""
    ahead = window.reach - window.before
    return Time(window.stride, window.before, ahead, ahead, window.offset)


def waits(frames: int) -> Time:
    """The time of a pure delay: it looks at nothing else, and a clip passes unchanged."""
    return Time(delay=frames)


def crops(front: int, back: int) -> Time:
    """The time of leaving out frames at either end.

    That a frame is not among the last `back` is known only `back` frames later.
    """
    return Time(past=-front, ahead=front, delay=front + back, offset=-front - back)


def compose(first: Time, then: Time) -> Time:
    """The time of `then` reading what `first` gives. Floors nest, so the length rule is exact."""
    return Time(
        first.stride * then.stride,
        first.past + first.stride * then.past,
        first.ahead + first.stride * then.ahead,
        first.delay + first.stride * then.delay,
        first.offset + first.stride * then.offset,
    )


def join(times: Sequence[Time]) -> Time:
    """The time of a node whose output `j` is made of every input's `j`.

    Raises `Disagreement` where the strides differ, or the lengths do for every clip.
    """
    if len({time.stride for time in times}) > 1:
        raise Disagreement("stride")
    offsets = [time.offset for time in times]
    if max(offsets) - min(offsets) >= times[0].stride:
        raise Disagreement("length")
    return Time(
        times[0].stride,
        max(time.past for time in times),
        max(time.ahead for time in times),
        max(time.delay for time in times),
        min(offsets),
    )


def lost(long: Time, short: Time) -> int:
    """How many items fewer `short` gives than `long`, of equal stride."""
    return (long.offset - short.offset) // long.stride


def longest(times: Sequence[Time]) -> Time:
    """The time, of several of equal stride, that gives the most items."""
    return max(times, key=lambda time: time.offset)


def shortens(time: Time) -> int:
    """How many items fewer a node gives than one for each `stride` frames begun."""
    return lost(Time(time.stride, offset=time.stride - 1), time)


def emits(time: Time, frames: int) -> int:
    """How many outputs have come out of a stream after its first `frames` frames."""
    return max(0, (frames - 1 - time.delay) // time.stride + 1)


def length(time: Time, frames: int) -> int:
    """How many outputs a clip of `frames` frames gives."""
    return max(0, (frames + time.offset) // time.stride)


def rate(time: Time, macs: int) -> float:
    """Work per input frame of a node that does `macs` for each output."""
    return macs / time.stride


def reads(time: Time, first: int, last: int) -> tuple[int, int]:
    """The oldest and the newest input item of outputs `first` to `last`; the past is finite."""
    return first * time.stride - int(time.past), last * time.stride + time.ahead


def hold(source: Time, edge: Time, reader: Time) -> int:
    """Frames that an item waits on an edge, though the reader could take it."""
    return reader.delay - compose(source, edge).delay


def backlog(source: Time, edge: Time, reader: Time) -> int:
    """Items of `source` that must be kept between two frames, so that `reader` finds its own."""
    late = reader.delay - source.delay
    return max(0, -(-late // source.stride) + int(edge.past))


def postponed(time: Time, frames: int) -> Time:
    """The same node, made to speak `frames` frames later."""
    return replace(time, delay=time.delay + frames)


IDENTITY = Time()
