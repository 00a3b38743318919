"""SEANet, causal, in plain torch, its tensors named as encodec 0.1.1 does."""

import warnings
from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


def normed(conv: nn.Module) -> nn.Module:
    """The convolution, its weight saved as `weight_g` and `weight_v`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        found: nn.Module = nn.utils.weight_norm(conv)
    return found


class Conv(nn.Module):
    """Zeros before the clip, and after it what the last of `ceil(T / stride)` outputs lacks."""

    def __init__(
        self, features: int, out: int, kernel: int, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        conv = normed(nn.Conv1d(features, out, kernel, stride, 0, dilation))
        self.conv = nn.Sequential(OrderedDict(conv=conv))
        self.before = dilation * (kernel - 1) - (stride - 1)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(functional.pad(x, (self.before, -x.shape[2] % self.stride)))
        return y


class Up(nn.Module):
    """A transposed convolution without its last items, so that each item gives `stride`."""

    def __init__(self, features: int, out: int, stride: int) -> None:
        super().__init__()
        conv = normed(nn.ConvTranspose1d(features, out, 2 * stride, stride))
        self.convtr = nn.Sequential(OrderedDict(convtr=conv))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.convtr(x)
        return y[:, :, : -self.stride]


class Unit(nn.Module):
    """A residual whose shortcut is a convolution of one."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.ELU(),
            Conv(width, width // 2, 3, dilation=dilation),
            nn.ELU(),
            Conv(width // 2, width, 1),
        )
        self.shortcut = Conv(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.shortcut(x) + self.block(x)
        return y


class Memory(nn.Module):
    """An LSTM and what enters it."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width, layers)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.lstm(x.permute(2, 0, 1))
        return x + y.permute(1, 2, 0)


def memory(width: int, layers: int) -> list[nn.Module]:
    return [Memory(width, layers)] if layers else []


def units(width: int, depth: int) -> list[nn.Module]:
    return [Unit(width, 2**i) for i in range(depth)]


class Encoder(nn.Module):
    """`(B, channels, T)` to `(B, features, ceil(T / prod(ratios)))`."""

    def __init__(
        self, *, channels: int, width: int, ratios: Sequence[int], depth: int, lstm: int,
        features: int,
    ) -> None:  # fmt: skip
        super().__init__()
        model: list[nn.Module] = [Conv(channels, width, 7)]
        for ratio in ratios:
            down = Conv(width, 2 * width, 2 * ratio, ratio)
            model += [*units(width, depth), nn.ELU(), down]
            width *= 2
        model += [*memory(width, lstm), nn.ELU(), Conv(width, features, 7)]
        self.model = nn.Sequential(*model)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.model(x)
        return y


class Decoder(nn.Module):
    """`(B, features, T)` to `(B, channels, T * prod(ratios))`."""

    def __init__(
        self, *, channels: int, width: int, ratios: Sequence[int], depth: int, lstm: int,
        features: int,
    ) -> None:  # fmt: skip
        super().__init__()
        inner = width * 2 ** len(ratios)
        model: list[nn.Module] = [Conv(features, inner, 7), *memory(inner, lstm)]
        for ratio in ratios:
            model += [nn.ELU(), Up(inner, inner // 2, ratio), *units(inner // 2, depth)]
            inner //= 2
        self.model = nn.Sequential(*model, nn.ELU(), Conv(width, channels, 7))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.model(x)
        return y
