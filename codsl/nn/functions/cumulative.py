"""Statistics of all items of `(B, C, T, *S)` so far, from one carried state to the next."""

from typing import Any

import torch
from torch import Tensor


def cumulative_norm(
    module: Any, x: Tensor, count: Tensor, sums: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Items normalised by all numbers so far; `sums` are those of numbers and of squares."""
    wide = x.double()
    within = (1, *range(3, x.dim()))
    new = torch.stack([wide.sum(within), wide.square().sum(within)], 1)
    totals = sums.unsqueeze(2) + new.cumsum(2)
    counts = _counts(count, x)
    mean, square = (totals / (counts * x.shape[1] * x.shape[3:].numel()).unsqueeze(1)).unbind(1)
    spread = (square - mean.square()).clamp(min=0)
    mean, spread = (_over_frames(each, x) for each in (mean, spread))
    y = ((wide - mean) * (spread + eps).rsqrt()).to(x.dtype)
    return gained(y, module.gamma, module.beta), _last(counts), _last(totals)


def channel_norm(x: Tensor, gamma: Tensor | None, beta: Tensor | None, eps: float) -> Tensor:
    """Each place of each item normalised over its channels."""
    spread, mean = torch.var_mean(x, 1, correction=0, keepdim=True)
    return gained((x - mean) * (spread + eps).rsqrt(), gamma, beta)


def gained(x: Tensor, gamma: Tensor | None, beta: Tensor | None) -> Tensor:
    """Channels times `gamma`, and `beta` more, where there are such."""
    if gamma is None or beta is None:
        return x
    shape = (-1, *(1,) * (x.dim() - 2))
    return x * gamma.view(shape) + beta.view(shape)


def running_mean(
    module: Any, x: Tensor, count: Tensor, mean: Tensor, momentum: float | None
) -> tuple[Tensor, Tensor, Tensor]:
    """The mean of all items so far, or with `momentum` one in which the past fades."""
    counts = _counts(count, x)
    shares = counts.double().reciprocal()
    if momentum is not None:
        shares = shares.new_full((), momentum).where(counts > 1, 1.0)
    means = []
    for item, part in zip(x.double().unbind(2), shares.unbind(1), strict=True):
        mean = mean + part.view(-1, *(1,) * (item.dim() - 1)) * (item - mean)
        means.append(mean)
    return torch.stack(means, 2).to(x.dtype), _last(counts), mean


def _counts(count: Tensor, x: Tensor) -> Tensor:
    """How many items there have been after each, `(B, T)`."""
    return count.unsqueeze(1) + torch.arange(1, x.shape[2] + 1, device=x.device)


def _over_frames(each: Tensor, x: Tensor) -> Tensor:
    """A number for each item, `(B, T)`, for all channels and places."""
    return each.view(each.shape[0], 1, each.shape[1], *(1,) * (x.dim() - 3))


def _last(x: Tensor) -> Tensor:
    return x[..., -1].clone()
