"""Convolutions over time and space as operations on frames: the taps over time are items."""

from collections.abc import Callable
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
            return _by_channel(weight.flatten(1), bias, len(space))
        return _grouped(call, weight, bias, frame, style)
    across = weight.transpose(1, 2).reshape(outs, taps * ins, *space).contiguous()
    if not space:
        return _of_all(product(across, bias, style), taps)
    if pointwise and len(space) == 2 and style.last:
        return _of_all(_places(across.flatten(1), bias, frame.space, style), taps)
    return _of_all(_spatial(call, across, bias, frame.space, style), taps)


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


def _by_channel(weight: Tensor, bias: Tensor | None, dims: int) -> Run:
    """A number for each channel and tap, `weight` `(channels, taps)`, and the sum over the taps."""
    sizes = (1, -1, *(1,) * dims)
    first, *others = (each.reshape(sizes) for each in weight.unbind(1))
    summand = None if bias is None else bias.view(sizes)

    def run(*items: Tensor) -> Tensor:
        y = items[0] * first if summand is None else torch.addcmul(summand, items[0], first)
        for item, factor in zip(items[1:], others, strict=True):
            y.addcmul_(item, factor)
        return y

    return run


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
    call: Call, weight: Tensor, bias: Tensor | None, space: tuple[int, ...], style: Style
) -> Function:
    """A convolution over space alone."""
    dims = len(space)
    sizes = _over_space(call)
    packed = _packed(call, weight, bias, space, style)
    if packed is not None:
        return packed
    convolve = CONVOLUTIONS[dims]
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


def _packed(
    call: Call, weight: Tensor, bias: Tensor | None, space: tuple[int, ...], style: Style
) -> Function | None:
    """The same by oneDNN, with the weight in the layout that it likes; None where it cannot."""
    sizes = _over_space(call)
    able = style.packed and style.batch and len(space) == 2
    if not able or not _by_onednn(weight.dtype) or call.pad or isinstance(sizes["padding"], str):
        return None
    around = (_pads(call), list(sizes["stride"]), list(sizes["dilation"]), 1)
    taken = [style.batch, weight.shape[1], *space]
    reorder: Any = torch._C._nn.mkldnn_reorder_conv2d_weight
    laid = reorder(weight.to_mkldnn(), *around, taken)
    convolve = torch.ops.mkldnn._convolution_pointwise.default
    return lambda x: convolve(x, laid, bias, *around, "none", [], "")


def _grouped(call: Call, weight: Tensor, bias: Tensor | None, frame: Frame, style: Style) -> Run:
    """A convolution in groups: over the stack of all items, or where graphs are for others, for
    whom it may be none, as a sum over the items."""
    taps, dims = weight.shape[2], len(frame.space)
    if dims and (taps == 1 or not style.last):
        return _summed(call, weight, bias, dims, style)
    return _stacked(call, weight, bias, dims)


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
