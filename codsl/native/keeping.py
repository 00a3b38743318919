"""What a stream keeps between two steps, and where it lies in one block of memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

import torch

from codsl.native.pages import aligned
from codsl.native.values import Sizes

COUNT = 8
"""Bytes of a count."""


@dataclass(frozen=True)
class Item:
    """An item of `which` of those that are kept: the next to come, with 0, or one before it."""

    which: int
    from_next: int

    @property
    def place(self) -> str:
        """C++ for where it lies."""
        return f"codsl::item(state, kept, {self.which}, {self.from_next})"


@dataclass(frozen=True)
class Kept:
    """The last items of a value, of these sizes, rows first and channels beside each other, in so
    many slots: one that comes takes the place of the oldest."""

    sizes: Sizes
    dtype: torch.dtype
    slots: int

    @property
    def row(self) -> int:
        """Bytes of a row."""
        return prod(self.sizes[1:]) * self.dtype.itemsize

    @property
    def bytes(self) -> int:
        """Bytes of an item."""
        return prod(self.sizes) * self.dtype.itemsize

    @property
    def apart(self) -> int:
        """Bytes from a slot to the next."""
        return aligned(self.bytes)


class Keeping:
    """How a block of `size` bytes lies: a count for each that is kept, so many bytes of something
    else, and the slots."""

    def __init__(self, kept: Sequence[Kept], more: int = 0) -> None:
        self.kept = tuple(kept)
        self.head = aligned(COUNT * len(self.kept) + more)
        ends = accumulate((each.slots * each.apart for each in self.kept), initial=self.head)
        *self.places, self.size = ends

    @property
    def table(self) -> str:
        """What is kept in C++, as `items.h` has it."""
        rows = (
            f"\n    codsl::Kept{{{place}, {each.row}, {each.slots}, {each.apart}}}"
            for place, each in zip(self.places, self.kept, strict=True)
        )
        kind = f"std::array<codsl::Kept, {len(self.kept)}>"
        return f"constexpr {kind} kept = {{{','.join(rows)}}};\n"

    def place(self, which: int, came: int, from_next: int) -> int:
        """The byte at which an item begins, once so many have come, as C++ finds it."""
        each = self.kept[which]
        return self.places[which] + (came + from_next) % each.slots * each.apart


def counted(which: int, items: int) -> str:
    """C++ by which so many items have come."""
    return f"codsl::came(state)[{which}] += {items};"
