"""New items where the oldest were: each step gives what it gives with items that are apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from codsl.native.block import Block
from codsl.native.graph import Writer
from codsl.native.keeping import Item, Kept
from codsl.native.native import native
from codsl.native.renewing import renew
from codsl.native.tracing import traced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Made = Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, ...]]

C = 6
DENSE, EACH, ONE = (
    torch.randn(*sizes, generator=torch.Generator().manual_seed(0)) / 4
    for sizes in [(C, C, 3, 3, 3), (C, 1, 3, 3, 3), (C, C, 1, 1)]
)


def fresh(x: Tensor) -> Tensor:
    return torch.tanh(functional.conv2d(x, ONE))


def dense(x: Tensor, old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    new = fresh(x)
    return functional.conv3d(torch.stack([*old, new], 2), DENSE, padding=(0, 1, 1))[:, :, 0], new


def each(x: Tensor, old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    new = fresh(x)
    stacked = torch.stack([*old, new], 2)
    y = functional.conv3d(stacked, EACH, stride=(1, 2, 2), padding=(0, 1, 1), groups=C)
    return torch.relu(y[:, :, 0]), new


def place(x: Tensor, old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    new = fresh(x)
    taps = zip((*old, new), DENSE[..., 0, 0].unbind(2), strict=True)
    one, *more = (functional.linear(item[:, :, 0, 0], weight) for item, weight in taps)
    for product in more:
        one = one + product
    return one, new


def past(x: Tensor, old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    new = fresh(x)
    return functional.conv2d(old[0], ONE), new


def largest(x: Tensor, old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    new = fresh(x)
    return torch.maximum(torch.maximum(new, old[0]), old[1]), new


def around(x: Tensor, old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    y, new = dense(x, old)
    return y * old[0], new


def over(x: Tensor, old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    new = fresh(x) + old[0]
    return torch.cos(new), new


def both(x: Tensor, old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    new = fresh(x)
    y = functional.conv3d(torch.stack([*old, new], 2), DENSE, padding=(0, 1, 1))[:, :, 0]
    return y, new, torch.sin(new)


def two(x: Tensor, old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    y, new = past(x, old)
    return y, new, torch.sin(new)


def given(x: Tensor, old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return functional.conv3d(torch.stack([*old, x], 2), DENSE, padding=(0, 1, 1))[:, :, 0], x


# What is kept, how many items come at once, and how many of them have to wait.
CASES: dict[str, tuple[Made, int, int, int]] = {
    "dense": (dense, 2, 1, 0),
    "each channel": (each, 2, 1, 0),
    "a place": (place, 2, 1, 0),
    "only what is past": (past, 1, 1, 0),
    "a frame itself": (given, 2, 1, 0),
    "several at once": (both, 2, 2, 0),
    "more at once than are kept": (two, 1, 2, 0),
    "no sum": (largest, 2, 1, 1),
    "the oldest is read behind a sum": (around, 2, 1, 1),
    "made of the oldest": (over, 1, 1, 1),
}


class Step(nn.Module):
    """What a step computes of a frame and of what is kept."""

    def __init__(self, made: Made) -> None:
        super().__init__()
        self.made = made

    def forward(self, x: Tensor, *old: Tensor) -> tuple[Tensor, ...]:
        return self.made(x, old)


def waiting(made: Made, x: Tensor, depth: int, new: int, slots: int) -> int:
    """How many items wait until the oldest has been read."""
    program = traced(Step(made), [x] * (1 + depth))
    writer = Writer(program, [x] * (1 + depth), x.dtype, 1)
    items = {buffer: Item(0, at - depth) for at, buffer in enumerate(writer.given[1:])}
    items |= {view.buffer: Item(0, at) for at, view in enumerate(writer.results[-new:])}
    renew(writer.builder.kernels, items, [Kept(tuple(x.shape), x.dtype, slots)])
    return sum("std::memcpy" in kernel.text for kernel in writer.builder.kernels)


@pytest.mark.parametrize("name", CASES)
def test_items_take_the_place_of_the_oldest_in_time(name: str) -> None:
    made, depth, new, waits = CASES[name]
    numbers = 0
    for batch, size in [(1, 1), (3, 1)] if made is place else [(1, 5), (3, 4), (4, 96)]:
        draw = torch.Generator().manual_seed(size)
        x = torch.randn(batch, C, size, size, generator=draw)
        assert waiting(made, x, depth, new, max(depth, new)) == waits
        assert waiting(made, x, depth, new, depth + new) == 0
        block = Block([Kept(tuple(x.shape), x.dtype, max(depth, new))])
        kept = [torch.randn(x.shape, generator=draw) for _ in range(depth)]
        for item in kept:
            block.put(0, item)
        reads = [(0, back) for back in range(depth, 0, -1)]
        with torch.no_grad():
            step = native(Step(made), [x] * (1 + depth), block, reads, [0] * new)
            for _ in range(2 * depth + 3):
                x = torch.randn(x.shape, generator=draw)
                wanted = made(x, kept)
                found = step(x)
                kept = [*kept, *wanted[-new:]][-depth:]
                held = [block.item(0, back) for back in range(depth, 0, -1)]
                meant = [*wanted[: len(found)], *kept]
                for one, other in zip([*found, *held], meant, strict=True):
                    torch.testing.assert_close(one, other, rtol=2e-5, atol=2e-5)
                    numbers += one.numel()
    print(f"{name}: {numbers} numbers")
    assert numbers > 500


class Chain(nn.Module):
    """A sum over past items whose result is kept for another; the later one is named first."""

    def forward(self, x: Tensor, *old: Tensor) -> tuple[Tensor, ...]:
        new = fresh(x)
        inner, _ = given(new, old[:2])
        y, _ = given(inner, old[2:])
        return y, inner, new


def test_a_sum_begins_where_no_item_is_that_another_reads() -> None:
    draw = torch.Generator().manual_seed(0)

    def drawn() -> Tensor:
        return torch.randn(2, C, 5, 5, generator=draw)

    old = [drawn() for _ in range(4)]
    kept = Kept(tuple(old[0].shape), old[0].dtype, 2)
    block = Block([kept, kept])
    reads = [(which, back) for which in (0, 1) for back in (2, 1)]
    for (which, _), item in zip(reads, old, strict=True):
        block.put(which, item)
    with torch.no_grad():
        step = native(Chain(), [drawn(), *old], block, reads, [1, 0])
        for _ in range(5):
            x = drawn()
            y, inner, new = Chain()(x, *old)
            (found,) = step(x)
            torch.testing.assert_close(found, y, rtol=2e-5, atol=2e-5)
            old = [old[1], new, old[3], inner]
            for (which, back), item in zip(reads, old, strict=True):
                torch.testing.assert_close(block.item(which, back), item, rtol=2e-5, atol=2e-5)
