"""What a clip gives: how many items, and how many fewer than another node."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from codsl.algebra.period import Phase, Time


def _first(phase: Phase) -> int:
    return phase.first


def length(time: Time, frames: int) -> int:
    """How many outputs a clip of `frames` frames gives."""
    return max(0, time.count(frames, _first))


def lost(long: Time, short: Time) -> int:
    """How many items fewer `short` gives than `long`, of equal stride, at the least."""
    outputs = lcm(len(long.phases), len(short.phases))
    return min(long.count(short.output(j).first, _first) - j - 1 for j in range(outputs))


def longest(times: Sequence[Time]) -> Time:
    """The time, of several of equal stride, that gives the most items on average."""
    return min(times, key=_lateness)


def _lateness(time: Time) -> Fraction:
    """Frames that an item takes more than its own, on average; the same over several periods."""
    return Fraction(2 * sum(map(_first, time.phases)), len(time.phases)) - time.period


def shortens(time: Time) -> int:
    """How many items fewer a node gives than one for each `stride` frames begun."""
    outputs = len(time.phases)
    begun = (Phase(first=j * time.period // outputs + 1) for j in range(outputs))
    return lost(Time(time.period, tuple(begun)), time)


def rate(time: Time, macs: int | Fraction) -> float:
    """Work per input frame of a node that does `macs` for each output."""
    return float(macs * len(time.phases) / time.period)
