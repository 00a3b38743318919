"""Transposed convolutions, of every phase of their stride a convolution by its own taps, and which
kind an operator is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import gcd
from typing import Any

import torch
from torch import Tensor

from codsl.native.call import Call
from codsl.native.convolving import convolve, every
from codsl.native.sums import known
from codsl.native.values import Value, View, channels_last


@dataclass(frozen=True)
class Phase:
    """Every `step`-th output of a dimension, `count` of them from `first` on: those that the
    `taps` reach, of which the last sees the item that lies `before` items ahead of the first
    output's own, and each other one `dilation` items more; `after` items behind the last are seen
    by the first of them."""

    first: int
    count: int
    step: int
    taps: range
    dilation: int
    before: int
    after: int


def phases(
    size: int, made: int, kernel: int, stride: int, padding: int, dilation: int
) -> Iterator[Phase]:
    """The phases of a dimension, in which `size` items are `made` into others."""
    common = gcd(stride, dilation)
    for phase in range(stride):
        first = next(
            (tap for tap in range(kernel) if (tap * dilation - phase) % stride == 0), kernel
        )
        taps = range(first, kernel, stride // common)
        begin, end = -((phase - padding) // stride), (made - 1 + padding - phase) // stride
        if end < begin:
            continue
        late = (first * dilation - phase) // stride
        reach = (dilation // common) * (len(taps) - 1)
        yield Phase(
            phase + stride * begin - padding, end - begin + 1, stride, taps, dilation // common,
            reach + late - begin, end - late - (size - 1),
        )  # fmt: skip


def transpose(
    call: Call,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] = (0,),
    output_padding: Sequence[int] = (0,),
    groups: int = 1,
    dilation: Sequence[int] = (1,),
) -> Value:
    """A transposed convolution; no product is made of a number that is not there."""
    turned = _turned(known(weight), groups)
    rank = turned.dim() - 2
    given = [every(each, rank) for each in (stride, padding, dilation)]
    view, space = call.view(x), range(2, 2 + rank)
    sizes = ([each[dim] for dim in space] for each in (view.sizes, call.sizes, turned.shape))
    combined = [*product(*(phases(*each) for each in zip(*sizes, *given, strict=True)))]
    target = None
    for some in combined:
        part = call.like((*call.sizes[:2], *(phase.count for phase in some)))
        made = _phase(part, view, turned, bias, groups, some)
        if len(combined) == 1:
            return made
        target = target or call.builder.room(call.sizes, call.dtype, channels_last(2 + rank))
        place = target
        for dim, phase in zip(space, some, strict=True):
            place = place.narrowed(dim, phase.first, phase.count, phase.step)
        call.builder.fill(place, made)
    return target or call.builder.room(call.sizes, call.dtype)


def _turned(weight: Tensor, groups: int) -> Tensor:
    """A weight `(C, O / groups, *S)` as that of a convolution, `(O, C / groups, *S)`."""
    split = weight.view(groups, -1, *weight.shape[1:]).transpose(1, 2)
    return split.reshape(-1, *split.shape[2:])


def _phase(
    call: Call, x: View, turned: Tensor, bias: Any, groups: int, phases: Sequence[Phase]
) -> Value:
    """The outputs of a phase of each dimension."""
    weight = turned
    for dim, phase in enumerate(phases, 2):
        weight = weight[(slice(None),) * dim + ([*reversed(phase.taps)],)]
    if not weight.numel():
        alone = torch.zeros(len(weight)) if bias is None else known(bias)
        return call.expression("{T}({0})", alone.view(-1, *(1,) * len(phases)))
    wide = _padded(call, x, phases)
    return convolve(call, wide, weight, bias, dilation=[x.dilation for x in phases], groups=groups)


def _padded(call: Call, x: View, phases: Sequence[Phase]) -> View:
    """The items that a phase sees, with zeros where there are none."""
    for dim, phase in enumerate(phases, 2):
        first, last = max(0, -phase.before), x.sizes[dim] + min(0, phase.after)
        x = x.narrowed(dim, first, max(0, last - first))
    around = [(max(0, phase.before), max(0, phase.after)) for phase in phases]
    if not any(map(any, around)):
        return x
    sizes = [each + sum(more) for each, more in zip(x.sizes[2:], around, strict=True)]
    wide = call.builder.room((*x.sizes[:2], *sizes), x.dtype, channels_last(len(x.sizes)))
    call.builder.fill(wide, call.like(wide.sizes).expression("{T}(0)"))
    place = wide
    for dim, ((before, _), count) in enumerate(zip(around, x.sizes[2:], strict=True), 2):
        place = place.narrowed(dim, before, count)
    call.builder.fill(place, x)
    return wide


def convolution(
    call: Call,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Value:
    """A convolution, of either kind."""
    if transposed:
        return transpose(call, x, weight, bias, stride, padding, output_padding, groups, dilation)
    return convolve(call, x, weight, bias, stride, padding, dilation, groups)


CONVOLVING: Mapping[str, Callable[..., Value]] = {
    **dict.fromkeys(["conv1d", "conv2d", "conv3d"], convolve),
    "convolution": convolution,
    **dict.fromkeys(["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"], transpose),
}
