"""TSM (Lin et al., 2019) in plain torch, under the names of mit-han-lab/temporal-shift-module.

`TSM` is a ResNet over clips `(B, 3, T, H, W)`, shifted both ways, to `(B, classes, T')`, the
consensus over a sliding window; `Online` a MobileNetV2 that takes features of the frame before.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def frames_of(x: Tensor) -> Tensor:
    """`(B, C, T, ...)` as `(B * T, C, ...)`."""
    return x.transpose(1, 2).flatten(0, 1)


class Shift(nn.Module):
    """Around a convolution, over frames of clips of `length`."""

    length = 1

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        clips = x.unflatten(0, (-1, Shift.length))
        fold = x.shape[1] // 8
        shifted = clips.clone()
        shifted[:, :, : 2 * fold] = 0
        shifted[:, :-1, :fold] = clips[:, 1:, :fold]
        shifted[:, 1:, fold : 2 * fold] = clips[:, :-1, fold : 2 * fold]
        return self.net(shifted.flatten(0, 1))


class Block(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        outputs = 4 * width if bottleneck else width
        kernels = (1, 3, 1) if bottleneck else (3, 3)
        sizes = (inputs, *(width,) * (len(kernels) - 1), outputs)
        strided = 1 if bottleneck else 0
        for at, kernel in enumerate(kernels):
            step = stride if at == strided else 1
            conv = nn.Conv2d(sizes[at], sizes[at + 1], kernel, step, kernel // 2, bias=False)
            self.add_module(f"conv{at + 1}", Shift(conv) if at == 0 else conv)
            self.add_module(f"bn{at + 1}", nn.BatchNorm2d(sizes[at + 1]))
        self.convs, self.outputs = len(kernels), outputs
        self.downsample = None
        if stride != 1 or inputs != outputs:
            conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for at in range(1, self.convs + 1):
            y = self.get_submodule(f"bn{at}")(self.get_submodule(f"conv{at}")(y))
            y = y.relu() if at < self.convs else y
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class TSM(nn.Module):
    def __init__(
        self, *, depths: Sequence[int], bottleneck: bool, width: int, classes: int, segments: int
    ) -> None:
        super().__init__()
        self.segments = segments
        self.base_model = nn.Module()
        self.base_model.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.base_model.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for i, depth in enumerate(depths):
            blocks = []
            for j in range(depth):
                stride = 2 if i and not j else 1
                blocks.append(Block(inputs, width * 2**i, stride, bottleneck))
                inputs = blocks[-1].outputs
            self.base_model.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
        self.new_fc = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        base, Shift.length = self.base_model, x.shape[2]
        y = base.bn1(base.conv1(frames_of(x))).relu()
        y = functional.max_pool2d(y, 3, 2, 1)
        for layer in (base.layer1, base.layer2, base.layer3, base.layer4):
            y = layer(y)
        scores = self.new_fc(y.mean((2, 3))).unflatten(0, (-1, x.shape[2]))
        return functional.avg_pool1d(scores.transpose(1, 2), self.segments, 1)


def normed(*sizes: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    inputs, outputs, kernel = sizes
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class Inverted(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        self.shifts = stride == 1 and inputs == outputs
        inner = inputs * expansion
        expand = [] if expansion == 1 else [*normed(inputs, inner, 1), nn.ReLU6()]
        depth = [*normed(inner, inner, 3, stride=stride, groups=inner), nn.ReLU6()]
        self.conv = nn.Sequential(*expand, *depth, *normed(inner, outputs, 1))

    def forward(self, x: Tensor, before: Tensor | None) -> Tensor:
        if not self.shifts:
            return self.conv(x)
        eighth = x.shape[1] // 8
        held = torch.zeros_like(x) if before is None else before
        return x + self.conv(torch.cat([held[:, :eighth], x[:, eighth:]], 1))


class Online(nn.Module):
    """It goes frame by frame, as the authors' demonstration does."""

    def __init__(
        self,
        *,
        width: float,
        stem: int,
        features: int,
        classes: int,
        blocks: Sequence[tuple[int, int, int]],
    ) -> None:
        super().__init__()
        self.features = nn.ModuleList([nn.Sequential(*normed(3, stem, 3, stride=2), nn.ReLU6())])
        inputs = stem
        for channels, stride, expansion in blocks:
            wide = channels if expansion == 1 else -int(-channels * width // 8) * 8
            self.features.append(Inverted(inputs, wide, stride, expansion))
            inputs = wide
        self.features.append(nn.Sequential(*normed(inputs, features, 1), nn.ReLU6()))
        self.classifier = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        held: dict[int, Tensor] = {}
        return torch.stack([self.step(frame, held) for frame in x.unbind(2)], 2)

    def step(self, frame: Tensor, held: dict[int, Tensor]) -> Tensor:
        for at, layer in enumerate(self.features):
            before, held[at] = held.get(at), frame
            frame = layer(frame, before) if isinstance(layer, Inverted) else layer(frame)
        return self.classifier(frame.mean((2, 3)))
