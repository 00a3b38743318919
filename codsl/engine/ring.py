"""The last items of a value side by side in one tensor, each in its place until it is too old."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor


class Ring:
    """The last `depth` items, and room for one that comes."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._items = torch.empty(0)
        self._next = 0

    def extend(self, items: Iterable[Tensor]) -> None:
        """Hold these instead, `depth` items, the oldest first."""
        held = torch.stack(list(items))
        self._items = torch.cat([held, torch.zeros_like(held[:1])])
        self._next = self._depth

    def with_one(self, item: Tensor) -> Tensor:
        """The items and one more, `(depth + 1, B, C)`, in any order. It counts when it is kept."""
        self._items[self._next] = item
        return self._items

    def keep(self) -> None:
        """Hold the one that came, and the oldest no longer."""
        self._next = (self._next + 1) % (self._depth + 1)

    def __iter__(self) -> Iterator[Tensor]:
        """The items, the oldest first."""
        size = self._depth + 1
        return (self._items[(self._next + back) % size] for back in range(1, size))

    def __len__(self) -> int:
        """How many are held."""
        return max(0, len(self._items) - 1)
