"""Attention over a band of items, of `(B, C, T)`.

Each output's window is cut out, and nothing is multiplied by zero: what is not in the window,
`nan` included, is never looked at.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 2**24
"""Numbers of windows that are cut out at once, at most."""


def keys_and_values(module: Any, x: Tensor) -> Tensor:
    """The key and the value of each item, `(B, 2 * C, T)`."""
    return _projected(module, x, slice(x.shape[1], None))


def attend(
    module: Any,
    x: Tensor,
    kept: Tensor,
    lead: int,
    past: int,
    ahead: int,
    base: float | None,
    absent: Tensor | None = None,
) -> Tensor:
    """What items `x` see among the kept keys and values, of which `lead` stand before the first's
    own. Those that are `absent`, `(B, kept)`, an item that is alone does not see."""
    queries = _projected(module, x, slice(x.shape[1]))
    heads = module.num_heads
    query = _parted(queries, heads).transpose(2, 3)
    key, value = (_parted(each, heads) for each in kept.chunk(2, 1))
    if base is not None:
        query = turned(query, lead, base)
        key = turned(key.transpose(2, 3), 0, base).transpose(2, 3)
    drop = module.dropout if module.training else 0.0
    query = query * query.shape[3] ** -0.5
    seen = _band(query, key, value, past - lead, past + 1 + ahead, drop, absent)
    y: Tensor = module.out_proj(seen.transpose(1, 2).flatten(2))
    return y.transpose(1, 2)


def encoder_keys_and_values(module: Any, x: Tensor) -> Tensor:
    """The key and the value of each item in a layer of an encoder, `(B, 2 * C, T)`."""
    return keys_and_values(module.self_attn, _normed(module.norm1, x) if module.norm_first else x)


def encode(module: Any, x: Tensor, kept: Tensor, lead: int, **band: Any) -> Tensor:
    """A layer of an encoder, of items `x` and what is kept around them."""
    own = _normed(module.norm1, x) if module.norm_first else x
    seen = module.dropout1(attend(module.self_attn, own, kept, lead, **band))
    if module.norm_first:
        x = x + seen
        return x + _forward_fed(module, _normed(module.norm2, x))
    x = _normed(module.norm1, x + seen)
    return _normed(module.norm2, x + _forward_fed(module, x))


def _normed(norm: Any, x: Tensor) -> Tensor:
    y: Tensor = norm(x.transpose(1, 2))
    return y.transpose(1, 2)


def _forward_fed(module: Any, x: Tensor) -> Tensor:
    wide = module.dropout(module.activation(module.linear1(x.transpose(1, 2))))
    y: Tensor = module.dropout2(module.linear2(wide))
    return y.transpose(1, 2)


def _projected(module: Any, x: Tensor, part: slice) -> Tensor:
    bias = module.in_proj_bias
    weights = (module.in_proj_weight[part], None if bias is None else bias[part])
    return functional.linear(x.transpose(1, 2), *weights).transpose(1, 2)


def _parted(x: Tensor, heads: int) -> Tensor:
    """`(B, C, T)` as `(B, heads, C / heads, T)`."""
    return x.reshape(x.shape[0], heads, x.shape[1] // heads, x.shape[2])


def turned(x: Tensor, first: int, base: float) -> Tensor:
    """`(..., T, size)` with each pair of channels turned by its position from `first` on."""
    items, size = x.shape[-2:]
    exact = {"dtype": torch.float64, "device": x.device}
    positions = torch.arange(first, first + items, **exact)  # type: ignore[call-overload]
    speeds = base ** (-torch.arange(0, size, 2, **exact) / size)  # type: ignore[call-overload]
    angles = positions[:, None] * speeds
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    one, other = x[..., ::2], x[..., 1::2]
    return torch.stack([one * cos - other * sin, one * sin + other * cos], -1).flatten(-2)


def _band(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    missing: int,
    size: int,
    drop: float,
    absent: Tensor | None,
) -> Tensor:
    """Softmax of queries `(B, heads, n, d)` over windows of `size` keys `(B, heads, d, m)`, and so
    much of each value. The windows begin at successive items, the first one `missing` items before
    the first that there is."""
    batch, heads, outputs, width = query.shape
    items = key.shape[3]
    if outputs == 1:
        scores = query @ key
        if absent is not None:
            scores = scores.masked_fill(absent[:, None, None], -torch.inf)
        return _softmax(scores, drop) @ value.transpose(2, 3)
    more = (missing, outputs - 1 + size - missing - items)
    keys, values = (functional.pad(each, more).unfold(3, size, 1) for each in (key, value))
    slots = torch.arange(outputs, device=query.device)[:, None] + torch.arange(
        size, device=query.device
    )
    outside = (slots < missing) | (slots >= missing + items)
    step = max(1, BLOCK // max(1, batch * heads * width * size))
    parts = []
    for first in range(0, outputs, step):
        part = slice(first, first + step)
        scores = torch.einsum("bhnd,bhdnw->bhnw", query[:, :, part], keys[:, :, :, part])
        weights = _softmax(scores.masked_fill(outside[part], -torch.inf), drop)
        parts.append(torch.einsum("bhnw,bhdnw->bhnd", weights, values[:, :, :, part]))
    return parts[0] if len(parts) == 1 else torch.cat(parts, 2)


def _softmax(scores: Tensor, drop: float) -> Tensor:
    weights = scores.softmax(-1)
    return functional.dropout(weights, drop) if drop else weights
