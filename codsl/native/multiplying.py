"""Products of matrices, and of batches of these."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from torch import Tensor

from codsl.native.call import Call
from codsl.native.sums import Geometry, Sum, of_plane, row_of, rows_of
from codsl.native.values import Unsupported, Value


def linear(call: Call, x: Any, weight: Any, bias: Any = None) -> Value:
    """Rows times a matrix `(O, C)`, and a bias."""
    if not isinstance(weight, Tensor) or call.dtype != call.builder.dtype:
        return _plus(call, matmul(call, x, call.view(weight).permuted([1, 0])), bias)
    last = len(call.sizes) - 1
    parts = rows_of(call, x, last)
    row = row_of(parts[0], last)
    if row is None:
        raise Unsupported("rows that do not lie alike")
    weights = weight.split([part.sizes[last] for part in parts], 1)
    items = tuple((part, of_plane(w)) for part, w in zip(parts, map(_wide, weights), strict=True))
    width = prod(call.sizes[:-1])
    geometry = Geometry(1, (1, width), parts[0].sizes[last], row, (1, width), call.sizes[last])
    if bias is not None and (not isinstance(bias, Tensor) or bias.dim() != 1):
        return _plus(
            call, Sum(call.builder, geometry, items, None, call.sizes, last).pending(), bias
        )
    own = None if bias is None else bias.expand(call.sizes[last])
    return Sum(call.builder, geometry, items, own, call.sizes, last).pending()


def _wide(weight: Tensor) -> Tensor:
    return weight.view(*weight.shape, 1, 1)


def _plus(call: Call, x: Value, y: Any) -> Value:
    return x if y is None else call.expression("{0} + {1}", x, y)


def matmul(call: Call, x: Any, y: Any) -> Value:
    """A product of matrices, or of batches of these."""
    if isinstance(y, Tensor) and y.dim() == 2 and len(call.sizes) > 1:
        return linear(call, x, y.t().contiguous())
    one, other = call.view(x), call.view(y)
    if len(one.sizes) < 2 or len(other.sizes) < 2:
        raise Unsupported("a product with a vector")
    batch = call.sizes[:-2]
    one = one.expanded((*batch, *one.sizes[-2:]))
    other = other.expanded((*batch, *other.sizes[-2:]))
    target = call.builder.room(call.sizes, call.dtype)
    loops, at = [], [one.offset, other.offset, target.offset]
    places = [str(each) for each in at]
    for dim, size in enumerate(batch):
        loops.append(f"for (long n{dim} = 0; n{dim} < {size}; ++n{dim})")
        for number, view in enumerate((one, other, target)):
            places[number] += f" + n{dim} * {view.strides[dim]}"
    rows, inner, columns = call.sizes[-2], one.sizes[-1], call.sizes[-1]
    given = [f"{rows}", f"{columns}", f"{inner}"]
    for view, at_place in zip((one, other, target), places, strict=True):
        given += [f"{view.buffer.name} + {at_place}", *map(str, view.strides[-2:])]
    text = "\n".join([*loops, f"codsl::multiply({', '.join(given)});"])
    call.builder.emit(text, [one, other], target)
    return target


def _addmm(call: Call, bias: Any, x: Any, y: Any, *, beta: float = 1, alpha: float = 1) -> Value:
    if beta != 1 or alpha != 1:
        raise Unsupported("factors of a product")
    if isinstance(y, Tensor):
        return linear(call, x, y.t().contiguous(), bias)
    return _plus(call, matmul(call, x, y), bias)


def _baddbmm(call: Call, bias: Any, x: Any, y: Any, *, beta: float = 1, alpha: float = 1) -> Value:
    product = matmul(call, x, y)
    return call.expression("{2} * {0} + {3} * {1}", bias, product, beta, alpha)


MULTIPLYING: Mapping[str, Callable[..., Value]] = {
    "linear": linear,
    **dict.fromkeys(["mm", "bmm", "matmul"], matmul),
    "addmm": _addmm,
    "baddbmm": _baddbmm,
}
