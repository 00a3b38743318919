"""The machine that C++ is compiled for: this one."""

from functools import cache

import torch

BYTES = {"AVX512": 64, "AVX2": 32}
"""Bytes of a vector by what torch calls the processor; 16 for others."""


@cache
def lanes(dtype: torch.dtype) -> int:
    """How many numbers a vector has."""
    return BYTES.get(torch.backends.cpu.get_cpu_capability(), 16) // dtype.itemsize
