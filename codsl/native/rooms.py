"""Memory for the results of steps."""

from collections import deque
from sys import getrefcount

import torch
from torch import Tensor

from codsl.native.values import View, channels_last, strides_in


class Rooms:
    """Tensors for one result, channels last: new ones, or, with `again`, that which nobody but
    this holds any more."""

    def __init__(self, like: View, again: bool) -> None:
        self._sizes, self._dtype = like.sizes, like.dtype
        self._strides = strides_in(like.sizes, channels_last(len(like.sizes)))
        self._again = again
        self._made: deque[Tensor] = deque()

    def take(self) -> Tensor:
        """A tensor that may be written to."""
        if not self._again:
            return self._new()
        made = self._made
        if made:
            oldest = made[0]
            if getrefcount(oldest) == _FREE:
                made.rotate(-1)
                return oldest
        for number, each in enumerate(made):
            if getrefcount(each) == _FREE:
                del made[number]
                made.append(each)
                return each
        fresh = self._new()
        made.append(fresh)
        return fresh

    def _new(self) -> Tensor:
        return torch.empty_strided(self._sizes, self._strides, dtype=self._dtype)


def _free() -> int:
    """What is counted for a tensor in a queue, and in a name beside it."""
    made = deque([torch.empty(0)])
    oldest = made[0]
    return getrefcount(oldest)


_FREE = _free()
