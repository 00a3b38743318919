"""Operators that pool: the largest or the mean of what is around a place."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from codsl.native.call import Call
from codsl.native.reducing import LARGEST, SUM, gathered
from codsl.native.values import Parts, Value, View, channels_last


def _three(numbers: Sequence[int] | int, rank: int, one: int) -> list[int]:
    listed = [numbers] if isinstance(numbers, int) else list(numbers)
    listed = listed * rank if len(listed) == 1 else listed
    return [one] * (3 - rank) + listed


def _cube(view: View) -> View:
    """A view `(B, C, *S)` as one with three dimensions of space."""
    while len(view.sizes) < 5:
        view = view.unsqueezed(2)
    return view


def _pool(rank: int, kernel: str) -> Callable[..., Value]:
    def pool(
        call: Call,
        x: Any,
        size: Sequence[int],
        stride: Sequence[int] = (),
        padding: Sequence[int] = (0,),
        *rest: Any,
        **given: Any,
    ) -> Value:
        view = call.view(x)
        unbatched = len(view.sizes) == rank + 1
        view = view.unsqueezed(0) if unbatched else view
        target = call.builder.room(call.sizes, call.dtype, channels_last(len(call.sizes)))
        into = target.unsqueezed(0) if unbatched else target
        numbers = [
            _three(size, rank, 1),
            _three(stride or size, rank, 1),
            _three(padding, rank, 0),
        ]
        if kernel == "largest":
            dilation, *_ = [*rest, given.get("dilation", 1)]
            last = _three(dilation, rank, 1)
        else:
            counts = rest[1] if len(rest) > 1 else given.get("count_include_pad", True)
            divisor = rest[2] if len(rest) > 2 else given.get("divisor_override")
            last = [int(bool(counts)), divisor or 0, 0]
        _emit(call, view, into, kernel, [*numbers, last])
        return target

    return pool


def _emit(call: Call, view: View, target: View, kernel: str, numbers: Sequence[Any]) -> None:
    source, into = _cube(view), _cube(target)
    listed = [
        *(f"{each.buffer.name} + {each.offset}" for each in (source, into)),
        *(_list(each) for each in (source.sizes, source.strides, into.sizes, into.strides)),
        *map(_list, numbers),
    ]
    call.builder.emit(f"codsl::{kernel}({', '.join(listed)});", [view], target)


def _list(numbers: Sequence[int]) -> str:
    return "{" + ", ".join(map(str, numbers)) + "}"


def _with_indices(rank: int) -> Callable[..., list[Any]]:
    pool = _pool(rank, "largest")
    return lambda call, *args, **given: [pool(call, *args, **given), None]


def _adaptive(call: Call, x: Any, sizes: Sequence[int] | int, how: str = SUM) -> Value:
    """Means, or what is largest, over parts of each dimension of space that are as alike as can
    be."""
    view: Any = call.view(x)
    rank = 1 if isinstance(sizes, int) else len(sizes)
    first = len(call.sizes) - rank
    for dim in range(first, len(call.sizes)):
        view = _adapted(call, call.view(view), dim, call.sizes[dim], how)
    found: Value = view
    return found


def _adapted(call: Call, view: View, dim: int, wanted: int, how: str) -> Value:
    size = view.sizes[dim]
    if size == wanted:
        return view
    bounds = [(place * size // wanted, -(-(place + 1) * size // wanted)) for place in range(wanted)]
    parts = []
    for start, stop in bounds:
        total = gathered(call, view.narrowed(dim, start, stop - start), dim, how)
        count = float(stop - start) if how == SUM else 1.0
        parts.append(call.view(call.like(total.sizes).expression("{0} / {1}", total, count)))
    sizes = tuple(wanted if each == dim else n for each, n in enumerate(view.sizes))
    return parts[0] if wanted == 1 else Parts(tuple(parts), dim, sizes, call.dtype)


def _adaptive_largest(call: Call, x: Any, sizes: Sequence[int] | int) -> list[Any]:
    return [_adaptive(call, x, sizes, LARGEST), None]


POOLING: Mapping[str, Callable[..., Any]] = {
    **{f"max_pool{rank}d": _pool(rank, "largest") for rank in (1, 2, 3)},
    **{f"max_pool{rank}d_with_indices": _with_indices(rank) for rank in (2, 3)},
    **{f"avg_pool{rank}d": _pool(rank, "mean") for rank in (1, 2, 3)},
    **dict.fromkeys([f"adaptive_avg_pool{rank}d" for rank in (1, 2, 3)], _adaptive),
    **dict.fromkeys([f"adaptive_max_pool{rank}d" for rank in (1, 2, 3)], _adaptive_largest),
    **dict.fromkeys([f"_adaptive_avg_pool{rank}d" for rank in (2, 3)], _adaptive),
}
