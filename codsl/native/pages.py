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
"""Bytes of which every piece of memory begins at a multiple."""


def aligned(size: int) -> int:
    """So many bytes, and those up to where the next piece begins."""
    return -(-size // ALIGNED) * ALIGNED


def paged(size: int) -> Tensor:
    """So many bytes, in large pages where these are not mostly empty."""
    if sys.platform != "linux" or size < PAGE // 2:
        return torch.empty(size, dtype=torch.uint8)
    whole = mmap.mmap(-1, size + 2 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):
        whole.madvise(mmap.MADV_HUGEPAGE)
    memory = torch.frombuffer(whole, dtype=torch.uint8)
    start = -memory.data_ptr() % PAGE
    return memory[start : start + size]
