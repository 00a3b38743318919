"""X3D (Feichtenhofer, 2020) in plain torch, under the names of pytorchvideo's `create_x3d`."""

from __future__ import annotations

from math import ceil

from torch import Tensor, nn


def rounded(width: float) -> int:
    """The nearest multiple of 8 that is not below nine tenths of a width, at least 8."""
    near = max(8, int(width + 4) // 8 * 8)
    return near + 8 if near < 0.9 * width else near


def cropped(x: Tensor, frames: int) -> Tensor:
    """As many frames amid those of `x`; of an odd rest, the larger half is left out at the end."""
    front = (x.shape[2] - frames) // 2
    return x[:, :, front : front + frames]


class Gate(nn.Module):
    """Squeeze-and-excitation over a clip, or over each window of `window` frames."""

    def __init__(self, channels: int, window: int | None) -> None:
        super().__init__()
        fewer = rounded(channels / 16)
        self.window = window
        self.block = nn.Sequential(
            nn.Conv3d(channels, fewer, 1), nn.ReLU(), nn.Conv3d(fewer, channels, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.window is None:
            return x * self.block(x.mean((2, 3, 4), keepdim=True))
        means = x.mean((3, 4), keepdim=True).unfold(2, self.window, 1).mean(-1)
        return cropped(x, means.shape[2]) * self.block(means)


class Branch(nn.Module):
    """The inverted bottleneck of a block."""

    def __init__(self, into: int, out: int, stride: int, gate: int | None) -> None:
        super().__init__()
        inner = int(2.25 * out)
        strides = (1, stride, stride)
        self.conv_a = nn.Conv3d(into, inner, 1, bias=False)
        self.norm_a = nn.BatchNorm3d(inner)
        self.conv_b = nn.Conv3d(inner, inner, 3, strides, 1, groups=inner, bias=False)
        gates = Gate(inner, gate) if gate != 0 else nn.Identity()
        self.norm_b = nn.Sequential(nn.BatchNorm3d(inner), gates)
        self.conv_c = nn.Conv3d(inner, out, 1, bias=False)
        self.norm_c = nn.BatchNorm3d(out)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm_a(self.conv_a(x)).relu()
        x = nn.functional.silu(self.norm_b(self.conv_b(x)))
        y: Tensor = self.norm_c(self.conv_c(x))
        return y


class Block(nn.Module):
    """A residual block."""

    def __init__(self, into: int, out: int, stride: int, gate: int | None) -> None:
        super().__init__()
        if into != out or stride != 1:
            self.branch1_conv = nn.Conv3d(into, out, 1, (1, stride, stride), bias=False)
        if into != out:
            self.branch1_norm = nn.BatchNorm3d(out)
        self.branch2 = Branch(into, out, stride, gate)

    def forward(self, x: Tensor) -> Tensor:
        short = self.branch1_conv(x) if hasattr(self, "branch1_conv") else x
        short = self.branch1_norm(short) if hasattr(self, "branch1_norm") else short
        body = self.branch2(x)
        y: Tensor = (cropped(short, body.shape[2]) + body).relu()
        return y


class Stage(nn.Module):
    """Blocks, the first with a stride over space, every other with a gate."""

    def __init__(self, into: int, out: int, depth: int, gate: int | None) -> None:
        super().__init__()
        self.res_blocks = nn.Sequential(
            *(
                Block(into if i == 0 else out, out, 2 if i == 0 else 1, 0 if i % 2 else gate)
                for i in range(depth)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.res_blocks(x)
        return y


class Stem(nn.Module):
    """A convolution over space, then one over time; pytorchvideo has their names the other way."""

    def __init__(self, out: int) -> None:
        super().__init__()
        self.conv = nn.Module()
        self.conv.conv_t = nn.Conv3d(3, out, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
        self.conv.conv_xy = nn.Conv3d(out, out, (5, 1, 1), 1, (2, 0, 0), groups=out, bias=False)
        self.norm = nn.BatchNorm3d(out)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.conv.conv_xy(self.conv.conv_t(x))).relu()
        return y


class Head(nn.Module):
    """The classifier over a window of `window` frames."""

    def __init__(self, into: int, features: int, classes: int, window: int) -> None:
        super().__init__()
        inner = int(2.25 * into)
        self.window = window
        self.pool = nn.Module()
        self.pool.pre_conv = nn.Conv3d(into, inner, 1, bias=False)
        self.pool.pre_norm = nn.BatchNorm3d(inner)
        self.pool.post_conv = nn.Conv3d(inner, features, 1, bias=False)
        self.proj = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool.pre_norm(self.pool.pre_conv(x)).relu()
        x = nn.functional.avg_pool3d(x, (self.window, *x.shape[3:]), 1)
        x = self.pool.post_conv(x).relu().flatten(2)
        y: Tensor = self.proj(x.mT).mT
        return y


class X3D(nn.Module):
    """`(B, 3, T, H, W)` to `(B, classes, T - window + 1)`, without the softmax of evaluation.

    `gate` is how many frames a gate sees, 0 for no gates, None for a gate over the whole clip.
    """

    def __init__(
        self,
        width: float,
        depth: float,
        features: int,
        classes: int,
        window: int,
        gate: int | None = None,
    ) -> None:
        super().__init__()
        widths = [rounded(12 * 2**i * width) for i in range(4)]
        depths = [ceil(each * depth) for each in (1, 2, 5, 3)]
        stages = [
            Stage(into, out, count, gate)
            for into, out, count in zip([widths[0], *widths], widths, depths, strict=False)
        ]
        head = Head(widths[-1], features, classes, window)
        self.blocks = nn.ModuleList([Stem(widths[0]), *stages, head])

    def features(self, x: Tensor) -> Tensor:
        """What the head is given."""
        for block in self.blocks[:-1]:
            x = block(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.blocks[-1](self.features(x))
        return y
