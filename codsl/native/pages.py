"""Memory in large pages, where the system has them.

A step passes through all weights and kept items. In pages of four kilobytes these are more than a
processor has the addresses of at hand, and it fetches nothing by itself across the end of one.
"""

import mmap
import sys
from contextlib import suppress

import torch
from torch import Tensor

PAGE = 2 << 20
"""Bytes of a large page."""
ALIGNED = 64
"""Bytes of which every piece begins at a multiple."""


class Pages:
    """Memory that is taken piece by piece, about `size` bytes at once; where these are less than a
    page, each piece is for itself."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = torch.empty(0, dtype=torch.uint8)

    def take(self, size: int) -> Tensor:
        """So many bytes, whose memory is free again when nobody holds any piece of it."""
        if self._size < PAGE:
            return torch.empty(size, dtype=torch.uint8)
        needed = -(-size // ALIGNED) * ALIGNED
        if needed > len(self._left):
            self._left = _mapped(-(-max(needed, self._size) // PAGE) * PAGE)
        taken, self._left = self._left[:size], self._left[needed:]
        return taken


def _mapped(size: int) -> Tensor:
    """So many bytes from the beginning of a page on."""
    if sys.platform != "linux":
        return torch.empty(size, dtype=torch.uint8)
    whole = mmap.mmap(-1, size + PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):
        whole.madvise(mmap.MADV_HUGEPAGE)
    memory = torch.frombuffer(whole, dtype=torch.uint8)
    start = -memory.data_ptr() % PAGE
    return memory[start : start + size]
