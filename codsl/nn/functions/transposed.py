"""Transposed convolutions: items of `(B, C, T, *S)`, each spread over several outputs."""

from collections.abc import Iterator
from itertools import groupby

import torch
from torch import Tensor
from torch.nn import functional

Sizes = tuple[int, ...]
Crop = tuple[tuple[int, int], ...]
CONVOLUTIONS = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}


def spread_out(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    crop: Crop,
    stride: Sizes,
    output_padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> Tensor:
    """Torch's transposed convolution, less what `crop` leaves out at either end of a dimension."""
    even = tuple(map(min, crop))
    convolve = CONVOLUTIONS[len(crop)]
    y = convolve(x, weight, bias, stride, even, output_padding, groups, dilation)
    for dim, ((front, end), both) in enumerate(zip(crop, even, strict=True), 2):
        if front != end:
            y = y.narrow(dim, front - both, y.shape[dim] + 2 * both - front - end)
    return y


def spread_due(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    start: int,
    stop: int,
    crop: Crop,
    stride: Sizes,
    output_padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> Tensor:
    """Outputs `start` up to `stop` of a transposed convolution, 0 being the first that the first
    item reaches, and no product for others; `crop` is for space alone."""
    sizes = (crop, stride, output_padding, groups, dilation)
    due: Tensor | None = None
    for items, taps in _pieces(x.shape[2], weight.shape[2], start, stop, stride[0], dilation[0]):
        some, part = x[:, :, items.start : items.stop], weight[:, :, taps.start : taps.stop]
        y = spread_out(some, part, None, *sizes)
        at = items.start * stride[0] + taps.start * dilation[0] - start
        beyond = (at, stop - start - at - y.shape[2])
        if any(beyond):
            y = functional.pad(y, (*(0, 0) * (y.dim() - 3), *beyond))
        due = y if due is None else due + y
    if due is None:
        like = spread_out(x[:, :, :1], weight[:, :, :1], None, *sizes)
        due = torch.zeros_like(like.expand(-1, -1, stop - start, *like.shape[3:]))
    return due if bias is None else due + bias.view(-1, *(1,) * (x.dim() - 2))


def _pieces(
    items: int, kernel: int, start: int, stop: int, stride: int, dilation: int
) -> Iterator[tuple[range, range]]:
    """Which items reach those outputs by which taps: those that do so by all of them at once, the
    others one by one."""

    def taps(item: int) -> range:
        first, last = (-((item * stride - each) // dilation) for each in (start, stop))
        return range(max(0, first), min(kernel, last))

    whole = range(kernel)
    for together, some in groupby(range(items), lambda item: taps(item) == whole):
        each = list(some)
        if together:
            yield range(each[0], each[-1] + 1), whole
        else:
            yield from ((range(item, item + 1), taps(item)) for item in each if taps(item))
