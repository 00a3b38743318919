"""A row of a user's own, whose registration ends with its test, and a small network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from torch import Tensor

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, sees
from codsl.layers.recipe import Call, Windowed
from codsl.layers.row import ANY_RANK, Layer
from codsl.layers.table import registrations

SMALL = {
    "codsl": 1,
    "name": "small",
    "input": [2, "T"],
    "layers": [
        {"conv1d": {"out_channels": 3, "kernel_size": 3, "padding": 1}},
        "batch_norm1d",
        {"max_pool1d": {"kernel_size": 2, "stride": 2}},
    ],
}


class Change(Layer):
    """What changed since the item before."""

    rank = ANY_RANK
    examples = ({},)

    def shape(self, x: Frame) -> Frame:
        return x

    def time(self) -> Time:
        return sees(Window(2))

    def weights(self, x: Frame) -> dict[str, tuple[int, ...]]:
        return {}

    def macs(self, x: Frame, y: Frame) -> int:
        return 0

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)

    def recipe(self, x: Frame) -> Windowed:
        call = Call("change")
        return Windowed("Identity", {}, Window(2), window=call, clip=call)


def change(x: Tensor) -> Tensor:
    return x[:, :, 1:] - x[:, :, :-1]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What a test registers is gone with it."""
    with registrations():
        yield
