"""Upsampling: items of `(B, C, T, *S)` that are repeated, or have others between them."""

import torch
from torch import Tensor
from torch.nn import functional

Sizes = tuple[int, ...]
LINEAR = {1: "linear", 2: "bilinear"}


def repeat_items(x: Tensor, factors: Sizes) -> Tensor:
    """Every item and every place several times."""
    wide = _over_space(x, factors[1:], "nearest", None)
    return wide.repeat_interleave(factors[0], 2) if factors[0] > 1 else wide


def between_items(x: Tensor, factors: Sizes, align_corners: bool) -> Tensor:
    """Outputs between the centres of items and places, by distance; the ends repeat themselves.

    Over time the distances are those of one period, so that they are exact in endless streams.
    """
    rank = len(factors) - 1
    factor = factors[0]
    wide = _over_space(x, factors[1:], LINEAR[rank], align_corners) if rank else x
    items = x.shape[2]
    ends = torch.cat([wide[:, :, :1], wide, wide[:, :, -1:]], 2)
    parts = []
    for output in range(factor):
        oldest, between = divmod(2 * output + 1 - factor, 2 * factor)
        part = ends.narrow(2, oldest + 1, items)
        if between:
            part = torch.lerp(part, ends.narrow(2, oldest + 2, items), between / (2 * factor))
        parts.append(part)
    return torch.stack(parts, 3).flatten(2, 3)


def _over_space(x: Tensor, factors: Sizes, mode: str, align_corners: bool | None) -> Tensor:
    """Every frame as an image that is interpolated by itself."""
    if all(factor == 1 for factor in factors):
        return x
    scale = tuple(map(float, factors))
    images = x.flatten(1, 2)
    y = functional.interpolate(images, scale_factor=scale, mode=mode, align_corners=align_corners)
    return y.reshape(*x.shape[:3], *y.shape[2:])
