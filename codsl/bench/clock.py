"""How long calls take, measured in turns, so that what slows the machine slows all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from time import perf_counter
from typing import Any

from codsl.garbage import uncollected

ROUNDS = 10
"""How often each has its turn."""

LONG = 5
"""So many times its seconds, a first pass is told as it is: what it had to make is little of it."""

FEWEST = 100
"""Samples that tell a hundredth."""

Calls = Sequence[Callable[[], object]]
"""What is called one after the other, again and again: the frames of a turn."""


@dataclass(frozen=True)
class Effort:
    """How much is measured: passes through the calls, and seconds for each contender at most."""

    passes: int = 200
    seconds: float = 5.0


@dataclass(frozen=True)
class Timing:
    """Seconds of a pass through the calls: the median, the least, and how many were timed.

    `tail` is the 99th percentile of a call over the median of that call, None where there are too
    few to tell; `longest` is the median of the call that takes most.
    """

    median: float
    least: float
    longest: float
    tail: float | None
    passes: int


def once(calls: Calls) -> tuple[list[Any], list[float]]:
    """What a pass gives, and its seconds, call by call."""
    given: list[Any] = []
    seconds = []
    for call in calls:
        begin = perf_counter()
        given.append(call())
        seconds.append(perf_counter() - begin)
    return given, seconds


def interleaved(
    contenders: Mapping[str, Calls], effort: Effort, firsts: Mapping[str, list[float]] | None = None
) -> dict[str, Timing]:
    """The timing of each contender; each begins as often as the others.

    `firsts` are the seconds of passes that were made before: one that takes several times the
    seconds there are is not made again.
    """
    found: dict[str, list[list[float]]] = {name: [] for name in contenders}
    for name, seconds in (firsts or {}).items():
        found[name] += [seconds] if sum(seconds) >= LONG * effort.seconds else []
    names = list(contenders)
    with uncollected():
        for turn in range(ROUNDS):
            first = turn % max(len(names), 1)
            for name in (*names[first:], *names[:first]):
                _burst(contenders[name], effort, found[name])
    return {name: timing(passes) for name, passes in found.items()}


def _burst(calls: Calls, effort: Effort, passes: list[list[float]]) -> None:
    """A round's passes, added to those of earlier rounds; none where the seconds are spent."""
    spent, share = sum(map(sum, passes)), effort.seconds / ROUNDS
    if passes and spent >= effort.seconds:
        return
    if passes and spent / len(passes) < share:
        once(calls)  # brings everything into the caches again, untimed
    end = perf_counter() + share
    for _ in range(ceil(effort.passes / ROUNDS)):
        passes.append(once(calls)[1])
        if perf_counter() > end:
            return


def timing(passes: Sequence[Sequence[float]]) -> Timing:
    """What passes say, each the seconds of its calls."""
    usual = [median(column) for column in zip(*passes, strict=True)]
    sums = [sum(each) for each in passes]
    over = sorted(
        each / own for seconds in passes for each, own in zip(seconds, usual, strict=True)
    )
    tail = over[ceil(0.99 * len(over)) - 1] if len(over) >= FEWEST else None
    return Timing(median(sums), min(sums), max(usual), tail, len(passes))
