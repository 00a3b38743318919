"""Convolutions over planes by oneDNN, with weights in the layout that it likes."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from codsl.algebra.shape import Frame
from codsl.engine.listing import Run
from codsl.engine.numbers import Function
from codsl.engine.style import Style
from codsl.layers.recipe import Call


def _has(dtype: torch.dtype) -> bool:
    """Whether oneDNN has convolutions of this precision on this machine."""
    mkldnn: Any = torch.ops.mkldnn
    if dtype == torch.bfloat16:
        return bool(mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32


def packs(call: Call, weight: Tensor, frame: Frame, style: Style) -> bool:
    """Whether oneDNN has a convolution over these planes, with weights in the layout that it
    likes."""
    padding = call.arguments["padding"]
    able = style.packed and style.batch is not None and _has(weight.dtype)
    return able and len(frame.space) == 2 and not call.pad and not isinstance(padding, str)


def packed(call: Call, weight: Tensor, bias: Tensor | None, frame: Frame, style: Style) -> Function:
    """A convolution over space by oneDNN."""
    laid, around = _laid(call, weight, weight.shape[1], frame.space, style), _around(call)
    convolve = torch.ops.mkldnn._convolution_pointwise.default
    return lambda x: convolve(x, laid, bias, *around, "none", [], "")


def added(call: Call, weight: Tensor, bias: Tensor | None, frame: Frame, style: Style) -> Run:
    """A convolution over time and space: what each tap gives is added where the sum of those before
    lies, and no item is copied."""
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


def goes_along(call: Call, taps: int, like: Tensor, style: Style) -> bool:
    """Whether a convolution of so many taps over time takes the items of all outputs as a clip."""
    plain = call.function == "conv3d" and call.arguments["groups"] == 1 and not call.pad
    able = style.along and style.packed and _has(like.dtype)
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


def over_space(call: Call) -> dict[str, Any]:
    """The arguments of a convolution without those over time."""
    given = call.arguments
    padding = given["padding"]
    return {
        "stride": tuple(given["stride"][1:]),
        "padding": padding if isinstance(padding, int | str) else tuple(padding[1:]),
        "dilation": tuple(given["dilation"][1:]),
    }


def _pads(call: Call) -> list[int]:
    """The padding at both sides of both dimensions of space."""
    padding = call.arguments["padding"]
    return [padding] * 2 if isinstance(padding, int) else list(padding[1:])


def _around(call: Call) -> tuple[list[int], list[int], list[int], int]:
    """Padding, stride and dilation over space, and the groups, as oneDNN is given them."""
    sizes = over_space(call)
    return _pads(call), list(sizes["stride"]), list(sizes["dilation"]), call.arguments["groups"]


def _laid(call: Call, weight: Tensor, channels: int, space: Sequence[int], style: Style) -> Tensor:
    """A weight in the layout that oneDNN likes for frames of so many channels."""
    reorder: Any = torch._C._nn.mkldnn_reorder_conv2d_weight
    taken = [style.batch, channels, *space]
    found: Tensor = reorder(weight.contiguous().to_mkldnn(), *_around(call), taken)
    return found
