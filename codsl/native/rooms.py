"""Memory that steps read and write."""

from collections import deque
from math import prod
from sys import getrefcount

import torch
from torch import Tensor

from codsl.native.pages import Pages
from codsl.native.values import View, channels_last, strides_in


class Room:
    """A tensor and its address."""

    __slots__ = ("at", "tensor")

    def __init__(self, x: Tensor) -> None:
        self.tensor = x
        self.at = x.data_ptr()


def copied(x: Tensor) -> Room:
    """The numbers of a tensor with channels, the second dimension, beside each other."""
    sizes = tuple(x.shape)
    strides = strides_in(sizes, channels_last(len(sizes)))
    return Room(torch.empty_strided(sizes, strides, dtype=x.dtype).copy_(x))


def as_it_comes(x: Tensor) -> Room:
    """The numbers of a tensor one after another, as most frames lie."""
    return Room(x.contiguous())


class Fresh:
    """Rooms for one result, each of them new."""

    __slots__ = ("_dtype", "_sizes", "_strides")

    def __init__(self, like: View) -> None:
        self._sizes, self._dtype = like.sizes, like.dtype
        self._strides = strides_in(like.sizes, channels_last(len(like.sizes)))

    def take(self) -> Room:
        """A room that may be written to."""
        return Room(torch.empty_strided(self._sizes, self._strides, dtype=self._dtype))


class Used(Fresh):
    """Rooms for one result, those again that nobody else holds any more."""

    __slots__ = ("_made", "_pages")

    def __init__(self, like: View, pages: Pages) -> None:
        super().__init__(like)
        self._made: deque[Room] = deque()
        self._pages = pages

    def take(self) -> Room:
        """A room that may be written to; mostly the oldest."""
        made = self._made
        if made and getrefcount(made[0]) == _FREE:
            made.rotate(-1)
            return made[-1]
        return self._another()

    def _another(self) -> Room:
        """A room that is not the oldest."""
        for number, count in enumerate(map(getrefcount, self._made)):
            if count == _LISTED:
                self._made.rotate(-number - 1)
                return self._made[-1]
        memory = self._pages.take(prod(self._sizes) * self._dtype.itemsize).view(self._dtype)
        fresh = Room(memory.as_strided(self._sizes, self._strides))
        self._made.append(fresh)
        return fresh


_SAMPLE = deque([object()])
_FREE, _LISTED = getrefcount(_SAMPLE[0]), next(map(getrefcount, _SAMPLE))
"""What is counted for something that a queue alone has, asked in two ways."""
