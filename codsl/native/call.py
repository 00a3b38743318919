"""An operator of a graph that is being written: what it gives, and what its operands are."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from codsl.native.builder import Builder
from codsl.native.loops import type_of
from codsl.native.values import Expression, Parts, Pending, Scalar, Sizes, Value, View


@dataclass(frozen=True)
class Call:
    """The operator `name`, whose result has these sizes and this dtype."""

    builder: Builder
    name: str
    sizes: Sizes
    dtype: torch.dtype

    def expression(self, text: str, *operands: Any) -> Expression:
        """The result computed number by number; `{T}` stands for its type."""
        text = text.replace("{T}", type_of(self.dtype))
        beside = next(filter(_floating, (self, *operands)), None)
        found = (self._operand(each, getattr(beside, "dtype", torch.float64)) for each in operands)
        return Expression(text, tuple(found), self.sizes, self.dtype)

    def _operand(self, value: Any, floating: torch.dtype) -> View | Expression | Pending | Scalar:
        """A value as an operand of an expression, beside numbers of a `floating` dtype; what is
        computed once for many places is so before."""
        if isinstance(value, bool | int | float):
            return Scalar(value, self._of_number(value, floating))
        if isinstance(value, Tensor) and value.numel() == 1 and value.dim() == 0:
            return Scalar(value.item(), value.dtype)
        if isinstance(value, Tensor | Parts):
            return self.builder.view(value)
        fewer = isinstance(value, Expression | Pending) and prod(value.sizes) < prod(self.sizes)
        found: View | Expression | Pending = self.builder.view(value) if fewer else value
        return found

    def _of_number(self, value: float, floating: torch.dtype) -> torch.dtype:
        if isinstance(value, bool):
            return torch.bool
        whole = isinstance(value, int) and not self.dtype.is_floating_point
        return torch.int64 if whole else floating

    def view(self, value: Value | Tensor) -> View:
        """A value where its numbers lie."""
        return self.builder.view(value)

    def like(self, sizes: Sequence[int], dtype: torch.dtype | None = None) -> "Call":
        """A part of this operator, which gives something else."""
        return Call(self.builder, self.name, tuple(sizes), dtype or self.dtype)


def _floating(value: Any) -> bool:
    """Whether something has a dtype of floating point, and is no single number."""
    alone = isinstance(value, Tensor) and value.dim() == 0
    dtype = getattr(value, "dtype", None)
    return not alone and isinstance(dtype, torch.dtype) and dtype.is_floating_point
