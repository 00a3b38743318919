"""Gates: half of a dimension times a function of the other half."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.arguments import Axis
from codsl.layers.axis import axis, image_axis
from codsl.layers.mistake import Mistake
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import (
    ANY_RANK,
    Layer,
    OfImages,
    Parameterless,
    Picture,
    Weightless,
    settings,
    type_name,
)

Examples = tuple[Mapping[str, Any], ...]


def halved(row: Layer, at: int, x: Frame) -> Frame:
    """`x` with half of one of its sizes; raises `Mistake` where that is odd."""
    size = x.shape[at]
    if size % 2:
        name = type_name(type(row))
        raise Mistake(
            "E0402", f"`{name}` halves an even size, not {size}", layer=f"the input is {x}"
        )
    sizes = (*x.shape[:at], size // 2, *x.shape[at + 1 :])
    return Frame(sizes[0], sizes[1:])


@final
@dataclass(frozen=True)
class GLU(Weightless, OfImages):
    """The first half of `dim` times the sigmoid of the second (Dauphin et al., 2016)."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("gated_linear_unit",)
    examples: ClassVar[Examples] = ({},)
    dim: Axis = 1

    @final
    def fit(self, x: Frame) -> Frame:
        return halved(self, max(0, axis(self.dim, x) - 2), x)

    @final
    def picture(self, x: Frame) -> Picture:
        y = halved(self, image_axis(self.dim, x) - 1, x)
        return Picture(y, self.space(x), Pointwise(type(self).__name__, settings(self)))


@final
@dataclass(frozen=True)
class GTU(Parameterless, OfImages):
    """The gate of WaveNet: the hyperbolic tangent of the first half of `dim` times the sigmoid of
    the second (van den Oord et al., 2016)."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("gated", "gated_tanh_unit")
    examples: ClassVar[Examples] = ({}, {"dim": -1})
    dim: Axis = 1

    @final
    def fit(self, x: Frame) -> Frame:
        return halved(self, max(0, axis(self.dim, x) - 2), x)

    @final
    def picture(self, x: Frame) -> Picture:
        y = halved(self, image_axis(self.dim, x) - 1, x)
        return Picture(y, self.space(x), self.recipe(x))

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return Pointwise(call=Call("gtu_halves", settings(self)))
