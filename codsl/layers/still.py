"""Layers over single frames: all their dimensions are of space, and time passes unchanged."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, length
from codsl.layers.activation import Elementwise
from codsl.layers.dropout import Dropping
from codsl.layers.mistake import Mistake, Use
from codsl.layers.recipe import Folded, Pointwise, Recipe, Spread, Windowed, outputs_worked
from codsl.layers.row import Layer, OfImages, Weightless, kin_of, type_name
from codsl.layers.sliding import without_time


@dataclass(frozen=True)
class _Facts:
    """What a row makes of frames of one kind."""

    frame: Frame
    weights: Mapping[str, tuple[int, ...]]
    macs: int | Fraction
    space: tuple[Time, ...]
    recipe: Recipe


@final
@dataclass(frozen=True)
class Still:
    """A row on single frames, `(C, *S)`, as torch has it on images.

    The number in a name like `conv2d` counts dimensions of space here. A row that works over time,
    or that torch has for clips alone, is a `Mistake`.
    """

    row: Layer

    @property
    def dtype(self) -> str | None:
        """The dtype that the row states."""
        return getattr(self.row, "dtype", None)

    def shape(self, x: Frame) -> Frame:
        """The frame that it makes of `x`; raises `Mistake` where that cannot be."""
        return self._on(x).frame

    def time(self) -> Time:
        """Each output is made of the frame of its own."""
        return IDENTITY

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        """The shapes of its parameters, by torch's names."""
        return self._on(x).weights

    def macs(self, x: Frame, y: Frame) -> int | Fraction:
        """Multiply-accumulates of convolutions and matrix products for one frame."""
        return self._on(x).macs

    def recipe(self, x: Frame) -> Recipe:
        """How torch computes it."""
        return self._on(x).recipe

    def space(self, x: Frame) -> tuple[Time, ...]:
        """How its outputs sit over each dimension of space."""
        return self._on(x).space

    def _on(self, x: Frame) -> _Facts:
        row = self.row
        counted = re.search(r"[123]d$", type_name(type(row))) is not None
        if counted and row.rank != len(x.space) and not _of_vectors(row, x):
            raise of_other_images(type(row), x)
        if isinstance(row, OfImages):
            return _pictured(row, x)
        if x.space and (counted or _upsamples(row, x)):
            return _shifted(row, x)
        return _framewise(row, x)


def of_images(mistake: Mistake) -> Mistake:
    """What is wrong with an argument, where tuples have no entry for time."""
    message = str(mistake).replace(", time first", ", one for each dimension of space")
    return Mistake(
        mistake.code,
        message,
        argument=mistake.argument,
        remedies=[each for each in mistake.remedies if "time" not in each.help],
        choices=mistake.choices,
    )


def _of_vectors(row: Layer, x: Frame) -> bool:
    """Whether torch has this row of one dimension for vectors `(N, C)` as well."""
    one = row.rank == 1 and not x.space and not isinstance(row, OfImages | Weightless)
    return one and isinstance(row.recipe(x), Pointwise)


def _upsamples(row: Layer, x: Frame) -> bool:
    """Whether a row of any number of dimensions makes more of all of them."""
    return row.time() != IDENTITY and isinstance(row.recipe(_row_of(x)), Spread)


def of_other_images(row: type[Layer], x: Frame) -> Mistake:
    """That a row is for images of another number of dimensions, and its relative for those."""
    name, found = type_name(row), len(x.space)
    kin = kin_of(row, found) if found else row
    mend = type_name(kin)
    dimensions = "one dimension" if row.rank == 1 else f"{row.rank} dimensions"
    return Mistake(
        "E0401",
        f"`{name}` takes images with {dimensions} of space, the frames here have {found or 'none'}",
        layer=f"the input is {x}",
        help=f"use `{mend}`: inside `per_frame` the number counts space alone"
        if kin is not row
        else "",
        change=Use(mend) if kin is not row else None,
    )


def _row_of(x: Frame) -> Frame:
    """What stands at one place of the first dimension of space."""
    return Frame(x.channels, x.space[1:])


def _pictured(row: OfImages, x: Frame) -> _Facts:
    """A row that says itself what it does with images."""
    seen = row.picture(x)
    line = _row_of(x)
    macs = row.macs(line, seen.frame)
    return _Facts(seen.frame, row.weights(line), macs, seen.space, Folded(seen.recipe))


def _shifted(row: Layer, x: Frame) -> _Facts:
    """A row whose first dimension, time elsewhere, is the first of space."""
    without_time(getattr(row, "padding", ()), getattr(row, "temporal_fill", None))
    line = _row_of(x)
    try:
        made = row.shape(line)
        recipe = row.recipe(line)
    except Mistake as mistake:
        mistake.layer = mistake.layer.replace(str(line), str(x))
        raise
    match recipe:
        case Windowed() | Spread():
            reach = recipe.reach
        case Pointwise(call=None):
            reach = IDENTITY
        case _:
            raise _unfit(row, "has no form for images here")
    items = length(reach, x.space[0])
    if items < 1:
        raise Mistake(
            "E0403",
            f"`{type_name(type(row))}` gives nothing of {x.space[0]} places",
            layer=f"the input is {x}",
        )
    frame = Frame(made.channels, (items, *made.space))
    space = (reach, *row.space(line))
    macs = row.macs(line, made) * outputs_worked(recipe, x.space[0], items)
    return _Facts(frame, row.weights(line), macs, space, Folded(recipe))


def _framewise(row: Layer, x: Frame) -> _Facts:
    """A row that takes each frame by itself anyway."""
    if row.time() != IDENTITY:
        raise _unfit(row, "works over time")
    y = row.shape(x)
    recipe = row.recipe(x)
    if not isinstance(recipe, Pointwise):
        raise _unfit(row, "works over time")
    images = isinstance(row, Elementwise | Dropping) or (isinstance(row, Weightless) and x.space)
    made = Folded(recipe) if images else recipe
    return _Facts(y, row.weights(x), row.macs(x, y), row.space(x), made)


def _unfit(row: Layer, why: str) -> Mistake:
    name = type_name(type(row))
    return Mistake(
        "E0420",
        f"`{name}` {why}, and `per_frame` takes each frame by itself",
        help="put it before or after the `per_frame` block",
    )
