"""A tensor of a file, before its numbers are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Entry:
    """A tensor's shape and dtype, and how its numbers are read: each call reads anew.

    `memory` is where in memory its numbers lie, where they do not come from a file.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[], Array] = field(repr=False, compare=False)
    memory: int = field(default=0, repr=False, compare=False)

    @classmethod
    def of(cls, array: Array) -> "Entry":
        """That of an array in memory."""
        return cls(array.shape, array.dtype, lambda: array)

    @property
    def nbytes(self) -> int:
        """Bytes of its numbers."""
        return prod(self.shape) * self.dtype.itemsize


Tree: TypeAlias = Mapping[Any, Any] | Sequence[Any] | Entry
"""What a file holds: entries in mappings and sequences, among other things that are no tensors."""
