"""When modules see what: their own numbers, from the times of what they give."""

from abc import abstractmethod
from math import isinf
from typing import Any

from codsl.algebra.time import Time
from codsl.nn.running.trace import Trace


class Timed:
    """Something with a time for each of its outputs."""

    @property
    @abstractmethod
    def time(self) -> Time:
        """When its outputs see what, relative to its own input."""

    @property
    def times(self) -> tuple[Time, ...]:
        """The time of every output, relative to its own input."""
        return (self.time,)

    @property
    def receptive_field(self) -> float:
        """Frames from the oldest to the newest that one output depends on; may be `math.inf`."""
        return max(time.receptive_field for time in self.times)

    @property
    def delay(self) -> int:
        """Frames that an output comes later than its own at most; without upsampling, the frame
        at which the first comes, counted from 0."""
        return max(time.delay for time in self.times)


class Composed(Timed):
    """Something whose time is that of its parts, laid out."""

    @property
    def time(self) -> Time:
        """When its outputs see what, relative to its own input; of several outputs the widest."""
        return Trace.alone(self)

    @property
    def times(self) -> tuple[Time, ...]:
        """The time of every output, relative to its own input."""
        return Trace.ends(self)

    @property
    def stride(self) -> tuple[Any, ...]:
        """Inputs per output, over time; of several outputs the most."""
        return (max(time.stride for time in self.times),)

    @property
    def padding(self) -> tuple[Any, ...]:
        """Padding before the first input, over time; an endless past is none."""
        pasts = [time.past for time in self.times]
        return (max(0 if isinf(past) else max(0, past) for past in pasts),)
