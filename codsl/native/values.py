"""What operators are given and give while C++ is written: where numbers lie, or what makes them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import prod
from typing import Any, Protocol

import torch

Sizes = tuple[int, ...]


class Unsupported(NotImplementedError):
    """There is no kernel for something; the message says for what."""


class Kind(Enum):
    """To whom the memory of a buffer belongs."""

    GIVEN = "given"
    RESULT = "result"
    CONSTANT = "constant"
    SCRATCH = "scratch"


@dataclass(eq=False)
class Buffer:
    """So many numbers of a dtype, one after another; they may lie in the place of others."""

    number: int
    count: int
    dtype: torch.dtype
    kind: Kind = Kind.SCRATCH
    replaces: "Buffer | None" = None

    @property
    def name(self) -> str:
        """What it is called in C++."""
        return f"b{self.number}"

    @property
    def bytes(self) -> int:
        """How many bytes its numbers take."""
        return self.count * self.dtype.itemsize


@dataclass(frozen=True)
class View:
    """A tensor in a buffer: where its first number lies, and how far apart those of each dimension
    are."""

    buffer: Buffer
    sizes: Sizes
    strides: Sizes
    offset: int = 0

    @property
    def dtype(self) -> torch.dtype:
        """That of the buffer."""
        return self.buffer.dtype

    @property
    def order(self) -> list[int]:
        """The dimensions, those furthest apart first; those that lie alike as they come."""
        return sorted(range(len(self.sizes)), key=lambda dim: (-self.strides[dim], dim))

    @property
    def whole(self) -> bool:
        """Whether it is all of its buffer, each number once."""
        dense = strides_in(self.sizes, self.order)
        alike = all(
            one == other or size == 1
            for size, one, other in zip(self.sizes, self.strides, dense, strict=True)
        )
        return alike and not self.offset and prod(self.sizes) == self.buffer.count

    def permuted(self, dims: Sequence[int]) -> "View":
        """The dimensions in another order."""
        sizes = tuple(self.sizes[dim] for dim in dims)
        return replace(self, sizes=sizes, strides=tuple(self.strides[dim] for dim in dims))

    def expanded(self, sizes: Sequence[int]) -> "View":
        """The same numbers again and again, where a dimension is missing or of one."""
        more = len(sizes) - len(self.sizes)
        own, strides = (1,) * more + self.sizes, (0,) * more + self.strides
        found = tuple(
            0 if before == 1 and size != 1 else stride
            for size, before, stride in zip(sizes, own, strides, strict=True)
        )
        return replace(self, sizes=tuple(sizes), strides=found)

    def narrowed(self, dim: int, start: int, count: int, step: int = 1) -> "View":
        """Some of a dimension."""
        sizes, strides = list(self.sizes), list(self.strides)
        offset = self.offset + start * strides[dim]
        sizes[dim], strides[dim] = count, strides[dim] * step
        return replace(self, sizes=tuple(sizes), strides=tuple(strides), offset=offset)

    def selected(self, dim: int, place: int) -> "View":
        """One of a dimension, which goes."""
        return self.narrowed(dim, place, 1).without(dim)

    def without(self, dim: int) -> "View":
        """Without a dimension of one."""
        sizes, strides = list(self.sizes), list(self.strides)
        del sizes[dim], strides[dim]
        return replace(self, sizes=tuple(sizes), strides=tuple(strides))

    def unsqueezed(self, dim: int) -> "View":
        """With a dimension of one more."""
        sizes, strides = list(self.sizes), list(self.strides)
        stride = sizes[dim] * strides[dim] if dim < len(sizes) else 1
        sizes.insert(dim, 1)
        strides.insert(dim, stride)
        return replace(self, sizes=tuple(sizes), strides=tuple(strides))

    def reshaped(self, sizes: Sequence[int]) -> "View | None":
        """The same numbers in other dimensions; None where they do not lie so."""
        shape = torch.empty_strided(self.sizes, self.strides, device="meta")
        try:
            strides = shape.view(*sizes).stride()
        except RuntimeError:
            return None
        return replace(self, sizes=tuple(sizes), strides=tuple(strides))


@dataclass(frozen=True, eq=False)
class Scalar:
    """A number that is known."""

    number: float
    dtype: torch.dtype


@dataclass(frozen=True, eq=False)
class Expression:
    """What is computed number by number of others, as C++ with a blank for each operand."""

    text: str
    operands: tuple[Any, ...]
    sizes: Sizes
    dtype: torch.dtype


@dataclass(frozen=True, eq=False)
class Parts:
    """Tensors one behind the other in a dimension."""

    parts: tuple[View, ...]
    dim: int
    sizes: Sizes
    dtype: torch.dtype


class Unwritten(Protocol):
    """A kernel whose result has no place yet."""

    def write(self, target: View, after: str = "", reads: Sequence[View] = ()) -> None:
        """Fill a view, and do `after`, C++ for places from `first` up to `stop` that reads other
        views, once these are filled."""

    def plus(self, other: "Unwritten") -> "Unwritten | None":
        """What gives the sum with another; None where no kernel does both."""


@dataclass(frozen=True, eq=False)
class Pending:
    """What a kernel will write once it is known where: its dimensions lie in `order`, of which the
    `channel` is the innermost."""

    sizes: Sizes
    dtype: torch.dtype
    order: tuple[int, ...]
    channel: int
    kernel: Unwritten


Value = View | Expression | Parts | Pending


def strides_in(sizes: Sizes, order: Sequence[int]) -> Sizes:
    """The strides of numbers one after another, the dimensions in this order, outermost first."""
    strides, step = [0] * len(sizes), 1
    for dim in reversed(order):
        strides[dim] = step
        step *= sizes[dim]
    return tuple(strides)


def channels_last(rank: int) -> list[int]:
    """The order in which channels, the second dimension, lie beside each other."""
    return [*range(0, min(rank, 1)), *range(2, rank), *([1] if rank > 1 else [])]


def lying(sizes: Sizes) -> Sizes:
    """The strides of numbers one after another, with channels beside each other."""
    return strides_in(sizes, channels_last(len(sizes)))
