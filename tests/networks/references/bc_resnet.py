"""BC-ResNet (Kim et al., 2021) in plain torch, under the names of Qualcomm-AI-research/bcresnet.

Clips `(B, 1, F, T)`, time last, to `(B, classes, T')`, the pool over a sliding window.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional


class SubBandNorm(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ssnorm = nn.BatchNorm2d(5 * channels)

    def forward(self, x: Tensor) -> Tensor:
        parted = x.unflatten(2, (5, -1)).flatten(1, 2)
        return self.ssnorm(parted).unflatten(1, (-1, 5)).flatten(2, 3)


class Conv(nn.Module):
    def __init__(self, conv: nn.Conv2d, *rest: nn.Module) -> None:
        super().__init__()
        self.block = nn.Sequential(conv, *rest)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


def conv2d(inputs: int, outputs: int, kernel: Any, **rest: Any) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, bias=False, **rest)


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, dilation: int, stride: int) -> None:
        super().__init__()
        self.moves = inputs != outputs
        bands = conv2d(outputs, outputs, (3, 1), stride=(stride, 1), padding=(1, 0), groups=outputs)
        layers = [Conv(bands, SubBandNorm(outputs))]
        if self.moves:
            entry = Conv(conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs), nn.ReLU())
            layers.insert(0, entry)
        self.f2 = nn.Sequential(*layers)
        time = conv2d(
            outputs, outputs, (1, 3), padding=(0, dilation), dilation=(1, dilation), groups=outputs
        )
        self.f1 = nn.Sequential(
            Conv(time, nn.BatchNorm2d(outputs), nn.SiLU()),
            conv2d(outputs, outputs, 1),
            nn.Dropout2d(0.1),
        )

    def forward(self, x: Tensor) -> Tensor:
        wide = self.f2(x)
        y = self.f1(wide.mean(2, keepdim=True)) + wide
        return y.relu() if self.moves else (y + x).relu()


class BCResNet(nn.Module):
    def __init__(self, *, tau: float, classes: int, window: int) -> None:
        super().__init__()
        self.window = window
        base = int(8 * tau)
        widths = [2 * base, base, int(1.5 * base), 2 * base, int(2.5 * base)]
        stem = conv2d(1, widths[0], 5, stride=(2, 1), padding=2)
        self.cnn_head = nn.Sequential(stem, nn.BatchNorm2d(widths[0]), nn.ReLU())
        self.BCBlocks = nn.ModuleList()
        for stage, depth in enumerate((2, 2, 4, 4)):
            before, out = widths[stage : stage + 2]
            stride = 2 if stage in (1, 2) else 1
            first = Block(before, out, 2**stage, stride)
            rest = (Block(out, out, 2**stage, 1) for _ in range(depth - 1))
            self.BCBlocks.append(nn.ModuleList([first, *rest]))
        last, wide = widths[-1], 4 * base
        self.classifier = nn.Sequential(
            conv2d(last, last, 5, groups=last, padding=(0, 2)),
            conv2d(last, wide, 1),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
            nn.Identity(),
            nn.Conv2d(wide, classes, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.cnn_head(x)
        for stage in self.BCBlocks:
            for block in stage:
                x = block(x)
        x = self.classifier[:4](x)
        return self.classifier[5](functional.avg_pool2d(x, (1, self.window), 1)).squeeze(2)
