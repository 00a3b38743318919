"""What a user writes by hand, for mypy: it runs, and each mistake in it is one to mypy too.

`make lint` checks it: an ignored mistake that mypy does not see is an error there.
"""

from collections.abc import Callable
from typing import assert_type

import torch
from torch import Tensor, nn

import codsl.nn as co


class Mobile(nn.Module):
    """A class of a user that holds continual layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = co.Conv3d(3, channels, kernel_size=(3, 1, 1), padding=("causal", 0, 0))
        self.norm = co.BatchNorm3d(channels, momentum=0.05, device="cpu", dtype=torch.float64)
        self.act = co.ReLU(inplace=True)


def conv() -> co.Conv3d:
    """A layer has the attributes of torch's."""
    made = co.Conv3d(3, 8, 3, stride=(2, 1, 1), padding=((2, 0), "same", 1), temporal_fill="zeros")
    assert_type(made.weight, Tensor)
    assert_type(made.kernel_size, tuple[int, ...])
    assert_type(made.delay, int)
    both: tuple[nn.Conv3d, co.CoModule] = (made, made)
    assert_type(co.Conv3d.build_from(nn.Conv3d(3, 8, 3), temporal_fill="zeros"), co.Conv3d)
    assert len(both) == 2
    return made


def network() -> co.Sequential:
    """All kinds of classes, in a container."""
    return co.Sequential(
        co.Conv1d(3, 8, 3, 1, "causal", bias=False),
        co.LayerNorm(8, over="channels"),
        co.GELU("tanh"),
        co.Residual(co.Conv1d(8, 8, 3, padding=1)),
        co.Mul([0.5] * 8),
        co.RMSNorm(8),
        co.Scale("channel", shape=(8,)),
        co.MultiheadAttention(8, 2, past=4),
        co.GRU(8, 4),
        co.Upsample(scale_factor=1),
    )


WRONG: list[Callable[[], object]] = [
    lambda: co.Conv3d(3, 8),  # type: ignore[call-arg]
    lambda: co.Conv3d(3, 8, 3, strides=2),  # type: ignore[call-arg]
    lambda: co.Conv3d(3, "8", 3),  # type: ignore[arg-type]
    lambda: co.Conv3d(3, 8, (3, 3)),  # type: ignore[arg-type]
    lambda: co.Conv3d(3, 8, 3, padding="full"),  # type: ignore[arg-type]
    lambda: co.Conv3d(3, 8, 3, padding_mode="mirror"),  # type: ignore[arg-type]
    lambda: co.Conv1d(3, 8, 3, temporal_fill="ones"),  # type: ignore[arg-type]
    lambda: co.MultiheadAttention(8, 2),  # type: ignore[call-arg]
    lambda: co.Scale("row"),  # type: ignore[arg-type]
    lambda: co.Subsample(None),  # type: ignore[arg-type]
    lambda: co.Conv4d(3, 8, 3),  # type: ignore[attr-defined]
]
