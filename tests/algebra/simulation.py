"""Nests of windows, crops, waits and joins, run item by item with nothing but lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codsl.algebra import time as algebra
from codsl.algebra.extent import Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random


@dataclass(frozen=True)
class Item:
    """One item: the oldest and newest frame that it is made of, and the frame it comes out at;
    None where only the end of the stream brings it."""

    oldest: int
    newest: int
    frame: int | None


Items = list[Item]


def frames(count: int) -> Items:
    """The input of a network."""
    return [Item(t, t, t) for t in range(count)]


def slide(window: Window, items: Items) -> Items:
    """A window at every place that there is."""
    made: Items = []
    while True:
        first = len(made) * window.stride - window.before
        last = first + window.reach
        room = len(items) - 1 + window.after
        if last > room and not (
            window.ceil_mode and last < room + window.stride and first < len(items)
        ):
            return made
        taps = range(first, last + 1, window.dilation)
        real = [items[tap] for tap in taps if 0 <= tap < len(items)]
        made.append(
            Item(
                min((item.oldest for item in real), default=10**6),
                max((item.newest for item in real), default=-1),
                items[last].frame if 0 <= last < len(items) else None,
            )
        )


def crop(front: int, back: int, items: Items) -> Items:
    """Without the first and the last: an item goes on once `back` more have come."""
    return [
        Item(items[i].oldest, items[i].newest, items[i + back].frame)
        for i in range(front, len(items) - back)
    ]


def wait(count: int, items: Items) -> Items:
    """Every item when the one `count` later has come."""
    return [
        Item(item.oldest, item.newest, items[i + count].frame if i + count < len(items) else None)
        for i, item in enumerate(items)
    ]


def meet(inputs: Sequence[Items]) -> Items:
    """Item `j` of every input, once all are there."""
    return [
        Item(
            min(item.oldest for item in row),
            max(item.newest for item in row),
            None
            if any(item.frame is None for item in row)
            else max(item.frame for item in row if item.frame is not None),
        )
        for row in zip(*inputs, strict=False)
    ]


@dataclass(frozen=True)
class Nest:
    """An operation over the inputs' items: a window, a crop, a wait, or a join."""

    kind: str
    inputs: tuple[Nest, ...] = ()
    window: Window = Window()
    sizes: tuple[int, int] = (0, 0)

    def run(self, count: int) -> Items:
        """Its items for a clip of `count` frames."""
        given = [nest.run(count) for nest in self.inputs]
        match self.kind:
            case "input":
                return frames(count)
            case "window":
                return slide(self.window, given[0])
            case "crop":
                return crop(*self.sizes, given[0])
            case "wait":
                return wait(self.sizes[0], given[0])
        return meet(given)

    def time(self) -> algebra.Time:
        """What the algebra says; raises `Disagreement` where a join does not fit."""
        times = [nest.time() for nest in self.inputs]
        match self.kind:
            case "input":
                return algebra.IDENTITY
            case "window":
                return algebra.compose(times[0], algebra.sees(self.window))
            case "crop":
                return algebra.compose(times[0], algebra.crops(*self.sizes))
            case "wait":
                return algebra.compose(times[0], algebra.waits(self.sizes[0]))
        return algebra.join(times)

    def least(self) -> int:
        """The least clip for which every node has an item."""
        return max(time.shortest for time in self.times())

    def times(self) -> list[algebra.Time]:
        """The times of all its nodes."""
        return [self.time(), *(time for nest in self.inputs for time in nest.times())]

    def clear(self, count: int) -> tuple[int, int]:
        """The first and the last frame of windows that no padding reaches."""
        times = self.times()
        ends = [algebra.length(time, count) * time.stride + time.ahead for time in times]
        return max(0, *(-int(time.past) for time in times)), min(count, *ends) - 1


INPUT = Nest("input")


def random_window(draw: Random) -> Window:
    """A window whose padding is no larger than it reaches."""
    kernel, dilation = draw.randint(1, 5), draw.choice((1, 1, 2, 3))
    reach = dilation * (kernel - 1)
    before, after = draw.randint(0, reach), draw.randint(0, reach)
    return Window(
        kernel, draw.choice((1, 1, 1, 2, 3)), before, after, dilation, draw.random() < 0.3
    )


def random_nest(draw: Random, start: Nest, depth: int) -> Nest:
    """A few operations behind `start`; joins meet two or three branches, or one cropped."""
    nest = start
    for _ in range(draw.randint(1, 3)):
        kind = draw.choice(("window", "window", "crop", "wait", "join" if depth else "window"))
        if kind == "join":
            nest = _random_join(draw, nest, depth)
        elif kind == "window":
            nest = Nest(kind, (nest,), random_window(draw))
        else:
            nest = Nest(kind, (nest,), sizes=(draw.randint(0, 3), draw.randint(0, 3)))
    return nest


def _random_join(draw: Random, nest: Nest, depth: int) -> Nest:
    """A join that fits: what is too long is cropped, and strides are made equal."""
    arms = [random_nest(draw, nest, depth - 1) for _ in range(draw.randint(1, 2))]
    if len({arm.time().stride for arm in arms}) > 1:
        arms = arms[:1]
    stride = arms[0].time().stride // nest.time().stride
    plain = Window(stride=stride)
    arms.append(Nest("window", (nest,), plain) if stride > 1 else nest)
    short = min((arm.time() for arm in arms), key=lambda time: time.offset)
    fitted = []
    for arm in arms:
        lost = algebra.lost(arm.time(), short)
        front = draw.randint(0, lost)
        fitted.append(Nest("crop", (arm,), sizes=(front, lost - front)) if lost else arm)
    draw.shuffle(fitted)
    return Nest("join", tuple(fitted))
