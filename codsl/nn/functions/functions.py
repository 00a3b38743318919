"""What torch.nn.functional lacks, on `(B, C, T, *S)`, and where recipes find functions."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from codsl.layers.row import Layer as Row
from codsl.layers.row import type_name
from codsl.layers.table import FUNCTIONS, function_of
from codsl.nn.functions.attention import attend, encode, encoder_keys_and_values, keys_and_values
from codsl.nn.functions.cumulative import channel_norm, cumulative_norm, running_mean
from codsl.nn.functions.frames import FUNCTIONS as FRAMES
from codsl.nn.functions.hearing import spectrum_frames
from codsl.nn.functions.norms import FUNCTIONS as NORMS
from codsl.nn.functions.operation import Settled
from codsl.nn.functions.positions import add_in_turn, add_sinusoids
from codsl.nn.functions.recurrence import recur
from codsl.nn.functions.shifts import FUNCTIONS as SHIFTS
from codsl.nn.functions.transposed import spread_due, spread_out
from codsl.nn.functions.turns import in_turn
from codsl.nn.functions.upsample import between_items, repeat_items


def as_is(x: Tensor) -> Tensor:
    """What comes in."""
    return x


def linear_frames(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`(B, in, T, *S)` to `(B, out, T, *S)`, torch's linear over the channels."""
    return functional.linear(x.movedim(1, -1), weight, bias).movedim(-1, 1)


def graph_conv_frames(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    adjacency: Tensor,
    edge_importance: Tensor | None,
) -> Tensor:
    """`(B, in, T, V)` to `(B, out, T, V)` over the edges `(K, V, V)` (Yan et al., 2018)."""
    edges = adjacency if edge_importance is None else adjacency * edge_importance
    maps = functional.conv2d(x, weight, bias)
    kinds = edges.shape[0]
    parts = maps.reshape(x.shape[0], kinds, maps.shape[1] // kinds, *x.shape[2:])
    return torch.einsum("bkctv,kvw->bctw", parts, edges)


def embedding_frames(x: Tensor, weight: Tensor, padding_idx: int | None) -> Tensor:
    """`(B, 1, T, *S)` of ids to `(B, dim, T, *S)`; raises `ValueError` for ids that are none."""
    ids = x.squeeze(1)
    known = torch.where(ids.isnan(), 0, ids).round().long()
    try:
        found = functional.embedding(known, weight, padding_idx)
    except IndexError:
        raise ValueError(
            f"ids are 0 to {weight.shape[0] - 1}, found {known.min()} to {known.max()}"
        ) from None
    return torch.where(x.isnan(), torch.nan, found.movedim(-1, 1))


def scale_frames(x: Tensor, weight: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """`x` times a parameter, seen as of these sizes beside a clip without its batch."""
    return x * weight.view(sizes)


def shift_frames(x: Tensor, bias: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """`x` plus a parameter, seen as of these sizes beside a clip without its batch."""
    return x + bias.view(sizes)


def with_channels(x: Tensor, numbers: Tensor, operation: str) -> Tensor:
    """An operation of torch with a number for each channel."""
    apply: Callable[[Tensor, Tensor], Tensor] = getattr(torch, operation)
    return apply(x, numbers.view(-1, *(1,) * (x.dim() - 2)))


def normalize_frames(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """`(x - mean) / std` with a number for each channel, or one for all."""
    sizes = (-1, *(1,) * (x.dim() - 2))
    return (x - mean.view(sizes)) / std.view(sizes)


def log_frames(x: Tensor, eps: float) -> Tensor:
    """The natural logarithm of `x + eps`."""
    return (x + eps).log() if eps else x.log()


def gtu_halves(x: Tensor, dim: int) -> Tensor:
    """The hyperbolic tangent of the first half of a dimension times the sigmoid of the other."""
    first, second = x.chunk(2, dim)
    return first.tanh() * second.sigmoid()


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


_LISTED: tuple[Callable[..., Any], ...] = (
    as_is,
    linear_frames,
    graph_conv_frames,
    embedding_frames,
    scale_frames,
    shift_frames,
    with_channels,
    normalize_frames,
    log_frames,
    gtu_halves,
    join_sum,
    join_mul,
    join_max,
    join_mean,
    join_concat,
    *FRAMES,
    *NORMS,
    *SHIFTS,
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
    spectrum_frames,
    in_turn,
    spread_due,
    spread_out,
    repeat_items,
    between_items,
)
_OWN = {each.__name__: each for each in _LISTED}


def function(name: str, module: nn.Module | None = None) -> Callable[..., Tensor]:
    """The function that a recipe of a module calls `name`: one registered with its row, else
    codsl's own, else torch's."""
    given = function_of(_row_of(module), name) if FUNCTIONS else None
    own = _OWN.get(name) or getattr(functional, name, None) or getattr(torch, name, None)
    found: Callable[..., Tensor] | None = given or own
    if found is None:
        raise ValueError(f"a recipe calls `{name}`, which is no function")
    return found


def _row_of(module: nn.Module | None) -> str:
    """The name of the row that a module was made of."""
    match getattr(module, "operation", None):
        case Settled(node=node):
            return node.type
        case Row() as row:
            return type_name(type(row))
    return ""
