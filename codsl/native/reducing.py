"""Operators that gather numbers over dimensions, and those that are made of these."""

from collections.abc import Callable, Mapping, Sequence
from math import inf, prod, sqrt
from typing import Any

import torch
from torch import Tensor

from codsl.native.builder import leaves, replaced, views
from codsl.native.call import Call
from codsl.native.loops import literal, reducing
from codsl.native.multiplying import matmul
from codsl.native.values import Expression, Parts, Pending, Unsupported, Value, View

SUM, LARGEST, SMALLEST, PRODUCT = (
    "{0} + {1}",
    "codsl::larger({0}, {1})",
    "codsl::smaller({0}, {1})",
    "{0} * {1}",
)
MANY = 256
"""Numbers of which a sum is gathered in steps, one dimension after another, or in float64: each
that is added rounds all of it."""
STARTS = {SUM: 0.0, LARGEST: -inf, SMALLEST: inf, PRODUCT: 1.0}


def gathered(call: Call, x: Any, dims: Sequence[int] | int | None, how: str) -> View:
    """Numbers gathered over some dimensions, or over all of them; these stay, as ones."""
    value = _read(call, x)
    rank = len(value.sizes)
    listed = [dims] if isinstance(dims, int) else list(dims or range(rank))
    gone = {dim % rank for dim in listed}
    sizes = tuple(1 if dim in gone else size for dim, size in enumerate(value.sizes))
    wide = how == SUM and call.dtype == torch.float32 and prod(value.sizes) > MANY * prod(sizes)
    several = [dim for dim in sorted(gone) if value.sizes[dim] > 1]
    if wide and len(several) > 1:
        return gathered(call, gathered(call, value, several[-1], how), list(gone), how)
    found = views(value)
    order = next((view.order for view in found if view.sizes == value.sizes), range(rank))
    target = call.builder.room(sizes, torch.float64 if wide else call.dtype, order)
    start = literal(STARTS[how], target.dtype)
    call.builder.emit(reducing(target, value, start, how), found, target)
    return call.view(call.like(sizes).expression("{T}({0})", target)) if wide else target


def _read(call: Call, x: Any) -> View | Expression:
    """A value that loops can read."""
    if not isinstance(x, Expression):
        return call.view(x)
    pending = [each for each in leaves(x) if isinstance(each, Pending)]
    return replaced(x, {id(each): call.view(each) for each in pending})


def _squeezed(call: Call, view: View) -> View:
    """A view without the ones that the result does not have."""
    found = view.reshaped(call.sizes)
    if found is None:
        raise Unsupported("a shape like this")
    return found


def _sum(
    call: Call, x: Any, dims: Sequence[int] | int | None = None, _: bool = False, **__: Any
) -> Value:
    return _squeezed(call, gathered(call, x, dims, SUM))


def _mean(
    call: Call, x: Any, dims: Sequence[int] | int | None = None, _: bool = False, **__: Any
) -> Value:
    value = _read(call, x)
    total = gathered(call, value, dims, SUM)
    return call.expression("{0} / {1}", _squeezed(call, total), _over(value.sizes, total))


def _over(sizes: Sequence[int], total: View) -> float:
    """How many numbers each of a total is of."""
    pairs = zip(sizes, total.sizes, strict=True)
    return float(prod(size for size, left in pairs if size != left))


def _extreme(how: str) -> Callable[..., Value]:
    def extreme(
        call: Call, x: Any, dims: Sequence[int] | int | None = None, _: bool = False
    ) -> Value:
        return _squeezed(call, gathered(call, x, dims, how))

    return extreme


def _spread(call: Call, x: Any, dims: Sequence[int], less: float) -> tuple[View, View]:
    """What is left of numbers without their mean, and the mean of its squares."""
    view = call.view(_read(call, x))
    whole = call.like(view.sizes)
    total = gathered(call, view, dims, SUM)
    count = _over(view.sizes, total)
    centred = call.view(whole.expression("{0} - {1} / {2}", view, total, count))
    squares = gathered(call, whole.expression("{0} * {0}", centred), dims, SUM)
    one = call.like(squares.sizes)
    return centred, call.view(one.expression("{0} / {1}", squares, max(count - less, 0.0)))


