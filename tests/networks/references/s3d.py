"""S3D of torchvision 0.28.0, in plain torch under its keys."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

TABLE = {
    5: (64, 96, 128, 16, 32, 32),
    6: (128, 128, 192, 32, 96, 64),
    8: (192, 96, 208, 16, 48, 64),
    9: (160, 112, 224, 24, 64, 64),
    10: (128, 128, 256, 24, 64, 64),
    11: (112, 144, 288, 32, 64, 64),
    12: (256, 160, 320, 32, 128, 128),
    14: (256, 160, 320, 32, 128, 128),
    15: (384, 192, 384, 48, 128, 128),
}
"""The widths of the blocks of four branches, by their place."""
Triple = tuple[int, int, int]
ONES = (1, 1, 1)


def unit(
    inside: int, out: int, kernel: Triple = (1, 1, 1), stride: Triple = (1, 1, 1)
) -> nn.Module:
    """A convolution with its norm and ReLU."""
    a, b, c = kernel
    conv = nn.Conv3d(inside, out, kernel, stride, (a // 2, b // 2, c // 2), bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(out, eps=0.001, momentum=0.001), nn.ReLU())


def separable(inside: int, out: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    """A filter of space, then one of time."""
    return nn.Sequential(
        unit(inside, out, (1, kernel, kernel), (1, stride, stride)),
        unit(out, out, (kernel, 1, 1), (stride, 1, 1)),
    )


class Mixed(nn.Module):
    """Four branches, side by side."""

    def __init__(self, inside: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        a, b1, b2, c1, c2, d = widths
        self.branch0 = unit(inside, a)
        self.branch1 = nn.Sequential(unit(inside, b1), separable(b1, b2))
        self.branch2 = nn.Sequential(unit(inside, c1), separable(c1, c2))
        self.branch3 = nn.Sequential(nn.MaxPool3d(3, 1, 1), unit(inside, d))

    def forward(self, x: Tensor) -> Tensor:
        branches = (self.branch0, self.branch1, self.branch2, self.branch3)
        return torch.cat([each(x) for each in branches], 1)


def features() -> nn.Sequential:
    """All layers before the pool."""
    layers: dict[int, nn.Module] = {
        0: separable(3, 64, 7, 2),
        1: nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        2: unit(64, 64),
        3: separable(64, 192),
        4: nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        7: nn.MaxPool3d(3, 2, 1),
        13: nn.MaxPool3d(2, 2),
    }
    inside = 192
    for place, widths in TABLE.items():
        layers[place] = Mixed(inside, widths)
        inside = widths[0] + widths[2] + widths[4] + widths[5]
    return nn.Sequential(*(layers[place] for place in sorted(layers)))


class S3D(nn.Module):
    """S3D; `head` is the side of the frames that reach its pool. The source gives the mean of all
    logits, and this one that of every `window` of them: `(B, classes, T)`."""

    def __init__(self, *, classes: int, head: int = 7, window: int) -> None:
        super().__init__()
        self.features = features()
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Conv3d(1024, classes, 1))
        self.head, self.window = head, window

    def forward(self, x: Tensor) -> Tensor:
        y = functional.avg_pool3d(self.features(x), (2, self.head, self.head), 1)
        y = self.classifier(y).mean((3, 4))
        return functional.avg_pool1d(y, self.window, 1)
