"""Memory that steps read and write."""

from collections import deque
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


class Rooms:
    """Rooms for one result: new ones, or, with `again`, those that nobody but this holds any
    more."""

    def __init__(self, like: View, again: bool, pages: Pages) -> None:
        self._sizes, self._dtype = like.sizes, like.dtype
        self._bytes, self._pages = like.buffer.bytes, pages
        self._strides = strides_in(like.sizes, channels_last(len(like.sizes)))
        self._again = again
        self._made: deque[Room] = deque()

    def take(self) -> Room:
        """A room that may be written to."""
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
        if not self._again:
            return Room(torch.empty_strided(self._sizes, self._strides, dtype=self._dtype))
        memory = self._pages.take(self._bytes).view(self._dtype)
        fresh = Room(memory.as_strided(self._sizes, self._strides))
        self._made.append(fresh)
        return fresh


_SAMPLE = deque([object()])
_FREE, _LISTED = getrefcount(_SAMPLE[0]), next(map(getrefcount, _SAMPLE))
"""What is counted for something that a queue alone has, asked in two ways."""
