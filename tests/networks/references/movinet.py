"""A streaming MoViNet in plain torch, under the names of MoViNet-pytorch (Atze00, MIT).

Kondratyuk et al., 2021. (2+1)D, causal; clips `(B, 3, T, H, W)` to logits `(B, classes, T)`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

Kernel = tuple[int, int, int]


class Conv(nn.Module):
    """One or two 2-D convolutions over `(B, C, T, H, W)`: of each frame, then over past frames."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        time: int = 1,
        space: int = 1,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        bare: bool = False,
        active: bool = True,
    ) -> None:
        super().__init__()
        self.time, self.bare, self.active = time, bare, active
        kernels = [((space, space), (stride, stride), (padding, padding))]
        if time > 1:
            kernels.append(((time, 1), (1, 1), (0, 0)))
        for number, (kernel, step, pad) in enumerate(kernels, start=1):
            conv = nn.Conv2d(inputs, outputs, kernel, step, pad, groups=groups, bias=bare)
            parts = OrderedDict(conv2d=conv)
            if not bare:
                parts["norm"] = nn.BatchNorm2d(outputs, eps=1e-3)
            self.add_module(f"conv_{number}", nn.Sequential(parts))

    def forward(self, x: Tensor) -> Tensor:
        frames = x.shape[2]
        y = self._finish(self.conv_1(x.transpose(1, 2).flatten(0, 1)))
        y = y.unflatten(0, (-1, frames)).transpose(1, 2)
        if self.time == 1:
            return y
        plane = y.shape[-2:]
        flat = functional.pad(y.flatten(3), (0, 0, self.time - 1, 0))
        return self._finish(self.conv_2(flat)).unflatten(3, plane)

    def _finish(self, x: Tensor) -> Tensor:
        return functional.hardswish(x) if self.active and not self.bare else x


def mean_so_far(x: Tensor) -> Tensor:
    counts = torch.arange(1, x.shape[2] + 1, dtype=x.dtype).view(-1, 1, 1)
    return x.cumsum(2) / counts


class Gate(nn.Module):
    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1 = Conv(2 * channels, squeezed, bare=True)
        self.fc2 = Conv(squeezed, channels, bare=True)

    def forward(self, x: Tensor) -> Tensor:
        now = x.mean((3, 4), keepdim=True)
        y = self.fc1(torch.cat([mean_so_far(now), now], 1))
        y = self.fc2(functional.hardswish(y))
        return x * (0.2 * y + 0.5).clamp(0, 1)


class Block(nn.Module):
    def __init__(
        self, inputs: int, outputs: int, inside: int, kernel: tuple[int, int], stride: int, pad: int
    ) -> None:
        super().__init__()
        time, space = kernel
        self.expand = Conv(inputs, inside)
        self.deep = Conv(
            inside, inside, time=time, space=space, stride=stride, padding=pad, groups=inside
        )
        self.se = Gate(inside, {24: 16, 40: 24, 64: 32}[inside])
        self.project = Conv(inside, outputs, active=False)
        self.alpha = nn.Parameter(torch.tensor(0.0))
        self.res = None
        if stride != 1 or inputs != outputs:
            edge = min(pad, 1)
            pool = nn.AvgPool3d((1, 3, 3), (1, stride, stride), (0, edge, edge))
            conv = Conv(inputs, outputs, active=False)
            self.res = nn.Sequential(pool, conv) if stride != 1 else nn.Sequential(conv)

    def forward(self, x: Tensor) -> Tensor:
        rest = x if self.res is None else self.res(x)
        return rest + self.alpha * self.project(self.se(self.deep(self.expand(x))))


class MoViNet(nn.Module):
    def __init__(
        self,
        *,
        stem: int,
        widths: Sequence[int],
        strides: Sequence[int],
        paddings: Sequence[int],
        stages: Sequence[Sequence[Kernel]],
        features: int,
        hidden: int,
        classes: int,
    ) -> None:
        super().__init__()
        self.conv1 = Conv(3, stem, space=3, stride=2, padding=1)
        blocks, last = OrderedDict(), stem
        for i, stage in enumerate(stages):
            for j, (inside, time, space) in enumerate(stage):
                stride, pad = (1, space // 2) if j else (strides[i], paddings[i])
                block = Block(last, widths[i], inside, (time, space), stride, pad)
                blocks[f"b{i}_l{j}"], last = block, widths[i]
        self.blocks = nn.Sequential(blocks)
        self.conv7 = Conv(last, features)
        out = Conv(hidden, classes, bare=True)
        entry = Conv(features, hidden, bare=True)
        self.classifier = nn.Sequential(entry, nn.SiLU(), nn.Dropout(0.2), out)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv7(self.blocks(self.conv1(x)))
        return self.classifier(mean_so_far(x.mean((3, 4), keepdim=True))).flatten(2)
