"""A tensor as a source has it, and the way to torch's layout and back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from codsl.weights.entry import Array
from codsl.weights.places import Place

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Form:
    """A tensor as a source has it: `leaf` and `shape`, seen as `view`, with its `axes` in torch's
    order and those in `flips` turned round, gives torch's tensor of shape `target`."""

    leaf: str
    shape: Shape
    target: Shape
    view: Shape = ()
    axes: tuple[int, ...] = ()
    flips: tuple[int, ...] = ()

    def to_torch(self, array: Array) -> Array:
        """The array in torch's layout, C order."""
        seen = array.reshape(self.view or self.shape)
        seen = np.flip(seen, self.flips) if self.flips else seen
        return (seen.transpose(self.axes) if self.axes else seen).reshape(self.target)

    def from_torch(self, array: Array) -> Array:
        """The source's array of one in torch's layout."""
        view = self.view or self.shape
        if self.axes:
            turned = tuple(view[axis] for axis in self.axes)
            array = array.reshape(turned).transpose(np.argsort(self.axes))
        seen = array.reshape(view)
        return (np.flip(seen, self.flips) if self.flips else seen).reshape(self.shape)

    @property
    def change(self) -> str:
        """What happens to the numbers' order, in words; empty where nothing does."""
        words = []
        if self.axes:
            words.append("transposed")
        if self.flips:
            words.append("flipped")
        if not words and self.shape != self.target:
            words.append("reshaped")
        return " and ".join(words)


Forms = Callable[[Place], Iterator[Form]]
"""The forms of a place in a layout, the usual one first."""


def plain(place: Place, leaf: str | None = None) -> Form:
    """The tensor as torch has it, under its own or another word."""
    return Form(leaf or place.leaf, place.shape, place.shape)


def spread(
    place: Place, leaf: str, ranks: range = range(1, 4), last: bool = False
) -> Iterator[Form]:
    """The numbers of `(C,)` in a frame: `(1, C, 1, ...)`, or `(1, ..., C)` where channels are
    `last`."""
    for rank in ranks:
        ones = (1,) * rank
        shape = (*ones, *place.shape) if last else (1, *place.shape, *ones)
        yield Form(leaf, shape, place.shape)
