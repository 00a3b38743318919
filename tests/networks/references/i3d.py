"""Inception-I3D as piergiaj/pytorch-i3d has it (`InceptionI3d`), in plain torch under its keys."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

TABLE = {
    "3b": (192, 64, 96, 128, 16, 32, 32),
    "3c": (256, 128, 128, 192, 32, 96, 64),
    "4b": (480, 192, 96, 208, 16, 48, 64),
    "4c": (512, 160, 112, 224, 24, 64, 64),
    "4d": (512, 128, 128, 256, 24, 64, 64),
    "4e": (512, 112, 144, 288, 32, 64, 64),
    "4f": (528, 256, 160, 320, 32, 128, 128),
    "5b": (832, 256, 160, 320, 32, 128, 128),
    "5c": (832, 384, 192, 384, 48, 128, 128),
}
"""The channels that enter each block of four branches, and the widths of its branches."""
POOLS = {
    "Conv3d_1a_7x7": ((1, 3, 3), (1, 2, 2)),
    "Conv3d_2c_3x3": ((1, 3, 3), (1, 2, 2)),
    "Mixed_3c": ((3, 3, 3), (2, 2, 2)),
    "Mixed_4f": ((2, 2, 2), (2, 2, 2)),
}
"""The window and the stride of the pool that follows a layer."""
Triple = tuple[int, int, int]


def same(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """`x` with the zeros around it that TensorFlow calls `same`: as many outputs as strides."""
    pads: list[int] = []
    for size, k, s in zip(x.shape[:1:-1], kernel[::-1], stride[::-1], strict=True):
        most = max(k - (size % s or s), 0)
        pads += [most // 2, most - most // 2]
    return functional.pad(x, pads)


def pool(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """The largest of each window, zeros around included."""
    return functional.max_pool3d(same(x, kernel, stride), kernel, stride)


class Unit3D(nn.Module):
    """A convolution, padded as TensorFlow pads, with its norm and ReLU; or with a bias alone."""

    def __init__(
        self, inside: int, out: int, kernel: int = 1, stride: int = 1, plain: bool = False
    ) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(inside, out, kernel, stride, bias=plain)
        if not plain:
            self.bn = nn.BatchNorm3d(out, eps=0.001, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        windows: Any = (self.conv3d.kernel_size, self.conv3d.stride)
        y: Tensor = self.conv3d(same(x, *windows))
        return functional.relu(self.bn(y)) if hasattr(self, "bn") else y


class Mixed(nn.Module):
    """Four branches, side by side."""

    def __init__(self, inside: int, a: int, b1: int, b2: int, c1: int, c2: int, d: int) -> None:
        super().__init__()
        self.b0 = Unit3D(inside, a)
        self.b1a, self.b1b = Unit3D(inside, b1), Unit3D(b1, b2, 3)
        self.b2a, self.b2b = Unit3D(inside, c1), Unit3D(c1, c2, 3)
        self.b3b = Unit3D(inside, d)

    def forward(self, x: Tensor) -> Tensor:
        last = self.b3b(pool(x, (3, 3, 3), (1, 1, 1)))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), last], 1)


class I3D(nn.Module):
    """Inception-I3D; `head` is the side of the frames that reach its pool."""

    def __init__(self, *, channels: int = 3, classes: int, head: int = 7) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = Unit3D(channels, 64, 7, 2)
        self.Conv3d_2b_1x1 = Unit3D(64, 64)
        self.Conv3d_2c_3x3 = Unit3D(64, 192, 3)
        for name, sizes in TABLE.items():
            self.add_module(f"Mixed_{name}", Mixed(*sizes))
        self.logits = Unit3D(1024, classes, plain=True)
        self.head = head

    def features(self, x: Tensor) -> Tensor:
        """What comes before the pool: `(B, C, T, H, W)`."""
        for name, layer in self.named_children():
            if name != "logits":
                x = layer(x)
            if name in POOLS:
                x = pool(x, *POOLS[name])
        return x

    def forward(self, x: Tensor) -> Tensor:
        """The logits of every 8 frames but the last: `(B, classes, T)`."""
        y = functional.avg_pool3d(self.features(x), (2, self.head, self.head), 1)
        return torch.as_tensor(self.logits(y)[..., 0, 0])
