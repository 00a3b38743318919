"""What a stream remembers between two frames, in whatever form a backend likes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from codsl.engine.listing import Listing
from codsl.nn.running.program import Values

Step = Callable[[list[Tensor]], Values]
"""The outputs that are due with frames, in memory that nobody else has."""


@dataclass(frozen=True)
class Kept:
    """The last `depth` items of a value, tensors of these sizes. What is `given` are frames as they
    come, what is `joined` lies in one tensor."""

    sizes: tuple[int, ...]
    depth: int
    given: bool
    joined: bool


@dataclass(frozen=True)
class Needs:
    """What is kept for the steps of a stream, in a dtype: for each feed its items, and carried
    tensors, each of some sizes and a dtype. A backend may compute in another `precision`. With
    `last` images have the channels of a place beside each other."""

    feeds: tuple[Kept, ...]
    carried: tuple[tuple[tuple[int, ...], torch.dtype], ...]
    dtype: torch.dtype
    precision: torch.dtype | None
    last: bool


class Memory(Protocol):
    """What a stream remembers, and what happens with a frame."""

    def load(self, items: Sequence[Sequence[Tensor]], carried: Sequence[Tensor]) -> None:
        """Remember copies of these instead: the items of each feed, the oldest first."""

    def items(self) -> list[list[Tensor]]:
        """The items of each feed, the oldest first, until the next step."""

    def carried(self) -> list[Tensor]:
        """The carried tensors, until the next step."""

    def step(self, listing: Listing, xs: list[Tensor]) -> Step:
        """What happens at a frame, with frames like these; what is remembered now is of the kind
        that it will find."""
