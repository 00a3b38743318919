"""Modules that hold what torch.nn has no class for, initialised as those who introduced it do."""

from math import ceil, cos, floor, pi, sin

import torch
from torch import nn


class Gains(nn.Module):
    """`gamma`, ones, and `beta`, zeros, for each channel; none without `affine`."""

    def __init__(
        self,
        channels: int,
        affine: bool = True,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.gamma = self.beta = None
        if affine:
            self.gamma = nn.Parameter(torch.ones(channels, device=device, dtype=dtype))
            self.beta = nn.Parameter(torch.zeros(channels, device=device, dtype=dtype))


class CyclicPattern(nn.Module):
    """The cyclic positions of Ma et al. (2021), `(num_embeddings, embedding_dim)`: no weight."""

    weight: torch.Tensor

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        table = cyclic(num_embeddings, embedding_dim).to(device, dtype or torch.get_default_dtype())
        self.register_buffer("weight", table, persistent=False)


def cyclic(positions: int, features: int) -> torch.Tensor:
    """The cyclic positions of Ma et al. (2021), `(positions, features)`, in float64.

    Raises `ValueError` for fewer than two features, and for one position or five: it is a mean of
    five neighbours less the mean of all, and nothing would be left.
    """
    if features < 2:
        raise ValueError(f"a cyclic encoding has two features or more, got {features}")
    if positions in (1, 5):
        raise ValueError(f"a cyclic encoding of {positions} positions is zero everywhere")
    columns = [_column(channel, positions, features) for channel in range(features)]
    pattern = torch.tensor(columns, dtype=torch.float64).T
    around = torch.stack([pattern.roll(shift, 0) for shift in range(-2, 3)]).sum(0)
    return around / 5 - pattern.mean(0)


def _column(channel: int, rows: int, channels: int) -> list[float]:
    """A channel of the pattern before it is smoothed (equation 4 and appendix B there)."""
    half = channels // 2
    periods = _whole_steps(rows ** (1 / half), rows, half)
    third = channel // 3 * 3 + 1
    period = periods[third] if third < half else periods[-1]
    span = ceil(rows / period) * period
    if rows <= period:
        span = period = rows
    hundredths = _whole_steps(0, ceil((span + 0.01) / 0.01) - 1, rows + 1)
    shift = 2 * pi * (half - channel) / half if channel > half else 0.0
    wave = cos if channel % 2 else sin
    return [
        wave(2 * pi / period * abs(each * 0.01 % (2 * period) - period) + shift)
        for each in hundredths[:rows]
    ]


def _whole_steps(first: float, last: int, count: int) -> list[int]:
    """So many numbers from `first` to `last` at equal distances, each rounded down."""
    step = (last - first) / max(1, count - 1)
    return [floor(first + each * step) for each in range(count - 1)] + [
        last if count > 1 else floor(first)
    ]
