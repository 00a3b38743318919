"""Convolutions over time and space as operations on frames: the taps over time are items."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from codsl.algebra.shape import Frame
from codsl.engine.listing import Run
from codsl.engine.style import PLAIN, Style
from codsl.layers.recipe import Call

Function = Callable[[Tensor], Tensor]

SMALL = 2**15
"""Weights at most of a product with one item that is written as sums where there are others."""
WIDE = 2**15
"""Numbers of all frames of a batch from which on taps, each by itself, take less than a stack."""
MANY = 2**14
"""Places of all frames of a batch from which on a matrix product of them no longer stays in the
caches, as oneDNN's convolution does."""
SEVERAL = 8
"""Frames in a batch from which on taps, each by itself, take less than all as channels."""
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
    batch = style.batch or 0 if _packs(call, weight, frame, style) else 0
    if pointwise and len(space) == 2 and style.last and batch * prod(frame.space) < MANY:
        return _of_all(_places(across.flatten(1), bias, frame.space, style), taps)
    if taps > 1 and batch >= SEVERAL:
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


def goes_along(call: Call, taps: int, like: Tensor, style: Style) -> bool:
    """Whether a convolution of so many taps over time takes the items of all outputs as a clip."""
    plain = call.function == "conv3d" and call.arguments["groups"] == 1 and not call.pad
    able = style.along and style.packed and _by_onednn(like.dtype)
    return able and plain and taps > 1 and not isinstance(call.arguments["padding"], str)


def along(call: Call, weight: Tensor, bias: Tensor | None, frame: Frame, style: Style) -> Function:
    """A convolution of a clip `(1, C, T, H, W)` that gives frames `(T, out, H, W)`."""
    stride, dilation = (list(call.arguments[name]) for name in ("stride", "dilation"))
    around = ([0, *_pads(call)], stride, dilation, 1)
    frames = (weight.shape[2] - 1) * dilation[0] + (style.batch or 1)
    reorder: Any = torch._C._nn.mkldnn_reorder_conv3d_weight
    laid = reorder(weight.to_mkldnn(), *around, [1, weight.shape[1], frames, *frame.space])
    convolve = torch.ops.mkldnn._convolution_pointwise.default
    return lambda x: convolve(x, laid, bias, *around, "none", [], "")[0].transpose(0, 1)


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


def _over_space(call: Call) -> dict[str, Any]:
    """The arguments of a convolution without those over time."""
    given = call.arguments
    padding = given["padding"]
    return {
        "stride": tuple(given["stride"][1:]),
        "padding": padding if isinstance(padding, int | str) else tuple(padding[1:]),
        "dilation": tuple(given["dilation"][1:]),
    }


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
    if _packs(call, weight, frame, style):
        return _packed(call, weight, bias, frame, style)
    dims = len(frame.space)
    sizes, convolve = _over_space(call), CONVOLUTIONS[dims]
    return _padded(call, dims, lambda x: convolve(x, weight, bias, **sizes))


def _pads(call: Call) -> list[int]:
    """The padding at both sides of both dimensions of space."""
    padding = call.arguments["padding"]
    return [padding] * 2 if isinstance(padding, int) else list(padding[1:])


def _by_onednn(dtype: torch.dtype) -> bool:
    """Whether oneDNN has convolutions of this precision on this machine."""
    mkldnn: Any = torch.ops.mkldnn
    if dtype == torch.bfloat16:
        return bool(mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32


def _packs(call: Call, weight: Tensor, frame: Frame, style: Style) -> bool:
    """Whether oneDNN has a convolution over these planes, with weights in the layout that it
    likes."""
    padding = call.arguments["padding"]
    able = style.packed and style.batch is not None and _by_onednn(weight.dtype)
    return able and len(frame.space) == 2 and not call.pad and not isinstance(padding, str)


def _around(call: Call) -> tuple[list[int], list[int], list[int], int]:
    """Padding, stride and dilation over space, and the groups, as oneDNN is given them."""
    sizes = _over_space(call)
    return _pads(call), list(sizes["stride"]), list(sizes["dilation"]), call.arguments["groups"]


def _laid(call: Call, weight: Tensor, channels: int, space: Sequence[int], style: Style) -> Tensor:
    """A weight in the layout that oneDNN likes for frames of so many channels."""
    reorder: Any = torch._C._nn.mkldnn_reorder_conv2d_weight
    taken = [style.batch, channels, *space]
    found: Tensor = reorder(weight.contiguous().to_mkldnn(), *_around(call), taken)
    return found


def _packed(
    call: Call, weight: Tensor, bias: Tensor | None, frame: Frame, style: Style
) -> Function:
    """A convolution over space by oneDNN."""
    laid, around = _laid(call, weight, weight.shape[1], frame.space, style), _around(call)
    convolve = torch.ops.mkldnn._convolution_pointwise.default
    return lambda x: convolve(x, laid, bias, *around, "none", [], "")


def _grouped(call: Call, weight: Tensor, bias: Tensor | None, frame: Frame, style: Style) -> Run:
    """A convolution in groups: over the stack of all items, or tap by tap where that is quicker,
    or where graphs are for others, for whom it may be none, as a sum over the items."""
    taps, dims = weight.shape[2], len(frame.space)
    if dims and (taps == 1 or not style.last):
        return _summed(call, weight, bias, dims, style)
    single = weight.shape[1] == 1 and len(weight) == call.arguments["groups"]
    wide = (style.batch or 0) * frame.size >= WIDE
    if single and wide and _packs(call, weight, frame, style):
        return _tap_by_tap(call, weight, bias, frame, style)
    return _stacked(call, weight, bias, dims)


def _tap_by_tap(call: Call, weight: Tensor, bias: Tensor | None, frame: Frame, style: Style) -> Run:
    """A convolution by oneDNN: what each tap gives is added where the sum of those before lies, and
    no item is copied."""
    first, *others = (
        _laid(call, tap, frame.channels, frame.space, style) for tap in weight.unbind(2)
    )
    around = _around(call)
    convolve = torch.ops.mkldnn._convolution_pointwise.default
    add = torch.ops.mkldnn._convolution_pointwise_.binary

    def run(*items: Tensor) -> Tensor:
        y: Tensor = convolve(items[0], first, bias, *around, "none", [], "")
        for item, tap in zip(items[1:], others, strict=True):
            add(y, item, tap, None, *around, "add", 1.0, None, [], None)
        return y

    return run


def _summed(call: Call, weight: Tensor, bias: Tensor | None, dims: int, style: Style) -> Run:
    """A convolution in groups over space of each item, and the sum over the items."""
    groups, outs = call.arguments["groups"], weight.shape[0]
    single = dims == 2 and weight.shape[1] == 1 and outs == groups
    more = -groups % style.channels if single else 0
    if more:
        weight, bias = _widened(weight, more), None if bias is None else _widened(bias, more)
    sizes = _over_space(call) | {"groups": groups + more}
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
    given = _over_space(call)
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
