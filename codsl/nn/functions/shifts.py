"""Items of `(B, C, T, *S)`, taken as they are; those of a window with their padding."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def subsample_frames(x: Tensor, stride: int) -> Tensor:
    """Every `stride`-th item, the first among them."""
    return x[:, :, ::stride]


def shift_channels(x: Tensor, channels: int) -> Tensor:
    """The first `channels` from the next item and as many from the previous one. Items without
    such neighbours give no output."""
    after, before = x[:, :channels, 2:], x[:, channels : 2 * channels, :-2]
    return torch.cat([after, before, x[:, 2 * channels :, 1:-1]], 1)


def first_channels(module: Any, x: Tensor, channels: int) -> Tensor:
    """The first `channels` of items."""
    return x[:, :channels]


def shift_first_channels(module: Any, x: Tensor, kept: Tensor, lead: int, channels: int) -> Tensor:
    """Items `x` with their first `channels` from the previous item: those kept of one before them,
    or zeros where `lead` is none, and of themselves."""
    before = kept if lead else torch.cat([torch.zeros_like(kept[:, :, :1]), kept], 2)
    return torch.cat([before[:, :, : x.shape[2]], x[:, channels:]], 1)


def stack_frames(x: Tensor, frames: int, stride: int) -> Tensor:
    """The channels of so many items in one, the oldest item's first."""
    starts = x.shape[2] - frames + 1
    return torch.cat([x[:, :, tap : tap + starts : stride] for tap in range(frames)], 1)


FUNCTIONS: tuple[Callable[..., Tensor], ...] = (
    subsample_frames,
    shift_channels,
    first_channels,
    shift_first_channels,
    stack_frames,
)
"""What recipes call."""
