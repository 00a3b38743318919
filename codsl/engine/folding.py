"""Normalisation by fixed statistics as a factor and a summand, folded into weights."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm


@dataclass(frozen=True, eq=False)
class Scale:
    """A factor and a summand for each channel, in float64."""

    factor: Tensor
    summand: Tensor

    @classmethod
    def of(cls, norm: _BatchNorm) -> "Scale":
        """What a normalisation does in `eval()`; `ValueError` where it has no statistics."""
        if norm.running_mean is None or norm.running_var is None:
            raise ValueError("a batch normalisation without running statistics cannot be folded")
        factor = (norm.running_var.double() + norm.eps).rsqrt()
        if norm.weight is not None:
            factor = factor * norm.weight.detach().double()
        summand = -norm.running_mean.double() * factor
        if norm.bias is not None:
            summand = summand + norm.bias.detach().double()
        return cls(factor, summand)

    @classmethod
    def by(cls, mean: Tensor, std: Tensor) -> "Scale":
        """What `(x - mean) / std` does."""
        factor = std.double().reciprocal()
        return cls(factor, -mean.double() * factor)

    def folded(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """The weight `(out, ...)` and the bias of a layer with this behind it, in float64."""
        wide = self.factor.view(-1, *(1,) * (weight.dim() - 1))
        before = torch.zeros_like(self.factor) if bias is None else bias.double()
        summand = before * self.factor + self.summand
        return weight.double() * wide, summand
