"""What torch.nn.functional lacks, on `(B, C, T, *S)`, and where recipes find functions."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from codsl.layers.table import FUNCTIONS
from codsl.nn.attention import attend, encode, encoder_keys_and_values, keys_and_values
from codsl.nn.cumulative import channel_norm, cumulative_norm, running_mean
from codsl.nn.positions import add_in_turn, add_sinusoids
from codsl.nn.recurrence import recur
from codsl.nn.upsample import between_items, repeat_items, spread_out


def as_is(x: Tensor) -> Tensor:
    """What comes in."""
    return x


def flatten_frames(x: Tensor) -> Tensor:
    """`(B, C, T, *S)` to `(B, C * prod(S), T)`."""
    return x.movedim(2, -1).flatten(1, -2) if x.dim() > 3 else x


def linear_frames(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`(B, in, T)` to `(B, out, T)`, torch's linear of each frame."""
    return functional.linear(x.transpose(1, 2), weight, bias).transpose(1, 2)


def join_sum(*inputs: Tensor) -> Tensor:
    """The sum, in the order written."""
    return reduce(torch.add, inputs)


def join_mul(*inputs: Tensor) -> Tensor:
    """The product, in the order written."""
    return reduce(torch.mul, inputs)


def join_max(*inputs: Tensor) -> Tensor:
    """The largest, number by number."""
    return reduce(torch.maximum, inputs)


def join_mean(*inputs: Tensor) -> Tensor:
    """The sum, divided by how many there are."""
    return reduce(torch.add, inputs) / len(inputs)


def join_concat(*inputs: Tensor) -> Tensor:
    """All channels, in the order written."""
    return torch.cat(inputs, 1)


_FUNCTIONS: tuple[Any, ...] = (
    add_in_turn,
    add_sinusoids,
    attend,
    channel_norm,
    cumulative_norm,
    encode,
    encoder_keys_and_values,
    keys_and_values,
    recur,
    running_mean,
    spread_out,
    repeat_items,
    between_items,
)

_OWN: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        as_is,
        flatten_frames,
        linear_frames,
        join_sum,
        join_mul,
        join_max,
        join_mean,
        join_concat,
        *_FUNCTIONS,
    )
}


def function(name: str) -> Callable[..., Tensor]:
    """The function that a recipe calls `name`: codsl's own, a registered one, or torch's."""
    return _OWN.get(name) or FUNCTIONS.get(name) or getattr(functional, name)
