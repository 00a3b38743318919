"""Numbers that stand for frames, where a network is tried or measured."""

from collections.abc import Sequence

import torch
from torch import Tensor


def drawn(
    sizes: Sequence[int],
    most: int | None,
    draw: torch.Generator,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Normal random numbers, or where they are looked up ids, of which there are so many at
    most."""
    if most is not None:
        return torch.randint(most, tuple(sizes), generator=draw, dtype=dtype)
    return torch.randn(tuple(sizes), generator=draw, dtype=dtype)
