"""What a network says of itself, as the contract holds it to it."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import count
from typing import Any

from codsl.algebra.time import Time
from codsl.graph.graph import Graph
from codsl.testing.comparison import demand

SOME = 24
"""Frames of an endless past that are looked at."""


@dataclass(frozen=True)
class Timing:
    """What is said of one output of a network: `items` are those of one period, as (oldest frame,
    newest frame, the frame at which it comes, the shortest clip that has it)."""

    items: tuple[tuple[float, int, int, int], ...]
    period: int

    @classmethod
    def of(cls, time: Time) -> "Timing":
        """The figures of a time, item by item."""
        items = ((each.oldest, each.newest, each.due, each.first) for each in time.phases)
        return cls(tuple(items), time.period)

    def output(self, j: int) -> tuple[float, int, int, int]:
        """Output `j`: its oldest and its newest frame, when it comes, the clip that it takes."""
        turns, phase = divmod(j, len(self.items))
        oldest, newest, due, first = (each + turns * self.period for each in self.items[phase])
        return oldest, int(newest), int(due), int(first)

    def length(self, frames: int) -> int:
        """Outputs of a clip of so many frames."""
        return next(j for j in count(self._passed(3, frames + 1)) if self.output(j)[3] > frames)

    def due(self, frames: int) -> int:
        """Outputs that have come out of a stream after so many frames."""
        return next(j for j in count(self._passed(2, frames)) if self.output(j)[2] >= frames)

    def _passed(self, place: int, frames: int) -> int:
        """The outputs of all periods that lie, by this figure, before so many frames."""
        last = int(max(item[place] for item in self.items))
        return max(0, -(-(frames - last) // self.period)) * len(self.items)

    def at(self, frame: int) -> range:
        """The outputs that come out at a frame."""
        return range(self.due(frame), self.due(frame + 1))

    @cached_property
    def bursts(self) -> bool:
        """Whether some frame brings several outputs."""
        last = self.output(len(self.items))[2]
        return any(len(self.at(frame)) > 1 for frame in range(last + 1))

    @property
    def stride(self) -> Fraction:
        """Frames for an output."""
        return Fraction(self.period, len(self.items))

    @property
    def delay(self) -> int:
        """How late the latest output of a period comes."""
        turn = len(self.items)
        return max(due - self.period * j // turn for j, (*_, due, _) in enumerate(self.items))

    @property
    def reach(self) -> float:
        """Frames from the oldest to the newest of an output."""
        return max(newest + 1 - oldest for oldest, newest, *_ in self.items)


@dataclass(frozen=True)
class Declared:
    """What a network says of itself; `each` is what it says of each of its outputs."""

    each: tuple[Timing, ...]
    min_frames: int
    state_bytes: int

    @classmethod
    def of(cls, graph: Graph) -> "Declared":
        """The figures of a graph; raises `ContractError` where its report has others."""
        total = graph.report().total
        each = tuple(Timing.of(graph.times[outlet.value]) for outlet in graph.outputs)
        made = cls(each, total["min_frames"], total["state_bytes"])
        made._agrees(total)
        by_name = total.get("outputs", {})
        for timing, outlet in zip(each, graph.outputs, strict=True):
            if outlet.name in by_name:
                cls((timing,), 0, 0)._agrees(by_name[outlet.name])
        return made

    def _agrees(self, total: dict[str, Any]) -> None:
        """The figures of the report are those of the outputs."""
        demand(total["stride"] == max(each.stride for each in self.each), "two strides")
        demand(total["delay"] == max(each.delay for each in self.each), "two delays")
        reach = max(each.reach for each in self.each)
        demand(total["receptive_field"] == reach, "two receptive fields")

    @property
    def period(self) -> int:
        """Frames after which all outputs begin anew."""
        return math.lcm(*(each.period for each in self.each))

    @cached_property
    def bursts(self) -> bool:
        """Whether some frame brings several items of one output."""
        return any(each.bursts for each in self.each)

    @property
    def field(self) -> int:
        """Frames that a test of one whole window takes; of an endless one, some of it."""
        reach = max(each.reach for each in self.each)
        return SOME if math.isinf(reach) else int(reach)

    @property
    def most(self) -> int:
        """Frames of a clip that shows all that a network does."""
        late = max(due for each in self.each for _, _, due, _ in each.items)
        return max(self.field, self.min_frames, late + 1) + 2 * self.period + 3