def _var(call: Call, x: Any, dims: Any = None, **given: Any) -> Value:
    view = call.view(x)
    listed = range(len(view.sizes)) if dims is None else [dims] if isinstance(dims, int) else dims
    correction = given.get("correction")
    _, squares = _spread(call, view, list(listed), 1.0 if correction is None else correction)
    return _squeezed(call, squares)


def _var_mean(call: Call, x: Any, dims: Any = None, **given: Any) -> list[Value]:
    value = _read(call, x)
    listed = range(len(value.sizes)) if dims is None else dims
    total = gathered(call, value, listed, SUM)
    mean = call.expression("{0} / {1}", _squeezed(call, total), _over(value.sizes, total))
    return [_var(call, value, dims, **given), call.view(mean)]


def _std(call: Call, x: Any, dims: Any = None, **given: Any) -> Value:
    return call.expression("std::sqrt({0})", _var(call, x, dims, **given))


def _normed(call: Call, x: Any, dims: Sequence[int], eps: float) -> Expression:
    centred, squares = _spread(call, x, dims, 0.0)
    whole = call.like(centred.sizes)
    one = call.like(squares.sizes)
    factor = call.view(one.expression("1 / std::sqrt({0} + {1})", squares, eps))
    return whole.expression("{0} * {1}", centred, factor)


def _affine(call: Call, x: Expression, weight: Any, bias: Any) -> Expression:
    if weight is not None:
        x = call.expression("{0} * {1}", x, weight)
    return x if bias is None else call.expression("{0} + {1}", x, bias)


def _layer_norm(
    call: Call, x: Any, sizes: Sequence[int], weight: Any = None, bias: Any = None,
    eps: float = 1e-5, *_: Any,
) -> Value:  # fmt: skip
    dims = range(len(call.sizes) - len(sizes), len(call.sizes))
    return _affine(call, _normed(call, x, list(dims), eps), weight, bias)


def _rms_norm(
    call: Call, x: Any, sizes: Sequence[int], weight: Any = None, eps: float | None = None
) -> Value:
    view = call.view(x)
    dims = range(len(call.sizes) - len(sizes), len(call.sizes))
    squares = gathered(call, call.expression("{0} * {0}", view), list(dims), SUM)
    small = torch.finfo(call.dtype).eps if eps is None else eps
    one = call.like(squares.sizes)
    count = _over(view.sizes, squares)
    factor = call.view(one.expression("1 / std::sqrt({0} / {1} + {2})", squares, count, small))
    return _affine(call, call.expression("{0} * {1}", view, factor), weight, None)


