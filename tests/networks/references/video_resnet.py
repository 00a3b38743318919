"""C2D, I3D and Slow of pytorchvideo 0.1.5 (`create_resnet`), in plain torch under its keys."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def convolution(inside: int, out: int, kernel: Sequence[int], **how: Sequence[int]) -> nn.Conv3d:
    """A convolution without bias, padded to keep the size."""
    padding = [size // 2 for size in kernel]
    return nn.Conv3d(inside, out, tuple(kernel), padding=padding, bias=False, **how)  # type: ignore[arg-type]


class ResBlock(nn.Module):
    """A bottleneck, whose 1x1x1 convolution beside it is there where widths differ."""

    def __init__(self, inside: int, inner: int, kernel: int, stride: int) -> None:
        super().__init__()
        halves = (1, stride, stride)
        if inside != 4 * inner:
            self.branch1_conv = convolution(inside, 4 * inner, (1, 1, 1), stride=halves)
            self.branch1_norm = nn.BatchNorm3d(4 * inner)
        layers: list[tuple[str, nn.Module]] = [
            ("conv_a", convolution(inside, inner, (kernel, 1, 1))),
            ("norm_a", nn.BatchNorm3d(inner)),
            ("act_a", nn.ReLU()),
            ("conv_b", convolution(inner, inner, (1, 3, 3), stride=halves)),
            ("norm_b", nn.BatchNorm3d(inner)),
            ("act_b", nn.ReLU()),
            ("conv_c", convolution(inner, 4 * inner, (1, 1, 1))),
            ("norm_c", nn.BatchNorm3d(4 * inner)),
        ]
        self.branch2 = nn.Sequential(OrderedDict(layers))

    def forward(self, x: Tensor) -> Tensor:
        beside = self.branch1_norm(self.branch1_conv(x)) if hasattr(self, "branch1_conv") else x
        return functional.relu(beside + self.branch2(x))


class Stage(nn.Module):
    """Blocks, the first of them with the stride."""

    def __init__(
        self, inside: int, inner: int, depth: int, kernels: Sequence[int], stride: int
    ) -> None:
        super().__init__()
        self.res_blocks = nn.ModuleList(
            ResBlock(
                4 * inner if i else inside,
                inner,
                kernels[i % len(kernels)],
                1 if i else stride,
            )
            for i in range(depth)
        )

    def forward(self, x: Tensor) -> Tensor:
        for block in self.res_blocks:
            x = block(x)
        return x


class Stem(nn.Module):
    """What brings 3 channels to `out`, and space to a quarter."""

    def __init__(self, out: int, kernel: int) -> None:
        super().__init__()
        self.conv = convolution(3, out, (kernel, 7, 7), stride=(1, 2, 2))
        self.norm = nn.BatchNorm3d(out)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.norm(self.conv(x)))
        return functional.max_pool3d(y, (1, 3, 3), (1, 2, 2), (0, 1, 1))


class Head(nn.Module):
    """The logits of pooled features `(B, C, T, 1, 1)`: `(B, classes, T)`."""

    def __init__(self, inside: int, classes: int) -> None:
        super().__init__()
        self.proj = nn.Linear(inside, classes)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.proj(x[..., 0, 0].transpose(1, 2))
        return y.transpose(1, 2)


def pooled(x: Tensor, frames: int, stride: int = 1) -> Tensor:
    """The mean over all space and `frames` items of time, at every `stride`-th item."""
    return functional.avg_pool3d(x, (frames, x.shape[3], x.shape[4]), (stride, 1, 1))


class VideoResNet(nn.Module):
    """A ResNet; `kernels` are those over time, by turns, of the blocks of each stage."""

    def __init__(
        self,
        *,
        width: int,
        depths: Sequence[int] = (3, 4, 6, 3),
        classes: int,
        window: int,
        stem_kernel: int = 1,
        pool: int = 1,
        kernels: Sequence[Sequence[int]] = ((1, 1), (1, 1), (3, 3), (3, 3)),
    ) -> None:
        super().__init__()
        blocks: list[nn.Module] = [Stem(width, stem_kernel)]
        inside = width
        for i, (depth, own) in enumerate(zip(depths, kernels, strict=True)):
            inner = width * 2**i
            blocks.append(Stage(inside, inner, depth, own, 2 if i else 1))
            inside = 4 * inner
            if i == 0 and pool > 1:
                blocks.append(nn.MaxPool3d((pool, 1, 1)))
        self.blocks = nn.ModuleList([*blocks, Head(inside, classes)])
        self.window = window

    def features(self, x: Tensor) -> Tensor:
        """What comes before the pool: `(B, C, T, H, W)`."""
        for block in list(self.blocks)[:-1]:
            x = block(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """The logits of every window: `(B, classes, T)`."""
        return torch.as_tensor(self.blocks[-1](pooled(self.features(x), self.window)))
