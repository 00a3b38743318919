"""The masker of Conv-TasNet in plain torch, its tensors named as asteroid 0.7.0 does."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Norm(nn.Module):
    """Each frame by a mean and a variance, then a gain and a shift for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        spread, mean = self.statistics(x)
        scaled = (x - mean) / (spread + 1e-8).sqrt()
        return self.gamma[:, None] * scaled + self.beta[:, None]


class ByChannels(Norm):
    """asteroid's `cLN`: those of the frame's channels."""

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.var_mean(x, 1, correction=0, keepdim=True)


class ByAllSoFar(Norm):
    """asteroid's `cgLN`: those of all numbers up to the frame."""

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        counts = torch.arange(1, x.shape[2] + 1, dtype=x.dtype) * x.shape[1]
        mean = x.sum(1, keepdim=True).cumsum(2) / counts
        spread = (x**2).sum(1, keepdim=True).cumsum(2) / counts - mean**2
        return spread, mean


class ByTheClip(Norm):
    """asteroid's `gLN`: those of the whole clip, which no stream knows."""

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.var_mean(x, (1, 2), correction=0, keepdim=True)


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "cLN": ByChannels,
    "cgLN": ByAllSoFar,
    "gLN": ByTheClip,
    "BN": nn.BatchNorm1d,
}


class Chop(nn.Module):
    """A clip without its last frames."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.frames = frames

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, : -self.frames]


class Block(nn.Module):
    """Gives what is added to its input, and what is skipped."""

    def __init__(
        self, width: int, inner: int, skip: int, kernel: int, dilation: int, norm: str
    ) -> None:
        super().__init__()
        reach = dilation * (kernel - 1)
        depth = nn.Conv1d(inner, inner, kernel, padding=reach, dilation=dilation, groups=inner)
        self.shared_block = nn.Sequential(
            nn.Conv1d(width, inner, 1),
            nn.PReLU(),
            NORMS[norm](inner),
            nn.Sequential(depth, Chop(reach)),
            nn.PReLU(),
            NORMS[norm](inner),
        )
        self.res_conv = nn.Conv1d(inner, width, 1)
        self.skip_conv = nn.Conv1d(inner, skip, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.shared_block(x)
        return self.res_conv(y), self.skip_conv(y)


class Masker(nn.Module):
    """Causal; `(B, filters, T)` to the masks `(B, sources, filters, T)`."""

    def __init__(
        self, *, filters: int, sources: int, width: int, inner: int, skip: int, kernel: int,
        blocks: int, repeats: int, norm: str, act: Callable[[Tensor], Tensor],
    ) -> None:  # fmt: skip
        super().__init__()
        self.bottleneck = nn.Sequential(NORMS[norm](filters), nn.Conv1d(filters, width, 1))
        self.TCN = nn.ModuleList(
            Block(width, inner, skip, kernel, 2 ** (i % blocks), norm)
            for i in range(blocks * repeats)
        )
        self.mask_net = nn.Sequential(nn.PReLU(), nn.Conv1d(skip, sources * filters, 1))
        self.sources = sources
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        x = self.bottleneck(x)
        total = torch.zeros((), dtype=x.dtype)
        for block in self.TCN:
            more, skip = block(x)
            x, total = x + more, total + skip
        return self.act(self.mask_net(total).unflatten(1, (self.sources, -1)))
