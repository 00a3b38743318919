"""R3D, MC3 and R(2+1)D (Tran et al., 2018) in plain torch, under torchvision's names."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

Maker = Callable[[int, int, int, int], nn.Module]


def over_all(into: int, out: int, middle: int, stride: int) -> nn.Module:
    """A convolution over space and time."""
    return nn.Conv3d(into, out, 3, stride, 1, bias=False)


def over_space(into: int, out: int, middle: int, stride: int) -> nn.Module:
    """A convolution over space alone."""
    return nn.Conv3d(into, out, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False)


def factorised(into: int, out: int, middle: int, stride: int) -> nn.Module:
    """A convolution over space, then one over time."""
    return nn.Sequential(
        over_space(into, middle, 0, stride),
        nn.BatchNorm3d(middle),
        nn.ReLU(),
        nn.Conv3d(middle, out, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False),
    )


class Basic(nn.Module):
    """A residual block; the first of a stage with strides brings its shortcut down too."""

    def __init__(self, into: int, out: int, stride: int, make: Maker) -> None:
        super().__init__()
        middle = into * out * 27 // (into * 9 + 3 * out)
        self.conv1 = nn.Sequential(make(into, out, middle, stride), nn.BatchNorm3d(out), nn.ReLU())
        self.conv2 = nn.Sequential(make(out, out, middle, 1), nn.BatchNorm3d(out))
        strides = (1 if make is over_space else stride, stride, stride)
        self.downsample = (
            nn.Sequential(nn.Conv3d(into, out, 1, strides, bias=False), nn.BatchNorm3d(out))
            if stride > 1
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        short = x if self.downsample is None else self.downsample(x)
        y: Tensor = (short + self.conv2(self.conv1(x))).relu()
        return y


def plain_stem(width: int) -> list[nn.Module]:
    """One convolution over space and time."""
    return [nn.Conv3d(3, width, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False)]


def factorised_stem(width: int) -> list[nn.Module]:
    """45 filters over space, then a convolution over time."""
    return [
        nn.Conv3d(3, 45, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
        nn.BatchNorm3d(45),
        nn.ReLU(),
        nn.Conv3d(45, width, (3, 1, 1), 1, (1, 0, 0), bias=False),
    ]


MAKERS: dict[str, list[Maker]] = {
    "r3d_18": [over_all] * 4,
    "mc3_18": [over_all, *[over_space] * 3],
    "r2plus1d_18": [factorised] * 4,
}


class ResNet3d(nn.Module):
    """`(B, 3, T, H, W)` to `(B, classes, items - window + 1)`; `kind` is one of `MAKERS`."""

    def __init__(self, kind: str, width: int, classes: int, window: int) -> None:
        super().__init__()
        first = factorised_stem(width) if kind == "r2plus1d_18" else plain_stem(width)
        self.stem = nn.Sequential(*first, nn.BatchNorm3d(width), nn.ReLU())
        into = width
        for i, make in enumerate(MAKERS[kind]):
            out = width * 2**i
            first_block = Basic(into, out, 2 if i else 1, make)
            layer = nn.Sequential(first_block, Basic(out, out, 1, make))
            setattr(self, f"layer{i + 1}", layer)
            into = out
        self.fc = nn.Linear(into, classes)
        self.window = window

    def features(self, x: Tensor) -> Tensor:
        """What the head is given."""
        x = self.stem(x)
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        x = nn.functional.avg_pool3d(x, (self.window, *x.shape[3:]), 1).flatten(2)
        y: Tensor = self.fc(x.mT).mT
        return y
