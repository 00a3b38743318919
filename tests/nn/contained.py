"""A container by hand, clips for it, and its stream whole."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

import codsl.nn as co


def clip_of(frames: int = 10, batch: int = 1, channels: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(frames)
    return torch.randn(batch, channels, frames, generator=generator)


def streamed(net: Any, x: Tensor) -> Tensor:
    net.clean_state()
    steps = [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]
    due = [step.unsqueeze(2) for step in steps if step is not None]
    end = net.flush()
    return torch.cat([*due, *([] if end is None else [end])], 2)


def sequential() -> Any:
    torch.manual_seed(0)
    return co.Sequential(
        co.Conv1d(2, 3, 3, padding=1), nn.ReLU(), co.Residual(co.Conv1d(3, 3, 5, padding=2))
    )