def _group_norm(
    call: Call, x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5,
    *_: Any,
) -> Value:  # fmt: skip
    view = call.view(x)
    batch, channels, *space = view.sizes
    apart = (batch, groups, channels // groups, *space)
    parted = view.reshaped(apart)
    if parted is None:
        view = call.builder.ordered(view, range(len(view.sizes)))
        parted = view.reshaped(apart)
    if parted is None:
        raise Unsupported("a shape like this")
    made = _normed(call.like(apart), parted, list(range(2, len(apart))), eps)
    whole = call.view(made).reshaped(view.sizes)
    if whole is None:
        raise Unsupported("a shape like this")
    ones = (-1, *(1,) * len(space))
    laid = [None if each is None else each.reshape(ones) for each in (weight, bias)]
    return _affine(call, call.expression("{0}", whole), *laid)


def _native_group_norm(
    call: Call, x: Any, weight: Any, bias: Any, _: int, __: int, ___: int, groups: int, eps: float
) -> list[Value | None]:
    return [_group_norm(call, x, groups, weight, bias, eps), None, None]


def _batch_norm(
    call: Call, x: Any, weight: Tensor | None, bias: Tensor | None, mean: Tensor, var: Tensor,
    *rest: Any,
) -> Value:  # fmt: skip
    eps = next(each for each in rest[::-1] if isinstance(each, float))
    factor = (var + eps).rsqrt()
    factor = factor if weight is None else factor * weight
    summand = -mean * factor
    summand = summand if bias is None else summand + bias
    ones = (-1, *(1,) * (len(call.sizes) - 2))
    laid = [call.view(each.reshape(ones)) for each in (factor, summand)]
    return call.expression("{0} * {1} + {2}", x, *laid)


def _softmax(call: Call, x: Any, dim: int, *_: Any, **__: Any) -> Value:
    view = call.view(x)
    largest = gathered(call, view, dim, LARGEST)
    powers = call.view(call.expression("codsl::exp({0} - {1})", view, largest))
    total = gathered(call, powers, dim, SUM)
    return call.expression("{0} / {1}", powers, total)


def _log_softmax(call: Call, x: Any, dim: int, *_: Any, **__: Any) -> Value:
    view = call.view(x)
    largest = gathered(call, view, dim, LARGEST)
    powers = call.expression("codsl::exp({0} - {1})", view, largest)
    total = gathered(call, powers, dim, SUM)
    return call.expression("{0} - {1} - codsl::log({2})", view, largest, total)


def _glu(call: Call, x: Any, dim: int = -1) -> Value:
    view = call.view(x)
    dim %= len(view.sizes)
    half = view.sizes[dim] // 2
    one, other = (view.narrowed(dim, first, half) for first in (0, half))
    return call.expression("{0} * codsl::sigmoid({1})", one, other)


def _attention(
    call: Call, query: Any, key: Any, value: Any, mask: Any = None, *_: Any,
    scale: float | None = None, **__: Any,
) -> Value:  # fmt: skip
    q, k, v = (call.view(each) for each in (query, key, value))
    rank = len(q.sizes)
    turned = k.permuted([*range(rank - 2), rank - 1, rank - 2])
    scores = call.like((*q.sizes[:-1], k.sizes[-2]))
    factor = 1 / sqrt(q.sizes[-1]) if scale is None else scale
    weights: Value = scores.expression("{0} * {1}", matmul(scores, q, turned), factor)
    if mask is not None:
        boolean = mask.dtype == torch.bool
        text = "{1} ? {0} : -std::numeric_limits<{T}>::infinity()" if boolean else "{0} + {1}"
        weights = scores.expression(text, weights, mask)
    return matmul(call, _softmax(scores, weights, -1), v)


def _flash_attention(
    call: Call, query: Any, key: Any, value: Any, _: float = 0.0, is_causal: bool = False,
    attn_mask: Any = None, scale: float | None = None,
) -> list[Any]:  # fmt: skip
    if is_causal:
        raise Unsupported("attention that is causal")
    return [_attention(call, query, key, value, attn_mask, scale=scale), None]


def _norm(call: Call, x: Any, p: float = 2, dims: Any = None, _: bool = False, **__: Any) -> Value:
    if p != 2:
        raise Unsupported("a norm that is not of squares")
    view = call.view(x)
    squares = gathered(call, call.like(view.sizes).expression("{0} * {0}", view), dims, SUM)
    return call.expression("std::sqrt({0})", _squeezed(call, squares))


def _cumsum(call: Call, x: Any, dim: int, **_: Any) -> Value:
    view = call.view(x)
    dim %= len(view.sizes)
    parts = [view.narrowed(dim, 0, 1)]
    for place in range(1, view.sizes[dim]):
        part = call.like(parts[0].sizes)
        parts.append(
            call.view(part.expression("{0} + {1}", parts[-1], view.narrowed(dim, place, 1)))
        )
    return Parts(tuple(parts), dim, view.sizes, call.dtype)


REDUCING: Mapping[str, Callable[..., Any]] = {
    "sum": _sum,
    "mean": _mean,
    "amax": _extreme(LARGEST),
    "amin": _extreme(SMALLEST),
    "prod": _extreme(PRODUCT),
    "var": _var,
    "std": _std,
    "var_mean": _var_mean,
    "layer_norm": _layer_norm,
    "native_layer_norm": lambda call, *args: [_layer_norm(call, *args), None, None],
    "rms_norm": _rms_norm,
    "group_norm": _group_norm,
    "native_group_norm": _native_group_norm,
    "batch_norm": _batch_norm,
    **dict.fromkeys(
        ["native_batch_norm", "_native_batch_norm_legit_no_training"],
        lambda call, *args: [_batch_norm(call, *args), None, None],
    ),
    **dict.fromkeys(["softmax", "_softmax", "_safe_softmax"], _softmax),
    **dict.fromkeys(["log_softmax", "_log_softmax"], _log_softmax),
    "glu": _glu,
    "_scaled_dot_product_flash_attention_for_cpu": _flash_attention,
    **dict.fromkeys(["norm", "linalg_vector_norm"], _norm),
    "cumsum": _cumsum,
}
