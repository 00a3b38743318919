"""Layers of tests alone, one for each way of remembering that the table may lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import torch

import codsl
from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import Time, remembers, spreads, steady
from codsl.layers.recipe import Attended, Call, Carried, Memory, Recipe, Spread
from codsl.layers.row import ANY_RANK, Unlearned
from codsl.layers.table import registrations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn


@dataclass(frozen=True)
class TestLayer(Unlearned):
    """What the layers below have in common."""

    __test__ = False
    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Any] = ({},)

    def shape(self, x: Frame) -> Frame:
        return x

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (Time(),) * len(x.space)


@dataclass(frozen=True)
class MeanSoFar(TestLayer):
    """The mean of all items so far: a sum and a count are carried."""

    def time(self) -> Time:
        return remembers()

    def recipe(self, x: Frame) -> Recipe:
        memory = (Memory("sum", x.shape), Memory("count", (1,), "int64"))
        return Carried("Identity", {}, Call("mean_so_far"), memory)


@dataclass(frozen=True)
class MeanNearby(TestLayer):
    """The mean of two items back, one ahead and the item itself, of those that there are."""

    def time(self) -> Time:
        return steady(past=2, ahead=1, delay=1)

    def recipe(self, x: Frame) -> Recipe:
        return Attended(
            "Identity",
            {},
            Call("doubled"),
            x,
            Call("mean_nearby"),
            steady(past=2, ahead=1, delay=1),
        )


@dataclass(frozen=True)
class SpreadOut(TestLayer):
    """Two outputs for an item, that overlap by one: a transposed convolution by ones."""

    def time(self) -> Time:
        return spreads(2, Window(3))

    def recipe(self, x: Frame) -> Recipe:
        return Spread("Identity", {}, Call("spread_over_three"), self.time(), 2)


def mean_so_far(module: nn.Module, x: Tensor, total: Tensor, count: Tensor) -> tuple[Tensor, ...]:
    totals = total.unsqueeze(2) + x.cumsum(2)
    counts = count + torch.arange(1, x.shape[2] + 1)
    shape = (x.shape[0], 1, x.shape[2], *[1] * (x.dim() - 3))
    return totals / counts.view(shape), totals[:, :, -1], counts[:, -1:]


def doubled(module: nn.Module, x: Tensor) -> Tensor:
    return 2 * x


def mean_nearby(module: nn.Module, x: Tensor, kept: Tensor, lead: int) -> Tensor:
    own = range(lead, lead + x.shape[2])
    means = [kept[:, :, max(0, at - 2) : at + 2].mean(2, keepdim=True) for at in own]
    return torch.cat(means, 2)


def spread_over_three(x: Tensor) -> Tensor:
    items = x.shape[2]
    out = x.new_zeros(*x.shape[:2], 2 * items + 1, *x.shape[3:])
    for tap in range(3):
        out[:, :, tap : tap + 2 * items : 2] += x
    return out


FUNCTIONS = {
    MeanSoFar: (mean_so_far,),
    MeanNearby: (doubled, mean_nearby),
    SpreadOut: (spread_over_three,),
}


@pytest.fixture(scope="module")
def remembering() -> Iterator[None]:
    """`mean_so_far`, `mean_nearby` and `spread_out` in the table, for as long as a file takes."""
    with registrations():
        for row, functions in FUNCTIONS.items():
            codsl.register(row, *functions)
        yield
