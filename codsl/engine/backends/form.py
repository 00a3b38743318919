"""In which form a backend has tensors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


def as_it_is(x: Tensor) -> Tensor:
    """A tensor, for a backend that takes tensors."""
    return x


@dataclass(frozen=True)
class Form:
    """`native` makes a value of the backend of a tensor, `tensor` a tensor of a value."""

    native: Callable[[Tensor], Any] = as_it_is
    tensor: Callable[[Any], Tensor] = as_it_is


TENSORS = Form()
"""Tensors themselves."""
