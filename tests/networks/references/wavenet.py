"""WaveNet in plain torch, its tensors named as wavenet_vocoder 0.1.1 does."""

import warnings
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional


def normed(features: int, out: int, kernel: int = 1, dilation: int = 1) -> nn.Conv1d:
    """A convolution whose weight is saved as `weight_g` and `weight_v`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        conv: nn.Conv1d = nn.utils.weight_norm(
            nn.Conv1d(features, out, kernel, dilation=dilation, padding=dilation * (kernel - 1))
        )
    return conv


class Layer(nn.Module):
    """A gated convolution; gives what goes on, and what is skipped."""

    def __init__(self, width: int, gates: int, skips: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.conv = normed(width, gates, kernel, dilation)
        self.conv1x1_out = normed(gates // 2, width)
        self.conv1x1_skip = normed(gates // 2, skips)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        wave, gate = self.conv(x)[:, :, : x.shape[2]].chunk(2, 1)
        y = wave.tanh() * gate.sigmoid()
        return (self.conv1x1_out(y) + x) * sqrt(0.5), self.conv1x1_skip(y)


class WaveNet(nn.Module):
    """Scores `(B, classes, T)` of samples `(B, classes, T)`, one-hot."""

    def __init__(
        self, *, classes: int, layers: int, stacks: int, width: int, gates: int, skips: int,
        kernel: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.first_conv = normed(classes, width)
        self.conv_layers = nn.ModuleList(
            Layer(width, gates, skips, kernel, 2 ** (i % (layers // stacks))) for i in range(layers)
        )
        self.last_conv_layers = nn.Sequential(
            nn.ReLU(), normed(skips, skips), nn.ReLU(), normed(skips, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.first_conv(x)
        total: Tensor | None = None
        for layer in self.conv_layers:
            x, skip = layer(x)
            total = skip if total is None else (total + skip) * sqrt(0.5)
        y: Tensor = self.last_conv_layers(total)
        return y


def one_hot(classes: int, frames: int, seed: int) -> Tensor:
    """A clip of samples, each another class than the one before, in float64."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randint(1, classes, (1, frames), generator=generator)
    samples = functional.one_hot(steps.cumsum(1) % classes, classes)
    return samples.transpose(1, 2).double()
