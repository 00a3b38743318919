"""What is added to items of `(B, C, T, *S)` for their positions."""

from typing import Any

import torch
from torch import Tensor


def add_sinusoids(module: Any, x: Tensor, position: Tensor, base: float) -> tuple[Tensor, Tensor]:
    """Sines in even channels, cosines in odd ones, of positions counted from 0."""
    positions = _positions(position, x)
    channels = torch.arange(x.shape[1], device=x.device)
    speeds = base ** (-(channels - channels % 2).double() / x.shape[1])
    angles = positions.unsqueeze(1) * speeds[:, None]
    encoded = torch.where(channels[:, None] % 2 == 0, angles.sin(), angles.cos())
    return _added(x, encoded), positions[:, -1] + 1


def add_in_turn(module: Any, x: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
    """The rows of the module's table, the first again after the last."""
    positions = _positions(position, x)
    rows = module.weight[positions % len(module.weight)]
    return _added(x, rows.transpose(1, 2)), positions[:, -1] + 1


def _positions(position: Tensor, x: Tensor) -> Tensor:
    """The position of each item, `(B, T)`."""
    return position.unsqueeze(1) + torch.arange(x.shape[2], device=x.device)


def _added(x: Tensor, encoded: Tensor) -> Tensor:
    """Items with `(B, C, T)` added at every place."""
    return x + encoded.to(x.dtype).view(*encoded.shape, *(1,) * (x.dim() - 3))
