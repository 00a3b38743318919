"""MS-TCN (Abu Farha and Gall, 2019) in plain torch, under the names of yabufarha/ms-tcn.

Clips `(B, features, T)` to the scores of each stage, `(B, classes, T)`.
"""

from __future__ import annotations

from torch import Tensor, nn


class Dilated(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.conv_dilated = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.conv_1x1 = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_1x1(self.conv_dilated(x).relu())


class Stage(nn.Module):
    def __init__(self, inputs: int, channels: int, layers: int, classes: int) -> None:
        super().__init__()
        self.conv_1x1 = nn.Conv1d(inputs, channels, 1)
        self.layers = nn.ModuleList(Dilated(channels, 2**i) for i in range(layers))
        self.conv_out = nn.Conv1d(channels, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_1x1(x)
        for layer in self.layers:
            x = layer(x)
        return self.conv_out(x)


class MultiStage(nn.Module):
    def __init__(
        self, *, features: int, stages: int, layers: int, channels: int, classes: int
    ) -> None:
        super().__init__()
        self.stage1 = Stage(features, channels, layers, classes)
        later = (Stage(classes, channels, layers, classes) for _ in range(stages - 1))
        self.stages = nn.ModuleList(later)

    def forward(self, x: Tensor) -> list[Tensor]:
        outputs = [self.stage1(x)]
        for stage in self.stages:
            outputs.append(stage(outputs[-1].softmax(1)))
        return outputs
