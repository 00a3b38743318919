"""Convolutions over one, two or three dimensions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from codsl.native.call import Call
from codsl.native.sums import Geometry, Pair, Sum, bias_of, known, of_plane, row_of, rows_of
from codsl.native.values import Parts, Sizes, Unsupported, Value, View, channels_last


def _two(numbers: Sequence[int], rank: int, one: int) -> Pair:
    """Numbers for each dimension of space as those of a plane."""
    listed = list(numbers) * (rank if len(numbers) == 1 else 1)
    height, width = [one] * (2 - rank) + listed
    return height, width


def convolve(
    call: Call,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] | str = (0,),
    dilation: Sequence[int] = (1,),
    groups: int = 1,
) -> Value:
    """A convolution over one, two or three dimensions."""
    weight = known(weight)
    rank = weight.dim() - 2
    stride, dilation = (every(each, rank) for each in (stride, dilation))
    if isinstance(padding, str):
        padding = _named_padding(padding, weight, dilation)
    padding = every(padding, rank)
    if rank == 3:
        return _over_time(call, x, weight, bias, stride, padding, dilation, groups)
    sizes = {"stride": stride, "padding": padding, "dilation": dilation}
    pairs = {name: _two(each, rank, int(name != "padding")) for name, each in sizes.items()}
    return _over_planes(call, [x], [weight], bias_of(bias), groups, pairs)


def every(numbers: Sequence[int] | int, rank: int) -> list[int]:
    """Numbers for each dimension, of which one may stand for all."""
    listed = [numbers] if isinstance(numbers, int) else list(numbers)
    return listed * rank if len(listed) == 1 else listed


def _named_padding(padding: str, weight: Tensor, dilation: Sequence[int]) -> list[int]:
    total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if padding == "valid":
        return [0] * len(total)
    if any(each % 2 for each in total):
        raise Unsupported("padding that is not the same at both sides")
    return [each // 2 for each in total]


def _over_planes(
    call: Call,
    xs: Sequence[Any],
    weights: Sequence[Tensor],
    bias: Tensor | None,
    groups: int,
    pairs: Mapping[str, Pair],
) -> Value:
    """The sum of the convolutions of several items, each with its weight `(O, C / groups, *S)`."""
    outs, ins = weights[0].shape[:2]
    items = []
    each = groups > 1 and ins == 1 and outs == groups
    for x, weight in zip(xs, weights, strict=True):
        parts = rows_of(call, x, 1) if groups == 1 else rows_of(call, call.view(x), 1)
        split = weight.split([part.sizes[1] for part in parts], 1) if groups == 1 else [weight]
        items += [(_plane(p), of_plane(w)) for p, w in zip(parts, split, strict=True)]
    space, out_space = items[0][0].sizes[2:], call.sizes[2:]

    def summed(items: Sequence[tuple[View, Tensor]], bias: Tensor | None, sizes: Sizes) -> Sum:
        view, weight = items[0]
        row = row_of(view, 1)
        if row is None:
            raise Unsupported("places that do not lie alike")
        planes = (_two(space, 2, 1), _two(out_space, len(out_space), 1))
        geometry = Geometry(
            view.sizes[0], planes[0], view.sizes[1], row, planes[1], len(weight),
            (weight.shape[2], weight.shape[3]), pairs["stride"], pairs["padding"],
            pairs["dilation"], each,
        )  # fmt: skip
        return Sum(call.builder, geometry, tuple(items), bias, sizes, 1)

    if groups == 1 or each:
        return summed(items, bias, call.sizes).pending()
    target = call.builder.room(call.sizes, call.dtype, channels_last(len(call.sizes)))
    count = outs // groups
    for group in range(groups):
        some = [
            (view.narrowed(1, group * ins, ins), weight[group * count : (group + 1) * count])
            for view, weight in items
        ]
        part = target.narrowed(1, group * count, count)
        own = None if bias is None else bias[group * count : (group + 1) * count]
        summed(some, own, part.sizes).write(part)
    return target


def _plane(view: View) -> View:
    """An item `(B, C, *S)` as `(B, C, H, W)`."""
    while len(view.sizes) < 4:
        view = view.unsqueezed(2)
    return view


def _over_time(
    call: Call,
    x: Any,
    weight: Tensor,
    bias: Any,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Value:
    """A convolution over three dimensions: planes, and the sum over the items of the first."""
    planes = list(_items(call, x))
    sizes = {"stride": stride, "padding": padding, "dilation": dilation}
    pairs = {name: _two(each[1:], 2, 1) for name, each in sizes.items()}
    batch, outs, frames, *space = call.sizes
    made: list[Any] = []
    for frame in range(frames):
        places = [
            (tap, frame * stride[0] - padding[0] + tap * dilation[0])
            for tap in range(weight.shape[2])
        ]
        taps = [(tap, at) for tap, at in places if 0 <= at < len(planes)]
        part = call.like((batch, outs, *space))
        xs, weights = [planes[at] for _, at in taps], [weight[:, :, tap] for tap, _ in taps]
        if taps:
            made.append(call.view(_over_planes(part, xs, weights, bias_of(bias), groups, pairs)))
        else:
            alone = torch.zeros(outs) if bias is None else known(bias)
            made.append(call.view(part.expression("{T}({0})", alone.view(-1, 1, 1))))
    if frames == 1:
        return call.view(made[0]).unsqueezed(2)
    return Parts(tuple(each.unsqueezed(2) for each in made), 2, call.sizes, call.dtype)


def _items(call: Call, x: Any) -> Iterator[View]:
    """The items of a clip `(B, C, T, *S)`, one after another."""
    parts = x.parts if isinstance(x, Parts) and x.dim == 2 else [call.view(x)]
    for part in parts:
        for place in range(part.sizes[2]):
            yield part.selected(2, place)
