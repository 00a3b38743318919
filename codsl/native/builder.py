"""The kernels of a graph while they are written: what they are called with, and where it lies."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import torch
from torch import Tensor

from codsl.native.loops import filling, following
from codsl.native.values import (
    Buffer,
    Expression,
    Kind,
    Parts,
    Pending,
    Scalar,
    Sizes,
    Value,
    View,
    lying,
    strides_in,
)


@dataclass(frozen=True)
class Images:
    """That a kernel is a convolution of so many images, each of so many places and with so much
    `work`, multiplications. Its lines use `images`, those that it is called for, and `ahead`, what
    it fetches for the kernels behind it."""

    count: int
    places: int
    work: int


@dataclass(frozen=True)
class Kernel:
    """Lines of C++, and the buffers that they read and write; of a convolution, which of the
    kernels it `calls`, of which images, and how far these are apart in each buffer where image
    after image lies in it.

    A sum may be computed in `parts`, the first of which is that of what is given.
    """

    text: str
    reads: frozenset[Buffer]
    writes: Buffer
    images: Images | None = None
    apart: Mapping[Buffer, int] = field(default_factory=dict)
    parts: Callable[[], Sequence["Kernel"]] = tuple
    calls: str = ""

    @property
    def touches(self) -> list[Buffer]:
        """What it reads, then what it writes."""
        return [*sorted(self.reads, key=lambda each: each.number), self.writes]


class Builder:
    """Kernels in order, and the buffers and the constants that they are about.

    `dtype` is that of the numbers that are multiplied.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.kernels: list[Kernel] = []
        self.constants: dict[Buffer, Tensor] = {}
        self._buffers = 0
        self._held: dict[tuple[object, ...], tuple[Tensor, View]] = {}
        self._whole: dict[int, tuple[Parts, View]] = {}

    def buffer(self, count: int, dtype: torch.dtype, kind: Kind = Kind.SCRATCH) -> Buffer:
        """Memory for so many numbers."""
        self._buffers += 1
        return Buffer(self._buffers, count, dtype, kind)

    def room(self, sizes: Sizes, dtype: torch.dtype, order: Sequence[int] | None = None) -> View:
        """A tensor in memory of its own, its dimensions in an order, the outermost first."""
        order = range(len(sizes)) if order is None else order
        return View(self.buffer(prod(sizes), dtype), sizes, strides_in(sizes, order))

    def given(self, like: Tensor, plain: bool = False) -> View:
        """A tensor that is given from outside, channels last, or its numbers as they come."""
        sizes = tuple(like.shape)
        strides = strides_in(sizes, range(len(sizes))) if plain else lying(sizes)
        return View(self.buffer(like.numel(), like.dtype, Kind.GIVEN), sizes, strides)

    def constant(self, x: Tensor) -> View:
        """A tensor that is known, and stays; the same memory for the same tensor."""
        key = (x.data_ptr(), x.dtype, x.shape, x.stride())
        if key not in self._held:
            buffer = self.buffer(x.numel(), x.dtype, Kind.CONSTANT)
            self.constants[buffer] = x.detach().contiguous()
            sizes = tuple(x.shape)
            view = View(buffer, sizes, strides_in(sizes, range(len(sizes))))
            self._held[key] = x, view
        return self._held[key][1]

    def emit(self, text: str, reads: Sequence[View], target: View) -> None:
        """One more kernel."""
        self.kernels.append(Kernel(text, frozenset(view.buffer for view in reads), target.buffer))

    def view(self, value: Value | Tensor) -> View:
        """A value where its numbers lie, which are computed if they were not."""
        if isinstance(value, View):
            return value
        if isinstance(value, Tensor):
            return self.constant(value)
        if isinstance(value, Parts):
            return self._together(value)
        target = self.room(value.sizes, value.dtype, self._order(value))
        self.fill(target, value)
        return target

    def fill(self, target: View, value: Value) -> None:
        """Write the numbers of a value into a view."""
        if isinstance(value, Pending):
            value.kernel.write(target)
        elif isinstance(value, Expression):
            self._compute(target, value)
        elif isinstance(value, Parts):
            self._put(target, value)
        else:
            self.emit(filling(target, value), [value], target)

    def ordered(self, value: Value | Tensor, order: Sequence[int]) -> View:
        """A value with its dimensions in an order."""
        view = self.view(value)
        target = self.room(view.sizes, view.dtype, order)
        same = all(
            one == other or size == 1
            for size, one, other in zip(view.sizes, view.strides, target.strides, strict=True)
        )
        if same:
            return view
        self.fill(target, view)
        return target

    def _order(self, value: Expression | Pending) -> Sequence[int]:
        """The order of the dimensions that what is computed has; that of what it is made of."""
        if isinstance(value, Pending):
            return value.order
        for leaf in leaves(value):
            if leaf.sizes == value.sizes:
                return leaf.order
        return range(len(value.sizes))

    def _together(self, value: Parts) -> View:
        """Parts in memory of their own, once."""
        if id(value) not in self._whole:
            order = value.parts[0].order
            target = self.room(value.sizes, value.dtype, order)
            self._put(target, value)
            self._whole[id(value)] = value, target
        return self._whole[id(value)][1]

    def _put(self, target: View, value: Parts) -> None:
        start = 0
        for part in value.parts:
            size = part.sizes[value.dim]
            self.fill(target.narrowed(value.dim, start, size), part)
            start += size

    def _compute(self, target: View, value: Expression) -> None:
        """The numbers of an expression, behind a kernel of which it is where there is one."""
        pending = [each for each in leaves(value) if isinstance(each, Pending)]
        last = next((each for each in pending[::-1] if each.sizes == value.sizes), None)
        if last is not None and (last.dtype != value.dtype or not target.whole):
            last = None
        made = {id(each): self.view(each) for each in pending if each is not last}
        if last is None:
            formula = replaced(value, made)
            self.emit(filling(target, formula), views(formula), target)
            return
        formula = replaced(value, made | {id(last): target})
        rest = [view for view in views(formula) if view is not target]
        after = following(target, formula, last.channel)
        if after is None:
            last.kernel.write(target)
            self.emit(filling(target, formula), [*rest, target], target)
        else:
            last.kernel.write(target, after, rest)


def leaves(value: Expression) -> list[View | Pending]:
    """What an expression is made of in the end."""
    found: list[View | Pending] = []
    for each in value.operands:
        if isinstance(each, Expression):
            found += leaves(each)
        elif not isinstance(each, Scalar):
            found.append(each)
    return found


def views(value: View | Expression) -> list[View]:
    """The views that a formula reads."""
    if isinstance(value, View):
        return [value]
    return [each for each in leaves(value) if isinstance(each, View)]


def replaced(value: Expression, made: dict[int, View]) -> Expression:
    """An expression of other views."""
    operands = tuple(
        replaced(each, made) if isinstance(each, Expression) else made.get(id(each), each)
        for each in value.operands
    )
    return replace(value, operands=operands)
