"""Consecutive items of `(B, C, T, *S)`, taken as they are; their padding is there already."""

from collections.abc import Callable

import torch
from torch import Tensor


def subsample_frames(x: Tensor, stride: int) -> Tensor:
    """Every `stride`-th item, the first among them."""
    return x[:, :, ::stride]


def shift_channels(x: Tensor, channels: int, online: bool) -> Tensor:
    """The first `channels` from the next item and as many from the previous one; `online` the
    first `channels` from the previous one. Items without such neighbours give no output."""
    if online:
        return torch.cat([x[:, :channels, :-1], x[:, channels:, 1:]], 1)
    after, before = x[:, :channels, 2:], x[:, channels : 2 * channels, :-2]
    return torch.cat([after, before, x[:, 2 * channels :, 1:-1]], 1)


def stack_frames(x: Tensor, frames: int, stride: int) -> Tensor:
    """The channels of so many items in one, the oldest item's first."""
    starts = x.shape[2] - frames + 1
    return torch.cat([x[:, :, tap : tap + starts : stride] for tap in range(frames)], 1)


FUNCTIONS: tuple[Callable[..., Tensor], ...] = (subsample_frames, shift_channels, stack_frames)
"""What recipes call."""
