"""Convolutions and products of items as one sum, which one kernel computes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor

from codsl.native.builder import Builder, Images, Kernel
from codsl.native.call import Call
from codsl.native.packing import LAYING
from codsl.native.target import lanes
from codsl.native.values import (
    Buffer,
    Kind,
    Parts,
    Pending,
    Sizes,
    Unsupported,
    Unwritten,
    View,
    channels_last,
)

Pair = tuple[int, int]

POSITIONS = 16
"""Products in place of 36, of two by two places of a kernel of three by three."""
TRANSFORM = 150
"""Multiplications that take as long as to transform a channel of a tile, or back."""
BYTE = 8
"""Multiplications that a byte of weights more must save at least."""


@dataclass(frozen=True)
class Geometry:
    """How a convolution over planes goes; with `each` every channel is by itself."""

    batch: int
    plane: Pair
    channels: int
    row: int
    out_plane: Pair
    outs: int
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    each: bool = False

    @property
    def way(self) -> str:
        """The kernel that computes it."""
        if self.each:
            return "depthwise"
        return "winograd" if self._saves > 0 else "dense"

    @property
    def work(self) -> int:
        """Multiplications for an image of an item."""
        if self.way == "winograd":
            return POSITIONS * self._tiles * self.channels * self.outs
        channels = 1 if self.each else self.channels
        return prod(self.out_plane) * self.outs * prod(self.kernel) * channels

    @property
    def _tiles(self) -> int:
        """How many of two by two places an image is."""
        height, width = self.out_plane
        return -(-height // 2) * -(-width // 2)

    @property
    def _saves(self) -> int:
        """Multiplications that tiles save of all images of an item; 0 where there can be none."""
        if self.kernel != (3, 3) or (self.stride, self.dilation) != ((1, 1), (1, 1)):
            return 0
        matrix, tiles = self.channels * self.outs, self.batch * self._tiles
        products = self.batch * prod(self.out_plane) * 9 - POSITIONS * tiles
        weights = (POSITIONS - 9) * 4 * BYTE
        return matrix * (products - weights) - TRANSFORM * tiles * (self.channels + self.outs)

    def window(self, out_row: int) -> str:
        """An image of it in C++, where places of the result are so far apart."""
        pairs = (self.kernel, self.stride, self.padding, self.dilation)
        numbers = (
            *(*self.plane, self.channels, self.row),
            *(*self.out_plane, self.outs, out_row),
            *(number for pair in pairs for number in pair),
        )
        return "{" + ", ".join(map(str, numbers)) + "}"


@dataclass(frozen=True, eq=False)
class Sum:
    """Convolutions of items, `(B, C, H, W)` or rows `(N, C)`, whose results are added up, with a
    bias, or to what is there; the result has channels at a dimension."""

    builder: Builder
    geometry: Geometry
    items: tuple[tuple[View, Tensor], ...]
    bias: Tensor | None
    sizes: Sizes
    channel: int
    adds: bool = False

    def pending(self) -> Pending:
        """The result, which will be written once it is known where."""
        rank = len(self.sizes)
        order = range(rank) if self.channel == rank - 1 else channels_last(rank)
        dtype = self.items[0][0].dtype
        return Pending(self.sizes, dtype, tuple(order), self.channel, self)

    def plus(self, other: Unwritten) -> "Sum | None":
        """Both together, where they go alike."""
        if not isinstance(other, Sum) or other.geometry != self.geometry:
            return None
        if other.sizes != self.sizes:
            return None
        biases = [each for each in (self.bias, other.bias) if each is not None]
        bias = sum(biases[1:], biases[0]) if biases else None
        return replace(self, items=self.items + other.items, bias=bias)

    def write(self, target: View, after: str = "", reads: Sequence[View] = ()) -> None:
        """The kernel that writes the result into a view, and what follows there."""
        if target.dtype != self.builder.dtype:
            raise Unsupported(f"products in {target.dtype} beside {self.builder.dtype}")
        if row_of(target, self.channel) is None:
            self.builder.fill(target, self.builder.view(self.pending()))
            if after:
                stop = prod(self.sizes) // self.sizes[self.channel]
                text = f"{{\nconst long first = 0, stop = {stop};\n{after}\n}}"
                self.builder.emit(text, [*reads, target], target)
        else:
            self.builder.kernels.append(self._kernel(target, after, reads))

    def _kernel(self, target: View, after: str = "", reads: Sequence[View] = ()) -> Kernel:
        place, views = self.geometry, [view for view, _ in self.items]
        out_row = row_of(target, self.channel) or 0
        weights = [self._packed(weight, target.dtype) for _, weight in self.items]
        bias = [] if self.bias is None else [self.builder.constant(self.bias)]
        items = ", ".join(f"{{{_at(x)}, {_at(w)}}}" for x, w in zip(views, weights, strict=True))
        begins = [*map(_at, bias)] or ["nullptr"]
        given = [_at(target), "items", str(len(views)), *begins, str(int(self.adds)), "window"]
        text = [
            "{",
            f"const codsl::Item items[] = {{{items}}};",
            f"const codsl::Window window = {place.window(out_row)};",
            f"codsl::{place.way}({', '.join(given)}, images, ahead,",
            "codsl::Follow([&](long first, long stop) {",
            after or "(void)first, (void)stop;",
            "}));",
            "}",
        ]
        images = Images(place.batch, prod(place.out_plane), place.work * len(views))
        all_read = [*views, *weights, *bias, *reads]
        return Kernel(
            "\n".join(text),
            frozenset(view.buffer for view in all_read),
            target.buffer,
            images,
            _apart([*all_read, target], target.sizes),
            partial(self._parts, target, after, reads),
            place.way,
        )

    def _parts(self, target: View, after: str, reads: Sequence[View]) -> list[Kernel]:
        """The sum of the items that are given, and what adds the others to it; none where that is
        all of the sum, and more follows."""
        given = [each for each in self.items if each[0].buffer.kind is Kind.GIVEN]
        others = [each for each in self.items if each[0].buffer.kind is not Kind.GIVEN]
        if not given or (after and not others):
            return []
        first = replace(self, items=tuple(given))._kernel(target)
        if not others:
            return [first]
        more = replace(self, items=tuple(others), bias=None, adds=True)
        return [first, more._kernel(target, after, reads)]

    def _packed(self, weight: Tensor, dtype: torch.dtype) -> View:
        """A weight as the kernel reads it."""
        lay = LAYING[self.geometry.way]
        return self.builder.constant(lay(weight.detach(), lanes(dtype)))


def row_of(view: View, channel: int) -> int | None:
    """How far places are apart, of which each has its channels beside each other; None where they
    do not lie so."""
    row, step = view.sizes[channel], 0
    if row > 1 and view.strides[channel] != 1:
        return None
    for dim in reversed([dim for dim in range(len(view.sizes)) if dim != channel]):
        if view.sizes[dim] == 1:
            continue
        if step and view.strides[dim] != step:
            return None
        row = row if step else view.strides[dim]
        step = view.strides[dim] * view.sizes[dim]
    return row if row >= view.sizes[channel] else None


def _at(view: View) -> str:
    return f"{view.buffer.name} + {view.offset}"


def rows_of(call: Call, x: Any, channel: int) -> list[View]:
    """A value as parts of its channels, of which each has places that lie alike."""
    if isinstance(x, Parts) and x.dim == channel:
        parts = [call.view(each) for each in x.parts]
    else:
        parts = [call.view(x)]
    rank = len(parts[0].sizes)
    order = range(rank) if channel == rank - 1 else channels_last(rank)
    if any(row_of(part, channel) is None for part in parts):
        parts = [call.builder.ordered(part, order) for part in parts]
    alike = {(row_of(part, channel), part.sizes) for part in parts}
    return parts if len(alike) == 1 else [call.builder.ordered(x, order)]


def known(weight: Any) -> Tensor:
    """A tensor that is known before any step; raises `Unsupported` for others."""
    if not isinstance(weight, Tensor):
        raise Unsupported("weights that are computed in a step")
    return weight


def bias_of(bias: Any) -> Tensor | None:
    """A bias, if there is one, that is known."""
    return None if bias is None else known(bias)


def of_plane(weight: Tensor) -> Tensor:
    """A weight `(O, C, *S)` as `(O, C, H, W)`."""
    while weight.dim() < 4:
        weight = weight.unsqueeze(2)
    return weight


def _apart(views: Sequence[View], sizes: Sizes) -> dict[Buffer, int]:
    """How far images, the first dimension of results of these sizes, are apart in each buffer."""
    found: dict[Buffer, set[int]] = {}
    for view in views:
        found.setdefault(view.buffer, set()).add(_image(view, sizes))
    alike = {buffer: steps.pop() for buffer, steps in found.items() if len(steps) == 1}
    return {buffer: step for buffer, step in alike.items() if step}


def _image(view: View, sizes: Sizes) -> int:
    """How far images are apart in a view; 0 where they are not one after another."""
    if len(view.sizes) < len(sizes) or view.sizes[0] != sizes[0]:
        return 0
    inside = zip(view.sizes[1:], view.strides[1:], strict=True)
    last = view.offset + sum((size - 1) * step for size, step in inside)
    return view.strides[0] if last < view.strides[0] else 0
