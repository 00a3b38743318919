"""Memory that steps read and write."""

from collections import deque
from sys import getrefcount

import torch
from torch import Tensor

from codsl.native.pages import Pages
from codsl.native.values import View, channels_last, strides_in


class Room:
    """A tensor with channels, the second dimension, beside each other, and its address."""

    __slots__ = ("at", "tensor")

    def __init__(self, x: Tensor) -> None:
        self.tensor = laid(x)
        self.at = self.tensor.data_ptr()


def laid(x: Tensor) -> Tensor:
    """A tensor with channels beside each other; itself where they are."""
    if x.dim() < 3:
        return x.contiguous()
    order = channels_last(x.dim())
    back = [order.index(dim) for dim in range(x.dim())]
    return x.permute(order).contiguous().permute(back)


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
