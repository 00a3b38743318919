"""From which frame on a stream does the same again and again, and after how many frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf, lcm

from codsl.algebra.time import Time


@dataclass(frozen=True)
class Reading:
    """A node that reads a value: its own time over the value, and when it speaks in a stream."""

    reach: Time
    reader: Time


@dataclass(frozen=True)
class Cycle:
    """From frame `start` on nothing is read of before the first frame, and what happens at a frame
    happens `turn` frames later again."""

    start: int
    turn: int

    def frame(self, frame: int) -> int:
        """The first frame at which the same happens as at this one."""
        return frame if frame < self.start else self.settled(frame)

    def settled(self, frame: int) -> int:
        """The first frame from `start` on that stands in a turn as this one does."""
        return self.start + (frame - self.start) % self.turn

    def items(self, time: Time) -> int:
        """How many items a value gives in a turn."""
        return self.turn * len(time.phases) // time.period


def cycle(values: Sequence[Time], readings: Sequence[Reading]) -> Cycle:
    """The cycle of a stream of these values, by when they speak, the readers' among them.

    A turn has whole periods of every value, and so of whatever is read: a reader's period in
    frames has whole periods of its own time.
    """
    turn = lcm(*(time.period for time in values))
    spoken = max(phase.due - time.period + 1 for time in values for phase in time.phases)
    return Cycle(max([0, spoken, *map(_settles, readings)]), turn)


def _settles(each: Reading) -> int:
    """The frame from which on the reader asks for no item before the first."""
    return each.reader.output(_whole(each.reach) - 1).due + 1


def _whole(reach: Time) -> int:
    """The first output from which on none reads an item before the first."""
    count = len(reach.phases)
    last = [
        place + count * (-(int(phase.oldest) // reach.period) - 1)
        for place, phase in enumerate(reach.phases)
        if not isinf(phase.oldest)
    ]
    return max([0, *(each + 1 for each in last)])
