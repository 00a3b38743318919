"""Recurrent layers over `(B, C, T)`, from one carried state to the next."""

from typing import Any

from torch import Tensor


def recur(module: Any, x: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
    """Torch's own layer over the items, with the state `(batch, layers, size)` of its tensors."""
    before = [each.transpose(0, 1).contiguous() for each in memory]
    y, after = module.own_forward(x.transpose(1, 2), before[0] if len(before) == 1 else before)
    after = after if isinstance(after, tuple) else (after,)
    return y.transpose(1, 2), *(each.transpose(0, 1).contiguous() for each in after)
