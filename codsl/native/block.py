"""The memory in which a stream keeps its items, for steps in C++ that find them by themselves."""

from collections.abc import Sequence

import torch
from torch import Tensor

from codsl.native.keeping import COUNT, Keeping, Kept
from codsl.native.pages import paged
from codsl.native.values import lying


class Block:
    """A block of memory, in which no item has come yet."""

    def __init__(self, kept: Sequence[Kept]) -> None:
        self.keeping = Keeping(kept)
        self._memory = paged(self.keeping.size).zero_()
        self._came = self._memory[: COUNT * len(kept)].view(torch.int64)
        self.at = self._memory.data_ptr()

    def item(self, which: int, back: int) -> Tensor:
        """One that is kept, or with 0 the next to come, where it lies."""
        each = self.keeping.kept[which]
        place = self.keeping.place(which, int(self._came[which]), -back)
        numbers = self._memory[place : place + each.bytes].view(each.dtype)
        return numbers.as_strided(each.sizes, lying(each.sizes))

    def put(self, which: int, x: Tensor) -> None:
        """Let an item come."""
        self.item(which, 0).copy_(x)
        self._came[which] += 1
