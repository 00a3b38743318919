"""Vectors that are added to items in turn, by the number of the item."""

from typing import Any

import torch
from torch import Tensor


def in_turn(module: Any, x: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
    """Items `(B, C, T)` and what the module gives for their positions, which begin at `position`
    `(B,)`, and the position after them."""
    numbers = torch.arange(x.shape[2], device=x.device)
    positions = (position.unsqueeze(1) + numbers) % module.positions
    added = module.at(positions).transpose(1, 2)
    return x + added.to(x.dtype), (position + x.shape[2]) % module.positions
