"""Normalisation by fixed statistics, and products with numbers, as a factor and a summand that are
folded into weights."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from codsl.engine.numbers import arithmetic
from codsl.graph.node import Node
from codsl.layers.recipe import Pointwise


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
    def at(cls, node: Node, module: nn.Module) -> "Scale | None":
        """What a node does, if it is one of those."""
        if isinstance(module, _BatchNorm):
            return None if module.running_mean is None else cls.of(module)
        recipe = node.recipe
        if not isinstance(recipe, Pointwise) or not recipe.call:
            return None
        if arithmetic(recipe, module) != "mul":
            return None
        other = recipe.call.arguments["other"]
        factor = torch.full((node.frame.channels,), other, dtype=torch.float64)
        return cls(factor, torch.zeros_like(factor))

    @classmethod
    def by(cls, mean: Tensor, std: Tensor) -> "Scale":
        """What `(x - mean) / std` does."""
        factor = std.double().reciprocal()
        return cls(factor, -mean.double() * factor)

    def folded(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """The weight `(out, ...)` and the bias of a layer with this behind it, in float64."""
        factor = self.factor.to(weight.device)
        wide = factor.view(-1, *(1,) * (weight.dim() - 1))
        before = torch.zeros_like(factor) if bias is None else bias.double()
        summand = before * factor + self.summand.to(weight.device)
        return weight.double() * wide, summand
