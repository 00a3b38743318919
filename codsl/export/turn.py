"""The calls of a turn: what happens in each, and the one form in which they are called."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import lcm

import torch

from codsl.diagnostics import plural
from codsl.engine.lister import Lister
from codsl.engine.listing import Listing, Load
from codsl.engine.style import GRAPH
from codsl.nn.running.program import Program

MOST_PHASES = 16
"""Calls of a turn at most: each is a graph of its own."""
MOST_FRAMES = 256
"""Frames of a call at most, where a turn has fewer: each is written out."""


@dataclass(frozen=True, eq=False)
class Turn:
    """The listings of the calls of a turn, one for each phase, after which all is as before.

    Every call is given the items of all `loads`, and gives as many items of each output and of each
    feed as that which has most of them: what does not come in a phase is zeros. Of a feed these are
    the items that are still kept after the call, its `depth` at most.
    """

    program: Program
    dtype: torch.dtype
    calls: tuple[Listing, ...]

    @property
    def frames(self) -> int:
        """Frames of a call."""
        return self.calls[0].frames

    @property
    def inputs(self) -> int:
        """How many inputs the network has."""
        return self.calls[0].inputs

    @cached_property
    def loads(self) -> tuple[Load, ...]:
        """What is read of the past in any phase."""
        loads = {load for call in self.calls for load in call.loads}
        return tuple(sorted(loads, key=lambda load: (load.feed, -load.back)))

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """How many items of each output a call gives."""
        return tuple(max(counts) for counts in self._counts([call.outputs for call in self.calls]))

    @cached_property
    def stores(self) -> tuple[tuple[int, ...], ...]:
        """How many items come to each feed in each phase."""
        return tuple(self._counts([call.stores for call in self.calls]))

    @staticmethod
    def _counts(groups: list[tuple[tuple[int, ...], ...]]) -> Iterator[tuple[int, ...]]:
        for each in zip(*groups, strict=True):
            yield tuple(map(len, each))


def turn_of(program: Program, dtype: torch.dtype, frames: int | None = None) -> Turn:
    """The calls of so many frames each that make a turn of a program; one call of all its frames
    where none are given.

    Raises `ValueError` for modules with a step of their own, and where there are too many.
    """
    cycle = program.graph.cycle
    frames = frames or cycle.turn
    phases = lcm(cycle.turn, frames) // frames
    if phases > MOST_PHASES or frames > max(cycle.turn, MOST_FRAMES):
        raise ValueError(_too_many(cycle.turn, frames, phases))
    first = -(-cycle.start // cycle.turn) * cycle.turn
    lister = Lister(program, torch.empty(0, dtype=dtype), GRAPH)
    starts = (first + frames * phase for phase in range(phases))
    return Turn(
        program, dtype, tuple(lister.listing(start, frames, begins=True) for start in starts)
    )


def _too_many(turn: int, frames: int, phases: int) -> str:
    if phases <= MOST_PHASES:
        return f"a step of {frames} frames is too long: {max(turn, MOST_FRAMES)} are the most"
    least = next(n for n in range(1, turn + 1) if turn % n == 0 and turn // n <= MOST_PHASES)
    return (
        f"the strides come round after {plural(turn, 'frame')}, so that a step of "
        f"{plural(frames, 'frame')} would do something else in each of {phases} calls, and "
        f"{MOST_PHASES} are the most: take {plural(least, 'frame')} a step, or {turn}"
    )
