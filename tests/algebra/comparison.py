"""Where the algebra and the simulation of a nest differ."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from algebra.draws import random_nest
from algebra.simulation import INPUT, Nest
from codsl.algebra import time as algebra

if TYPE_CHECKING:
    from collections.abc import Iterator


def nests(seed: int, number: int) -> Iterator[Nest]:
    """Random nests of all there is."""
    draw = random.Random(seed)
    return (random_nest(draw, INPUT, 2) for _ in range(number))


def enough(nest: Nest) -> int:
    """Frames of a clip that holds whole windows for several periods."""
    time = nest.time
    return nest.least + max(0, int(time.receptive_field)) + time.delay + 3 * time.period


def differs(nest: Nest, time: algebra.Time) -> set[str]:
    """Where a time is not that of the simulated nest."""
    found = set()
    frames = enough(nest)
    for j, item in enumerate(nest.run(frames)):
        output = time.output(j)
        if item.frame != (output.due if output.due < frames else None):
            found.add("emission")
        if item.whole and item.seen == 0:
            found |= set() if output.blind else {"window"}
        elif item.whole:
            exact = (item.oldest, item.newest) == (output.oldest, output.newest)
            found |= set() if exact else {"window"}
        elif item.seen and (item.oldest < output.oldest or item.newest > output.newest):
            found.add("window")
    for clip in (*range(nest.least, nest.least + 2 * time.period + 1), frames):
        given = len(nest.run(clip))
        turn = len(time.phases)
        had = all(time.output(j).first <= clip for j in range(given - turn, given))
        more = any(time.output(j).first <= clip for j in range(given, given + turn))
        if given != algebra.length(time, clip) or not had or more:
            found.add("length")
    return found
