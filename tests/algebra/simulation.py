"""Nests of layers over time, run item by item with nothing but lists of what each item has seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import count
from math import ceil, floor
from typing import TYPE_CHECKING

from codsl.algebra import time as algebra
from codsl.algebra.extent import Window

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Item:
    """One item: the frames that it is made of, one bit each; the frame it comes out at, None where
    only the end of the stream brings it; and whether no padding is in it."""

    seen: int
    frame: int | None
    whole: bool = True

    @property
    def oldest(self) -> int:
        """The first frame that it is made of."""
        return (self.seen & -self.seen).bit_length() - 1

    @property
    def newest(self) -> int:
        """The last frame that it is made of."""
        return self.seen.bit_length() - 1


Items = list[Item]


def frames(number: int) -> Items:
    """The input of a network."""
    return [Item(1 << t, t) for t in range(number)]


def made(items: Items, taps: Iterable[int], last: int) -> Item:
    """What is made of the items that there are among `taps`, once item `last` has come."""
    seen, whole = 0, True
    for tap in taps:
        if 0 <= tap < len(items):
            seen |= items[tap].seen
            whole &= items[tap].whole
        else:
            whole = False
    return Item(seen, items[last].frame if last < len(items) else None, whole)


@dataclass(frozen=True)
class Slide:
    """A window at every place that there is."""

    window: Window

    def run(self, items: Items) -> Items:
        window, done = self.window, []
        while True:
            first = len(done) * window.stride - window.before
            last = first + window.reach
            room = len(items) - 1 + window.after
            more = window.ceil_mode and last < room + window.stride and first < len(items)
            if last > room and not more:
                return done
            done.append(made(items, range(first, last + 1, window.dilation), last))

    def time(self) -> algebra.Time:
        return algebra.sees(self.window)


@dataclass(frozen=True)
class Crop:
    """Without the first and the last: an item goes on once `back` more have come."""

    front: int
    back: int

    def run(self, items: Items) -> Items:
        return [made(items, [i], i + self.back) for i in range(self.front, len(items) - self.back)]

    def time(self) -> algebra.Time:
        return algebra.crops(self.front, self.back)


@dataclass(frozen=True)
class Wait:
    """Every item when the one `count` later has come."""

    count: int

    def run(self, items: Items) -> Items:
        return [made(items, [i], i + self.count) for i in range(len(items))]

    def time(self) -> algebra.Time:
        return algebra.waits(self.count)


@dataclass(frozen=True)
class Spread:
    """A transposed convolution: items add up to places, of which some are cut off at the ends.

    A place is done once all items that add to it have come, and enough for a clip that has it;
    one to which nothing adds, once the item has come that begins there or before. What is done
    goes on in order, and what is cut off takes its turn as well.
    """

    factor: int
    window: Window
    extra: int = 0

    def run(self, items: Items) -> Items:
        window, done, last, enough = self.window, [], 0, 1
        size = window.reach + 1 + self.extra - window.before - window.after
        for at in range(window.before + (len(items) - 1) * self.factor + size):
            adding = self.adding(at)
            last = max(last, *adding, at // self.factor if not adding else 0)
            if at >= window.before:
                enough = next(
                    n for n in count(enough) if (n - 1) * self.factor + size > at - window.before
                )
                last = max(last, enough - 1)
                done.append(made(items, adding, last))
        return done

    def adding(self, at: int) -> list[int]:
        """The items that add to place `at`, first of which is that of item 0."""
        taps = range(0, self.window.reach + 1, self.window.dilation)
        return [(at - tap) // self.factor for tap in taps if (at - tap) % self.factor == 0]

    def time(self) -> algebra.Time:
        return algebra.spreads(self.factor, self.window, self.extra)


@dataclass(frozen=True)
class Stretch:
    """Nearest or linear upsampling, as torch places the samples (`align_corners=False`)."""

    factor: int
    linear: bool

    def run(self, items: Items) -> Items:
        done = []
        for q in range(len(items) * self.factor):
            oldest, newest = self.between(q)
            inner = (min(max(tap, 0), len(items) - 1) for tap in (oldest, newest))
            item = made(items, inner, max(newest, 0))
            padded = oldest < 0 or newest >= len(items)
            done.append(Item(item.seen, item.frame, item.whole and not padded))
        return done

    def between(self, q: int) -> tuple[int, int]:
        """The items that output `q` lies between, or upon."""
        if not self.linear:
            return q // self.factor, q // self.factor
        place = Fraction(2 * q + 1, 2 * self.factor) - Fraction(1, 2)
        return floor(place), ceil(place)

    def time(self) -> algebra.Time:
        return algebra.stretches(self.factor, [self.between(q) for q in range(self.factor)])


Operation = Slide | Crop | Wait | Spread | Stretch


def meet(inputs: list[Items]) -> Items:
    """Item `j` of every input, once all are there."""
    done = []
    for row in zip(*inputs, strict=False):
        seen = 0
        for item in row:
            seen |= item.seen
        come = [item.frame for item in row if item.frame is not None]
        frame = max(come) if len(come) == len(row) else None
        done.append(Item(seen, frame, all(item.whole for item in row)))
    return done


@dataclass(frozen=True, eq=False)
class Nest:
    """An operation over what another nest gives, a join of several, or the input of the network."""

    operation: Operation | None = None
    inputs: tuple[Nest, ...] = ()
    _runs: dict[int, Items] = field(default_factory=dict, repr=False)

    def run(self, number: int) -> Items:
        """Its items for a clip of so many frames."""
        if number not in self._runs:
            given = [nest.run(number) for nest in self.inputs]
            self._runs[number] = (
                frames(number)
                if not given
                else self.operation.run(given[0])
                if self.operation
                else meet(given)
            )
        return self._runs[number]

    @cached_property
    def time(self) -> algebra.Time:
        """What the algebra says; raises `Disagreement` where a join does not fit."""
        times = [nest.time for nest in self.inputs]
        if self.operation:
            return algebra.compose(times[0], self.operation.time())
        return algebra.join(times) if times else algebra.IDENTITY

    @cached_property
    def every(self) -> list[Nest]:
        """It and all that is in it."""
        found = {id(self): self}
        for nest in self.inputs:
            found |= {id(each): each for each in nest.every}
        return list(found.values())

    @property
    def least(self) -> int:
        """The least clip for which every node has an item."""
        return max(nest.time.shortest for nest in self.every)


INPUT = Nest()
