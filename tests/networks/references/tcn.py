"""A temporal convolutional network in plain torch, its tensors named as pytorch-tcn 1.2.3 does."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

ACTS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "elu": functional.elu,
    "leaky_relu": functional.leaky_relu,
}


class Padding(nn.Module):
    """What a stream of the reference keeps: no weight, though it is saved."""

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__()
        self.register_buffer("buffer", torch.zeros(1, channels, frames))


class Padded(nn.Conv1d):
    """A convolution with as many outputs as inputs, from the past or from either side."""

    def __init__(self, features: int, out: int, kernel: int, dilation: int, causal: bool) -> None:
        super().__init__(features, out, kernel, dilation=dilation)
        reach = dilation * (kernel - 1)
        self.sides = (reach, 0) if causal else (reach // 2, reach - reach // 2)
        self.padder = Padding(features, reach)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(functional.pad(x, self.sides))


class FrameNorm(nn.LayerNorm):
    """Each frame by its own channels."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch_norm": nn.BatchNorm1d,
    "layer_norm": FrameNorm,
    "weight_norm": lambda channels: nn.Identity(),
}


class Level(nn.Module):
    """Two convolutions and a shortcut; gives what the next level and what the skips get."""

    def __init__(
        self, features: int, out: int, kernel: int, dilation: int, causal: bool, norm: str,
        act: str, gated: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        first = 2 * out if gated else out
        conv1 = Padded(features, first, kernel, dilation, causal)
        conv2 = Padded(out, out, kernel, dilation, causal)
        normed = norm == "weight_norm"
        self.conv1: nn.Module = weight_norm(conv1) if normed else conv1
        self.conv2: nn.Module = weight_norm(conv2) if normed else conv2
        self.norm1 = NORMS[norm](first)
        self.norm2 = NORMS[norm](out)
        self.downsample = nn.Conv1d(features, out, 1) if features != out else nn.Identity()
        self.act = ACTS[act]
        self.gated = gated

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.norm1(self.conv1(x))
        y = functional.glu(y, 1) if self.gated else self.act(y)
        y = self.act(self.norm2(self.conv2(y)))
        return self.act(self.downsample(x) + y), y


class TCN(nn.Module):
    """`channels` of each level; `(B, features, T)` to `(B, classes, T)`."""

    def __init__(
        self,
        *,
        features: int,
        channels: Sequence[int],
        kernel: int,
        classes: int,
        causal: bool = True,
        norm: str = "weight_norm",
        act: str = "relu",
        gated: bool = False,
        skips: bool = False,
    ) -> None:
        super().__init__()
        self.act = ACTS[act]
        self.skips = skips
        before = (features, *channels[:-1])
        self.network = nn.ModuleList(
            Level(width, out, kernel, 2**i, causal, norm, act, gated)
            for i, (width, out) in enumerate(zip(before, channels, strict=True))
        )
        if skips:
            self.downsample_skip_connection = nn.ModuleList(
                nn.Conv1d(out, channels[-1], 1) if out != channels[-1] else nn.Identity()
                for out in channels
            )
        self.projection_out = nn.Conv1d(channels[-1], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        sides = []
        for level in self.network:
            x, side = level(x)
            sides.append(side)
        if self.skips:
            fits = self.downsample_skip_connection
            x = sum((fit(side) for fit, side in list(zip(fits, sides, strict=True))[:-1]), x)
            x = self.act(x)
        y: Tensor = self.projection_out(x)
        return y
