"""The simulation against torch: which inputs move an output, for every layer that it knows."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn import functional

from algebra.draws import random_spread, random_window
from algebra.simulation import Slide, Spread, Stretch, frames

if TYPE_CHECKING:
    from algebra.simulation import Operation


def moved(operation: Operation, items: int) -> list[int]:
    """The items that each output of torch's own layer depends on, one bit each.

    Torch places linear samples with float32's precision, so that one upon an item sees its
    neighbour by a billionth.
    """
    x = torch.eye(items, dtype=torch.float64)[:, None]
    y = by_torch(operation, x)[:, 0]
    return [sum(1 << i for i in range(items) if y[i, j] > 1e-6) for j in range(y.shape[1])]


def by_torch(operation: Operation, x: torch.Tensor) -> torch.Tensor:
    """The layer with weights of one, on `(B, 1, T)`."""
    if isinstance(operation, Stretch):
        if operation.linear:
            return functional.interpolate(x, scale_factor=operation.factor, mode="linear")
        return functional.interpolate(x, scale_factor=operation.factor)
    window = operation.window
    ones = x.new_ones(1, 1, window.kernel)
    if isinstance(operation, Slide):
        padded = functional.pad(x, (window.before, window.after))
        return functional.conv1d(padded, ones, None, window.stride, 0, window.dilation)
    y = functional.conv_transpose1d(
        x, ones, None, operation.factor, 0, operation.extra, 1, window.dilation
    )
    return y[:, :, window.before : y.shape[2] - window.after]


def drawn(draw: random.Random) -> Operation:
    """A layer that torch has."""
    kind = draw.choice(("slide", "spread", "stretch"))
    if kind == "slide":
        window = random_window(draw)
        return Slide(type(window)(*(getattr(window, name) for name in SHAPE)))
    if kind == "spread":
        return random_spread(draw)
    return Stretch(draw.randint(2, 5), draw.random() < 0.7)


SHAPE = ("kernel", "stride", "before", "after", "dilation")


@pytest.mark.parametrize("seed", range(3))
def test_the_simulation_sees_what_moves_torch(seed: int) -> None:
    draw = random.Random(seed)
    compared = blind = 0
    for _ in range(150):
        operation, items = drawn(draw), draw.randint(1, 12)
        given = operation.run(frames(items))
        if not given or (isinstance(operation, Slide) and not any(each.seen for each in given)):
            continue
        assert [each.seen for each in given] == moved(operation, items), operation
        compared += len(given)
        blind += isinstance(operation, Spread) and any(not each.seen for each in given)
    assert compared > 800
    assert blind > 3
