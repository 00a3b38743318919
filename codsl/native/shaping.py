"""Operators that give the numbers of a tensor in another shape, or several tensors as one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from codsl.native.call import Call
from codsl.native.loops import type_of
from codsl.native.values import Parts, Unsupported, Value, View


def _reshape(call: Call, x: Any, *_: Any) -> Value:
    view = call.view(x)
    found = view.reshaped(call.sizes)
    if found is None:
        found = call.builder.ordered(view, range(len(view.sizes))).reshaped(call.sizes)
    if found is None:
        raise Unsupported("a shape like this")
    return found


def _permute(call: Call, x: Any, dims: Sequence[int]) -> Value:
    view = call.view(x)
    return view.permuted([dim % len(view.sizes) for dim in dims])


def _transpose(call: Call, x: Any, first: int = 0, second: int = 1) -> Value:
    view = call.view(x)
    dims = list(range(len(view.sizes)))
    if dims:
        dims[first], dims[second] = dims[second], dims[first]
    return view.permuted(dims)


def _unsqueeze(call: Call, x: Any, dim: int) -> Value:
    return call.view(x).unsqueezed(dim % len(call.sizes))


def _squeeze(call: Call, x: Any, dims: int | Sequence[int] | None = None) -> Value:
    view = call.view(x)
    rank = len(view.sizes)
    listed = range(rank) if dims is None else [dims] if isinstance(dims, int) else dims
    for dim in sorted({dim % rank for dim in listed}, reverse=True):
        if view.sizes[dim] == 1:
            view = view.without(dim)
    return view


def _expand(call: Call, x: Any, *_: Any, **__: Any) -> Value:
    return call.view(x).expanded(call.sizes)


def _select(call: Call, x: Any, dim: int, place: int) -> Value:
    view = call.view(x)
    dim %= len(view.sizes)
    return view.selected(dim, place % view.sizes[dim])


def _slice(
    call: Call, x: Any, dim: int = 0, start: int | None = None, _: Any = None, step: int = 1
) -> Value:
    view = call.view(x)
    dim %= len(view.sizes)
    first = start or 0
    first = max(0, first + view.sizes[dim]) if first < 0 else min(first, view.sizes[dim])
    return view.narrowed(dim, first, call.sizes[dim], step)


def _narrow(call: Call, x: Any, dim: int, start: int, _: int) -> Value:
    return _slice(call, x, dim, start)


def _cut(view: View, dim: int, sizes: Sequence[int]) -> list[View]:
    start, found = 0, []
    for size in sizes:
        found.append(view.narrowed(dim, start, size))
        start += size
    return found


def _split(call: Call, x: Any, sizes: int | Sequence[int], dim: int = 0) -> list[View]:
    view = call.view(x)
    dim %= len(view.sizes)
    if isinstance(sizes, int):
        whole = view.sizes[dim]
        sizes = [min(sizes, whole - first) for first in range(0, whole, sizes)]
    return _cut(view, dim, sizes)


def _chunk(call: Call, x: Any, chunks: int, dim: int = 0) -> list[View]:
    view = call.view(x)
    return _split(call, view, -(-view.sizes[dim] // chunks), dim)


def _unbind(call: Call, x: Any, dim: int = 0) -> list[View]:
    view = call.view(x)
    dim %= len(view.sizes)
    return [view.selected(dim, place) for place in range(view.sizes[dim])]


def _cat(call: Call, tensors: Sequence[Any], dim: int = 0) -> Value:
    parts = [call.view(x) for x in tensors]
    parts = [view for view in parts if len(view.sizes) == len(call.sizes)]
    return Parts(tuple(parts), dim % len(call.sizes), call.sizes, call.dtype)


def _stack(call: Call, tensors: Sequence[Any], dim: int = 0) -> Value:
    dim %= len(call.sizes)
    parts = tuple(_outer(call.view(x), dim) for x in tensors)
    return Parts(parts, dim, call.sizes, call.dtype)


def _outer(view: View, dim: int) -> View:
    """A view with one dimension more, which is outside of all but the first."""
    found = view.unsqueezed(dim)
    strides = list(found.strides)
    inner = [s * z for s, z in zip(view.strides[1:], view.sizes[1:], strict=True)]
    strides[dim] = max(inner, default=1)
    return View(found.buffer, found.sizes, tuple(strides), found.offset)


def _repeat(call: Call, x: Any, repeats: Sequence[int]) -> Value:
    view = call.view(x)
    for _ in range(len(repeats) - len(view.sizes)):
        view = view.unsqueezed(0)
    parts: Any = view
    for dim, count in enumerate(repeats):
        if count > 1:
            sizes = list(call.view(parts).sizes)
            sizes[dim] *= count
            parts = Parts((call.view(parts),) * count, dim, tuple(sizes), call.dtype)
    found: Value = parts
    return found


def _pad(
    call: Call, x: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Value:
    view: Value = call.view(x)
    rank = len(call.sizes)
    for number in range(len(pad) // 2):
        before, after = pad[2 * number], pad[2 * number + 1]
        if before or after:
            view = _padded(call, call.view(view), rank - 1 - number, before, after, mode, value)
    return view


def _padded(
    call: Call, x: View, dim: int, before: int, after: int, mode: str, value: float | None
) -> Value:
    """A view with more at both ends of a dimension; less where that is negative."""
    size = x.sizes[dim]
    start, stop = max(0, -before), size - max(0, -after)
    inner = x.narrowed(dim, start, stop - start)
    sizes = list(inner.sizes)

    def filled(count: int) -> View:
        sizes[dim] = count
        part = call.like(sizes)
        return call.view(part.expression("{T}({0})", value or 0.0))

    def at(place: int) -> View:
        if mode == "replicate":
            place = min(max(place, 0), size - 1)
        elif mode == "reflect":
            place = abs(place) if place < size else 2 * (size - 1) - place
        else:
            place %= size
        return x.narrowed(dim, place, 1)

    if mode == "constant":
        ends = [[filled(before)] if before > 0 else [], [filled(after)] if after > 0 else []]
    else:
        ends = [[at(p) for p in range(-before, 0)], [at(size + p) for p in range(after)]]
    sizes[dim] = size + before + after
    return Parts((*ends[0], inner, *ends[1]), dim, tuple(sizes), call.dtype)


def _flip(call: Call, x: Any, dims: Sequence[int]) -> Value:
    view = call.view(x)
    for dim in (each % len(view.sizes) for each in dims):
        last = view.sizes[dim] - 1
        offset = view.offset + last * view.strides[dim]
        strides = list(view.strides)
        strides[dim] *= -1
        view = View(view.buffer, view.sizes, tuple(strides), offset)
    return call.like(call.sizes).expression("{0}", view)


def _roll(call: Call, x: Any, shifts: Sequence[int], dims: Sequence[int] = ()) -> Value:
    view = call.view(x)
    if len(shifts) != len(dims):
        raise Unsupported("`roll` over all dimensions at once")
    for shift, dim in zip(shifts, dims, strict=True):
        size = view.sizes[dim]
        cut = -shift % size
        parts = _cut(view, dim % len(view.sizes), [cut, size - cut])[::-1]
        view = call.view(Parts(tuple(parts), dim % len(view.sizes), view.sizes, call.dtype))
    return view


def _index_select(call: Call, x: Any, dim: int, index: Any) -> Value:
    """Some of a dimension: those of an index that is known, or comes."""
    view = call.view(x)
    dim %= len(view.sizes)
    if isinstance(index, Tensor):
        parts = tuple(view.narrowed(dim, int(place), 1) for place in index.flatten())
        return Parts(parts, dim, call.sizes, call.dtype)
    places = call.view(index)
    target = call.builder.room(call.sizes, call.dtype)
    _take(call, view, dim, places, target)
    return target


def _embedding(call: Call, weight: Any, index: Any, *_: Any) -> Value:
    """The rows of a table."""
    places = call.view(index)
    target = call.builder.room(call.sizes, call.dtype)
    count = 1
    for size in places.sizes:
        count *= size
    flat, rows = places.reshaped((count,)), target.reshaped((count, call.sizes[-1]))
    if flat is None or rows is None:
        raise Unsupported("an index like this")
    _take(call, call.view(weight), 0, flat, rows)
    return target


def _take(call: Call, view: View, dim: int, places: View, target: View) -> None:
    """Write what an index, `(N,)`, takes of a dimension: for a place that there is none of NaN, or
    0 among whole numbers."""
    order = [dim, *(each for each in target.order if each != dim)]
    source, into = view.permuted(order), target.permuted(order)
    loops, at_from, at_into = [], [f"{source.offset}"], [f"{into.offset}"]
    for level, size in enumerate(into.sizes):
        loops.append(f"for (long i{level} = 0; i{level} < {size}; ++i{level})")
        at_from.append(f"{f'i{level}' if level else 'place'} * {source.strides[level]}")
        at_into.append(f"i{level} * {into.strides[level]}")
    index = f"{places.buffer.name}[{places.offset} + i0 * {places.strides[0]}]"
    missing = f"std::numeric_limits<{type_of(target.dtype)}>::quiet_NaN()"
    lines = [
        f"{loops[0]} {{",
        f"const long place = {index};",
        f"const bool there = place >= 0 && place < {source.sizes[0]};",
        *loops[1:],
        f"{into.buffer.name}[{' + '.join(at_into)}] = "
        f"there ? {source.buffer.name}[{' + '.join(at_from)}] : {missing};",
        "}",
    ]
    call.builder.emit("\n".join(lines), [view, places], target)


def _same(call: Call, x: Any, *_: Any, **__: Any) -> Value:
    found: Value = x if not isinstance(x, Tensor) else call.view(x)
    return found


def _index(call: Call, x: Any, indices: Sequence[Any]) -> Value:
    """Some places of dimensions that lie together, each by an index that is known, along itself."""
    view = call.view(x)
    dims = [dim for dim, index in enumerate(indices) if index is not None]
    known = [each for each in indices if isinstance(each, Tensor) and each.dtype == torch.int64]
    apart = [_along(index, place, len(dims)) for place, index in enumerate(known)]
    if not all(apart) or len(known) < len(dims) or dims[-1] - dims[0] >= len(dims):
        raise Unsupported("an index like this")
    for dim, index in zip(dims, known, strict=True):
        view = _places(call, view, dim, index.flatten() % view.sizes[dim])
    return view


def _along(index: Tensor, place: int, rank: int) -> bool:
    """Whether an index has all its numbers along one dimension of so many."""
    sizes = (*(1,) * (rank - index.dim()), *index.shape)
    return len(sizes) == rank and sizes[place] == index.numel()


def _places(call: Call, view: View, dim: int, index: Tensor) -> View:
    """Some of a dimension, in one loop, with the others as they lie."""
    sizes = (*view.sizes[:dim], len(index), *view.sizes[dim + 1 :])
    target = call.builder.room(sizes, view.dtype, view.order)
    _take(call, view, dim, call.view(index), target)
    return target


def _unfold(call: Call, x: Any, dim: int, size: int, step: int) -> Value:
    """Windows of a dimension, whose places become the last dimension."""
    view = call.view(x)
    dim %= len(view.sizes)
    strides = [*view.strides, view.strides[dim]]
    strides[dim] *= step
    return View(view.buffer, call.sizes, tuple(strides), view.offset)


def _scattered(call: Call, x: Any, part: Any, cut: Callable[[View], View]) -> Value:
    """A tensor with something else in a part of it."""
    view = call.view(x)
    target = call.builder.room(call.sizes, call.dtype, view.order)
    call.builder.fill(target, view)
    call.builder.fill(cut(target), call.view(part))
    return target


def _slice_scatter(call: Call, x: Any, part: Any, *given: Any, **more: Any) -> Value:
    inner = call.like(call.view(part).sizes)

    def cut(target: View) -> View:
        found = _slice(inner, target, *given, **more)
        return inner.view(found)

    return _scattered(call, x, part, cut)


def _select_scatter(call: Call, x: Any, part: Any, dim: int, place: int) -> Value:
    return _scattered(call, x, part, lambda target: call.view(_select(call, target, dim, place)))


def _channel_shuffle(call: Call, x: Any, groups: int) -> Value:
    """The channels of groups by turns."""
    view = call.view(x)
    channels = view.sizes[1]
    order = torch.arange(channels).view(groups, -1).t().flatten()
    return _index_select(call, view, 1, order)


SHAPING: Mapping[str, Callable[..., Value | list[View]]] = {
    **dict.fromkeys(["view", "reshape", "_unsafe_view", "flatten", "unflatten"], _reshape),
    "permute": _permute,
    **dict.fromkeys(["transpose", "t"], _transpose),
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    **dict.fromkeys(["expand", "expand_as", "broadcast_to"], _expand),
    "select": _select,
    "slice": _slice,
    "narrow": _narrow,
    **dict.fromkeys(["split", "split_with_sizes", "unsafe_split"], _split),
    **dict.fromkeys(["chunk", "unsafe_chunk"], _chunk),
    "unbind": _unbind,
    "cat": _cat,
    "stack": _stack,
    "repeat": _repeat,
    "pad": _pad,
    "constant_pad_nd": lambda call, x, pad, value=0.0: _pad(call, x, pad, "constant", value),
    **dict.fromkeys(
        ["reflection_pad1d", "reflection_pad2d", "reflection_pad3d"],
        lambda call, x, pad: _pad(call, x, pad, "reflect"),
    ),
    **dict.fromkeys(
        ["replication_pad1d", "replication_pad2d", "replication_pad3d"],
        lambda call, x, pad: _pad(call, x, pad, "replicate"),
    ),
    "flip": _flip,
    "roll": _roll,
    "index_select": _index_select,
    "embedding": _embedding,
    "contiguous": _same,
    "unfold": _unfold,
    "copy": lambda call, _, source, *__: call.expression("{T}({0})", source),
    "slice_scatter": _slice_scatter,
    "select_scatter": _select_scatter,
    "channel_shuffle": _channel_shuffle,
    "native_channel_shuffle": _channel_shuffle,
    **dict.fromkeys(["index", "_unsafe_index"], _index),
}
