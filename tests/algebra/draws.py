"""Random nests: chains of operations and joins of branches that come to one rate by many ways."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from algebra.simulation import Crop, Nest, Operation, Slide, Spread, Stretch, Wait
from codsl.algebra import time as algebra
from codsl.algebra.extent import Window

if TYPE_CHECKING:
    from random import Random

LONGEST = 6
"""Frames, and outputs, of a period at most."""


def random_window(draw: Random, stride: int | None = None) -> Window:
    """A window whose padding is no larger than it reaches."""
    kernel, dilation = draw.randint(1, 5), draw.choice((1, 1, 2, 3))
    reach = dilation * (kernel - 1)
    before, after = draw.randint(0, reach), draw.randint(0, reach)
    stride = stride or draw.choice((1, 1, 1, 2, 3))
    return Window(kernel, stride, before, after, dilation, draw.random() < 0.3)


def random_spread(draw: Random, factor: int | None = None) -> Spread:
    """A transposed convolution, with holes and outputs of nothing among them."""
    factor = factor or draw.choice((1, 2, 2, 3))
    kernel, dilation = draw.randint(1, 4), draw.choice((1, 1, 2, 3))
    reach = dilation * (kernel - 1)
    before, after = draw.randint(0, reach), draw.randint(0, reach)
    extra = draw.randrange(max(factor, dilation)) if draw.random() < 0.4 else 0
    return Spread(factor, Window(kernel, 1, before, after, dilation), extra)


def random_stretch(draw: Random, factor: int) -> Operation:
    """Some way to give `factor` outputs an item."""
    if draw.random() < 0.5:
        return random_spread(draw, factor)
    return Stretch(factor, draw.random() < 0.6)


def random_operation(draw: Random) -> Operation:
    """One layer."""
    match draw.choice(("slide", "slide", "spread", "stretch", "crop", "wait")):
        case "slide":
            return Slide(random_window(draw))
        case "spread":
            return random_spread(draw)
        case "stretch":
            return Stretch(draw.choice((2, 3)), draw.random() < 0.6)
        case "crop":
            return Crop(draw.randint(0, 3), draw.randint(0, 3))
    return Wait(draw.randint(0, 3))


def random_nest(draw: Random, start: Nest, depth: int, most: int = 3) -> Nest:
    """A few operations behind `start`, and joins of two or three branches."""
    nest = start
    for _ in range(draw.randint(1, most)):
        if depth and draw.random() < 0.3:
            more = fitting(random_arms(draw, nest, depth - 1), draw)
        else:
            more = Nest(random_operation(draw), (nest,))
        if more and small(more.time):
            nest = more
    return nest


def small(time: algebra.Time) -> bool:
    """Whether a simulation of more than one period is short."""
    return max(len(time.phases), time.period) <= LONGEST and time.receptive_field < 40


def random_arms(draw: Random, start: Nest, depth: int) -> list[Nest]:
    """Branches of equal rate behind `start`."""
    arms = [random_nest(draw, start, depth, 2)]
    rate = Fraction(arms[0].time.stride) / Fraction(start.time.stride)
    while len(arms) < 2 or draw.random() < 0.3:
        arms.append(another_way(draw, start, rate))
    draw.shuffle(arms)
    return arms


def another_way(draw: Random, start: Nest, rate: Fraction) -> Nest:
    """A branch that gives an item every `rate` items of `start`, by a stride and a factor."""
    more = draw.choice((1, 1, 1, 2, 3))
    stride, factor = rate.numerator * more, rate.denominator * more
    steps: list[Operation] = []
    if stride > 1:
        plain = draw.random() < 0.5
        steps.append(Slide(Window(stride=stride) if plain else random_window(draw, stride)))
    if factor > 1:
        steps.append(random_stretch(draw, factor))
    if draw.random() < 0.3:
        steps.append(Slide(random_window(draw, 1)))
    if draw.random() < 0.5:
        draw.shuffle(steps)
    nest = start
    for step in steps:
        nest = Nest(step, (nest,))
    return nest


def fitting(arms: list[Nest], draw: Random) -> Nest | None:
    """A join of branches of which the longer are cropped, or None where that does not help."""
    shortest = max((arm.time for arm in arms), key=lambda time: time.phases[0].first)
    cropped = []
    for arm in arms:
        lost = max(0, algebra.lost(arm.time, shortest))
        front = draw.randint(0, lost)
        cropped.append(Nest(Crop(front, lost - front), (arm,)) if lost else arm)
    nest = Nest(None, tuple(cropped))
    try:
        return nest if nest.time else None
    except algebra.Disagreement:
        return None
