"""The cyclic positional encoding of Ma et al., 2021, as their formula says it."""

from math import pi

import torch
from torch import Tensor


def cyclic(positions: int, features: int) -> Tensor:
    """`(positions, features)`: position `positions` would be position 0 again.

    Feature `d` is a sine (even `d`) or cosine (odd `d`) of period `w` around the positions, which
    are stretched to a whole number of periods: `z = i / N * w * ceil(N / w)`, and goes there and
    back, `sin(2 * pi / w * abs(z mod 2w - w) + shift)`. Periods grow from `N ** (1 / half)` to `N`
    over `half = features // 2`, three features at a time; features beyond half are shifted. Each
    position is the mean of five neighbours, less the mean of all. Raises `ValueError` for fewer
    than two features.
    """
    if features < 2:
        raise ValueError(f"a cyclic encoding has two features or more, got {features}")
    half = features // 2
    numbers = torch.arange(positions, dtype=torch.float64)
    columns = [_feature(d, half, positions, numbers) for d in range(features)]
    pattern = torch.stack(columns, 1)
    around = torch.stack([pattern.roll(shift, 0) for shift in range(-2, 3)]).mean(0)
    return (around - pattern.mean(0)).to(torch.get_default_dtype())


def _feature(d: int, half: int, positions: int, numbers: Tensor) -> Tensor:
    step = min(d // 3 * 3 + 1, half - 1)
    least = positions ** (1 / half)
    part = step / (half - 1) if half > 1 else 0.0
    period = float(int(least + part * (positions - least) + 1e-9))
    periods = -(-positions // period)
    stretched = numbers / positions * period * periods
    shift = 2 * pi * (half - d) / half if d > half else 0.0
    angle = 2 * pi / period * (stretched % (2 * period) - period).abs() + shift
    return angle.cos() if d % 2 else angle.sin()
