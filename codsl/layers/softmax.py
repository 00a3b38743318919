"""Softmax and its kin, along one dimension of a frame, as torch.nn's of the same name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.activation import PLAIN, Elementwise
from codsl.layers.arguments import Axis
from codsl.layers.axis import axis, image_axis
from codsl.layers.recipe import Pointwise
from codsl.layers.row import ANY_RANK, OfImages, Picture, Weightless, settings

Examples = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Normalised(Weightless, OfImages):
    """A softmax of some kind along one dimension: channels, or one of space."""

    dim: Axis = 1

    @final
    def fit(self, x: Frame) -> Frame:
        axis(self.dim, x)
        return x

    @final
    def picture(self, x: Frame) -> Picture:
        image_axis(self.dim, x)
        recipe = Pointwise(type(self).__name__, settings(self))
        return Picture(x, self.space(x), recipe)


@final
class Softmin(Normalised):
    """The softmax of `-x` along `dim`, channels if not said otherwise."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Softmax(Normalised):
    """`exp(x)`, divided by its sum along `dim`, channels if not said otherwise."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({}, {"dim": -1})


@final
class Softmax2d(Elementwise):
    """The softmax over channels of `(B, C, T, S)`."""

    rank: ClassVar[int] = 2
    examples: ClassVar[Examples] = PLAIN


@final
class LogSoftmax(Normalised):
    """The logarithm of the softmax along `dim`, channels if not said otherwise."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN
