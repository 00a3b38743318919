"""Convolutions over time and space as operations on frames: the taps over time are items."""

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from codsl.algebra.shape import Frame
from codsl.engine.listing import Run
from codsl.engine.numbers import Function
from codsl.engine.onednn import added, over_space, packed, packs
from codsl.engine.style import PLAIN, Style
from codsl.layers.recipe import Call

SMALL = 2**15
"""Weights at most of a product with one item that is written as sums where there are others."""
WIDE = 2**15
"""Numbers of all frames of a batch from which on taps that are added up take less than their stack,
where a convolution is of each channel by itself."""
SEVERAL = 8
"""Frames in a batch from which on they do so in any convolution."""
MANY = 2**14
"""Places of all frames of a batch from which on a matrix product of them no longer stays in the
caches, as oneDNN's convolution does."""
CONVOLUTIONS: dict[int, Callable[..., Tensor]] = {
    1: functional.conv1d,
    2: functional.conv2d,
    3: functional.conv3d,
}


def convolution(call: Call, weight: Tensor, bias: Tensor | None, frame: Frame, style: Style) -> Run:
    """A convolution of the items of a window, the oldest first, by a weight
    `(out, in / groups, taps, *S)`."""
    outs, ins, taps, *space = weight.shape
    groups = call.arguments["groups"]
    pointwise = set(space) <= {1} and _unmoved(call)
    if groups > 1:
        single = ins == 1 and outs == groups
        if pointwise and single and (len(space) != 2 or style.channels == 1):
            return _by_channel(weight.flatten(1), bias, frame.space, style.last)
        return _grouped(call, weight, bias, frame, style)
    across = weight.transpose(1, 2).reshape(outs, taps * ins, *space).contiguous()
    if not space:
        return _of_all(product(across, bias, style), taps)
    many = (style.batch or 0) * prod(frame.space) >= MANY and packs(call, weight, frame, style)
    if pointwise and len(space) == 2 and style.last and not many:
        return _of_all(_places(across.flatten(1), bias, frame.space, style), taps)
    if taps > 1 and _in_parts(frame, style):
        return _tap_by_tap(call, weight, bias, frame, style)
    return _of_all(_spatial(call, across, bias, frame, style), taps)


def product(weight: Tensor, bias: Tensor | None, style: Style = PLAIN) -> Function:
    """A matrix product of items without space."""
    across = weight.t().contiguous()
    if style.sums:
        summand: Tensor | float = 0.0 if bias is None else bias
        return lambda x: (x.unsqueeze(2) * across).sum(1) + summand
    if bias is None:
        return lambda x: torch.mm(x, across)
    return lambda x: torch.addmm(bias, x, across)


def _of_all(run: Function, taps: int) -> Run:
    """A function of the channels of all items of a window."""
    return run if taps == 1 else lambda *items: run(torch.cat(items, 1))


def _places(weight: Tensor, bias: Tensor | None, space: tuple[int, ...], style: Style) -> Function:
    """A matrix product at every place of `(B, C, H, W)`, channels beside each other."""
    small = set(space) == {1} and weight.numel() <= SMALL
    multiply = product(weight, bias, style if small else PLAIN)
    outs = weight.shape[0]

    def run(x: Tensor) -> Tensor:
        batch, channels, *space = x.shape
        places = x.permute(0, 2, 3, 1).reshape(-1, channels)
        return multiply(places).view(batch, *space, outs).permute(0, 3, 1, 2)

    return run


def _by_channel(weight: Tensor, bias: Tensor | None, space: tuple[int, ...], last: bool) -> Run:
    """A number for each channel and tap, `weight` `(channels, taps)`, and the sum over the taps;
    with `last` a row of planes at a time, since what is done channel by channel is slow."""
    rows = last and len(space) == 2
    sizes = (1, len(weight), *(1,) * len(space))

    def laid(x: Tensor) -> Tensor:
        return x.repeat(space[1]) if rows else x.view(sizes)

    first, *others = map(laid, weight.unbind(1))
    summand = None if bias is None else laid(bias)

    def run(*items: Tensor) -> Tensor:
        y = items[0] * first if summand is None else torch.addcmul(summand, items[0], first)
        for item, factor in zip(items[1:], others, strict=True):
            y.addcmul_(item, factor)
        return y

    return _by_rows(run) if rows else run


def _by_rows(run: Run) -> Run:
    """A function of rows `(..., W * C)` as one of planes `(B, C, H, W)`."""

    def planes(*items: Tensor) -> Tensor:
        batch, channels, height, width = items[0].shape
        y: Tensor = run(*(x.permute(0, 2, 3, 1).reshape(-1, width * channels) for x in items))
        return y.view(batch, height, width, channels).permute(0, 3, 1, 2)

    return planes


def _unmoved(call: Call) -> bool:
    """Whether a convolution neither pads nor strides over space."""
    padding = call.arguments["padding"]
    plain = isinstance(padding, int | str) or not any(padding[1:])
    return plain and not call.pad and set(call.arguments["stride"][1:]) <= {1}


def _padded(call: Call, dims: int, run: Function) -> Function:
    """A function of an input that is padded over space first."""
    pad = call.pad[: 2 * dims]
    if not any(pad):
        return run
    value = call.value if call.mode == "constant" else None
    return lambda x: run(functional.pad(x, pad, call.mode, value))


def _spatial(
    call: Call, weight: Tensor, bias: Tensor | None, frame: Frame, style: Style
) -> Function:
    """A convolution over space alone."""
    if packs(call, weight, frame, style):
        return packed(call, weight, bias, frame, style)
    dims = len(frame.space)
    sizes, convolve = over_space(call), CONVOLUTIONS[dims]
    return _padded(call, dims, lambda x: convolve(x, weight, bias, **sizes))


def _grouped(call: Call, weight: Tensor, bias: Tensor | None, frame: Frame, style: Style) -> Run:
    """A convolution in groups: over the stack of all items, or tap by tap where that is quicker,
    or where graphs are for others, for whom it may be none."""
    taps, dims = weight.shape[2], len(frame.space)
    if dims and (taps == 1 or not style.last):
        return _summed(call, weight, bias, dims, style)
    single = weight.shape[1] == 1 and len(weight) == call.arguments["groups"]
    wide = single and (style.batch or 0) * frame.size >= WIDE
    if _in_parts(frame, style) or (wide and packs(call, weight, frame, style)):
        return _tap_by_tap(call, weight, bias, frame, style)
    return _stacked(call, weight, bias, dims)


def _tap_by_tap(call: Call, weight: Tensor, bias: Tensor | None, frame: Frame, style: Style) -> Run:
    """A convolution whose taps are added one after the other, and that copies no item."""
    if packs(call, weight, frame, style):
        return added(call, weight, bias, frame, style)
    return _summed(call, weight, bias, len(frame.space), style)


def _in_parts(frame: Frame, style: Style) -> bool:
    """Whether taps, each by itself, take less than all of them as channels or as a stack."""
    return style.last and len(frame.space) == 2 and (style.batch or 0) >= SEVERAL


def _summed(call: Call, weight: Tensor, bias: Tensor | None, dims: int, style: Style) -> Run:
    """A convolution in groups over space of each item, and the sum over the items."""
    groups, outs = call.arguments["groups"], weight.shape[0]
    single = dims == 2 and weight.shape[1] == 1 and outs == groups
    more = -groups % style.channels if single else 0
    if more:
        weight, bias = _widened(weight, more), None if bias is None else _widened(bias, more)
    sizes = over_space(call) | {"groups": groups + more}
    first, *others = (each.contiguous() for each in weight.flip(2).unbind(2))
    convolve = CONVOLUTIONS[dims]
    beyond = (0, 0) * dims + (0, more)
    run = _padded(call, dims, lambda x: functional.pad(x, beyond) if more else x)

    def summed(*items: Tensor) -> Tensor:
        y = convolve(run(items[-1]), first, bias, **sizes)
        for item, part in zip(items[-2::-1], others, strict=True):
            y = y + convolve(run(item), part, **sizes)
        return y.narrow(1, 0, outs).clone() if more else y

    return summed


def _widened(x: Tensor, more: int) -> Tensor:
    """A tensor with so many zeros behind its first dimension."""
    return torch.cat([x, x.new_zeros(more, *x.shape[1:])])


def _stacked(call: Call, weight: Tensor, bias: Tensor | None, dims: int) -> Run:
    """A convolution over time and space of items that are stacked."""
    given = over_space(call)
    convolve = CONVOLUTIONS[dims + 1]
    padding = given["padding"]
    sizes: dict[str, Any] = {
        "stride": (1, *given["stride"]),
        "dilation": (1, *given["dilation"]),
        "padding": padding if isinstance(padding, int | str) else (0, *padding),
        "groups": call.arguments["groups"],
    }
    pad = _padded(call, dims, lambda x: x)
    last = dims == 2

    def run(*items: Tensor) -> Tensor:
        if last:
            x = torch.stack([pad(each).permute(0, 2, 3, 1) for each in items], 1)
            return convolve(x.permute(0, 4, 1, 2, 3), weight, bias, **sizes).squeeze(2)
        return convolve(torch.stack([pad(e) for e in items], 2), weight, bias, **sizes).squeeze(2)

    return run
