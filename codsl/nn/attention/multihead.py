"""The arithmetic of `torch.nn.MultiheadAttention` in its parts, on items `(N, T, E)`."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def projected(mha: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Queries, keys and values of items, beside one another: `(N, T, 3 * E)`."""
    bias = mha.in_proj_bias
    if mha.in_proj_weight is not None and query is key is value:
        return functional.linear(query, mha.in_proj_weight, bias)
    weights = (
        (mha.q_proj_weight, mha.k_proj_weight, mha.v_proj_weight)
        if mha.in_proj_weight is None
        else mha.in_proj_weight.chunk(3)
    )
    biases = (None, None, None) if bias is None else bias.chunk(3)
    given = zip((query, key, value), weights, biases, strict=True)
    return torch.cat([functional.linear(*each) for each in given], -1)


def attended(mha: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """What projected queries `(N, R, E)` see of projected keys and values `(N, T, E)`.

    The softmax is taken anew over all keys, largest score first, so that large scores do no harm.
    """
    if mha.bias_k is not None:
        key = torch.cat([key, mha.bias_k.expand(len(key), 1, -1)], 1)
        value = torch.cat([value, mha.bias_v.expand(len(value), 1, -1)], 1)
    if mha.add_zero_attn:
        nothing = key.new_zeros((len(key), 1, key.shape[2]))
        key, value = torch.cat([key, nothing], 1), torch.cat([value, nothing], 1)
    query, key, value = (_parted(each, mha.num_heads) for each in (query, key, value))
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
    weights = functional.dropout(scores.softmax(-1), mha.dropout, mha.training)
    y: Tensor = mha.out_proj((weights @ value).transpose(1, 2).flatten(2))
    return y


def _parted(x: Tensor, heads: int) -> Tensor:
    """`(N, T, E)` as `(N, heads, T, E / heads)`."""
    return x.reshape(*x.shape[:2], heads, x.shape[2] // heads).transpose(1, 2)


def prepared(layer: Any, x: Tensor) -> Tensor:
    """Items of an encoder's layer with their queries, keys and values, `(N, T, 4 * E)`."""
    own = layer.norm1(x) if layer.norm_first else x
    return torch.cat([x, projected(layer.self_attn, own, own, own)], -1)


def encoded(layer: Any, kept: Tensor, newest: bool) -> Tensor:
    """The outputs of an encoder's layer for what is `prepared`: of the newest item, or of all."""
    x, query, key, value = kept.chunk(4, -1)
    if newest:
        x, query = x[:, -1:], query[:, -1:]
    seen = layer.dropout1(attended(layer.self_attn, query, key, value))
    if layer.norm_first:
        x = x + seen
        return x + _fed(layer, layer.norm2(x))  # type: ignore[no-any-return]
    x = layer.norm1(x + seen)
    return layer.norm2(x + _fed(layer, x))  # type: ignore[no-any-return]


def _fed(layer: Any, x: Tensor) -> Tensor:
    wide = layer.dropout(layer.activation(layer.linear1(x)))
    y: Tensor = layer.dropout2(layer.linear2(wide))
    return y
