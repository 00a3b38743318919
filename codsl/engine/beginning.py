"""Rows of a batch that begin at any frame: which items each has, and what stands for the others.

A stream that is beyond its beginning is the same in every turn, so a row that began later has the
same items under lower numbers, and none below 0.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from codsl.algebra.time import Time
from codsl.graph.graph import Graph


class Beginning:
    """How many frames a row must have had before the frame `first` for what it is asked here."""

    def __init__(self, graph: Graph, first: int) -> None:
        self._cycle = graph.cycle
        self._first = first

    def since(self, fires: Time, item: int) -> int:
        """For an item of a value to be one; at most 0 where it always is."""
        return self.late(item // self._cycle.items(fires))

    def late(self, turns: int) -> int:
        """To have begun so many turns late at most."""
        return self._first - self._cycle.turn * turns

    def turns(self) -> range:
        """How many turns late a row may be, if at all."""
        return range(1, self._first // self._cycle.turn + 1)


def there(since: int, had: Tensor) -> Tensor:
    """Whether rows that have had so many frames have what is there from `since` on, `(B,)`."""
    return had >= since


def here(since: int, rank: int, had: Tensor) -> Tensor:
    """The same for items of so many dimensions, `(B, 1, ...)`."""
    return there(since, had).view(-1, *(1,) * rank)


def filled(fill: float, here: Tensor, x: Tensor) -> Tensor:
    """`x` in rows that have it, else `fill`."""
    return torch.where(here, x, fill)


def carried_on(
    since: int, had: Tensor, new: Sequence[Tensor], old: Sequence[Tensor]
) -> list[Tensor]:
    """What is carried, changed only in rows that have an item."""
    return [
        torch.where(_rows(had >= since, one), one, other)
        for one, other in zip(new, old, strict=True)
    ]


def instead(had_had: int, had: Tensor, late: Tensor, usual: Tensor) -> Tensor:
    """Items `(B, C, T, *S)` of rows that have had just so many frames, of which there may be fewer,
    and of the others."""
    less = usual.shape[2] - late.shape[2]
    last = usual[:, :, less:] if less else usual
    mixed = torch.where(_rows(had == had_had, late), late, last)
    return torch.cat([usual[:, :, :less], mixed], 2) if less else mixed


def _rows(which: Tensor, x: Tensor) -> Tensor:
    return which.view(-1, *(1,) * (x.dim() - 1))
