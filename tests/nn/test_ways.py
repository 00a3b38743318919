"""Every kind of recipe: any outputs, of any tape that has their items, are those of the clip."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
import torch
from remembering import doubled, mean_nearby, mean_so_far, spread_over_three
from torch import Tensor, nn
from torch.nn import functional

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import Time, length, reads, spreads, steady, stretches
from codsl.layers.recipe import (
    Attended,
    Call,
    Carried,
    Folded,
    Foreign,
    Memory,
    Pointwise,
    Recipe,
    Spread,
    Windowed,
)
from codsl.nn.functions import functions
from codsl.nn.running.ways import beginning, clip, dtype_of, kept, outputs, remembered
from codsl.nn.running.windows import Tape

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME = Frame(3, (4, 5))
ITEMS = 7


def numbers(items: int = ITEMS, seed: int = 0) -> Tensor:
    """A clip of two rows."""
    generator = torch.Generator().manual_seed(seed)
    size = (2, FRAME.channels, items, *FRAME.space)
    return torch.randn(size, generator=generator, dtype=torch.float64)


def between_ones(x: Tensor) -> Tensor:
    """Three outputs for an item: itself and one, and two ones."""
    y = x.new_ones(*x.shape[:2], 3 * x.shape[2], *x.shape[3:])
    y[:, :, ::3] += x
    return y


def item_and_between(x: Tensor) -> Tensor:
    """Two outputs for an item: itself, and the mean of it and the one behind it, if any."""
    ahead = torch.cat([x[:, :, 1:], x[:, :, -1:]], 2)
    return torch.stack([x, (x + ahead) / 2], 3).flatten(2, 3)


def own_and_nearby(module: nn.Module, x: Tensor, kept: Tensor, lead: int) -> Tensor:
    """An item, ten times, and what `mean_nearby` makes of what is kept around it."""
    return 10 * x + mean_nearby(module, x, kept, lead)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions of these tests among codsl's own."""
    mine: tuple[Callable[..., Any], ...] = (doubled, own_and_nearby, mean_so_far, spread_over_three)
    for each in (*mine, between_ones, item_and_between):
        monkeypatch.setitem(functions._OWN, each.__name__, each)


class Asked(nn.Module):
    """A module that runs what it is told, and notes what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Tensor, ...]] = []
        self.three = torch.tensor(3.0, dtype=torch.float64)

    def forward(self, *given: Any) -> Any:
        *inputs, last = given
        asked = not isinstance(last, Tensor)
        self.calls.append(tuple(inputs if asked else given))
        return last(self, *inputs) if asked else self.own_forward(*given)

    def own_forward(self, *inputs: Tensor) -> Tensor:
        return sum(inputs[1:], inputs[0]) + 1


NEARBY = steady(past=2, ahead=1, delay=1)
MEANS = Call("avg_pool3d", {"kernel_size": (3, 1, 1), "stride": (2, 1, 1)})
THREE, LATER = spreads(2, Window(3)), spreads(2, Window(3, before=1))
HOLED = spreads(3, Window(1), extra=4)
TWICE = stretches(2, [(0, 0), (0, 1)])


def averaged(x: Tensor, before: int, after: int, fill: float) -> Tensor:
    padded = functional.pad(x, (0, 0, 0, 0, before, after), value=fill)
    return functional.avg_pool3d(padded, (3, 1, 1), (2, 1, 1))


def nearby(x: Tensor) -> Tensor:
    around = [2 * x[:, :, max(0, at - 2) : at + 2].mean(2) for at in range(x.shape[2])]
    return 10 * x + torch.stack(around, 2)


def spread(name: str, reach: Time, factor: int, **how: Any) -> Spread:
    return Spread("Identity", {}, Call(name), reach, factor, **how)


def windowed(over: Window, **how: Any) -> Windowed:
    return Windowed("Identity", {}, over, MEANS, **how)


CASES: dict[str, tuple[Recipe, Time, Callable[[Tensor], Tensor]]] = {
    "window": (
        windowed(Window(3, 2, 1, 2), fill=2.5),
        steady(2, 1, 1, 1, 2),
        lambda x: averaged(x, 1, 2, 2.5),
    ),
    "window of what is kept": (
        windowed(Window(3, 2, 2), frame=Call("mul", {"other": 3.0})),
        steady(2, 2, 0, 0, 1),
        lambda x: averaged(3 * x, 2, 0, 0.0),
    ),
    "attended": (
        Attended("Identity", {}, Call("doubled"), FRAME, Call("own_and_nearby"), NEARBY),
        NEARBY,
        nearby,
    ),
    "spread": (spread("spread_over_three", THREE, 2), THREE, spread_over_three),
    "spread and cut": (
        spread("spread_over_three", LATER, 2, front=1),
        LATER,
        lambda x: spread_over_three(x)[:, :, 1:],
    ),
    "spread with a filled end": (
        spread("item_and_between", TWICE, 2, fill=0.5),
        TWICE,
        lambda x: item_and_between(functional.pad(x, (0, 0, 0, 0, 0, 1), value=0.5))[:, :, :-2],
    ),
    "spread with ones behind": (
        spread("between_ones", HOLED, 3, fill=0.0),
        HOLED,
        lambda x: functional.pad(between_ones(x), (0, 0, 0, 0, 0, 2), value=1),
    ),
}


def near(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_a_clip_is_what_the_recipe_says(name: str) -> None:
    """Without a call of the module, whose hooks see one clip."""
    recipe, reach, wanted = CASES[name]
    for items in range(3, 8):
        x, module = numbers(items), Asked()
        y = clip(module, recipe, x)
        assert y.shape[2] == length(reach, items)
        near(y, wanted(x))
        assert not module.calls


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("whole", [False, True])
def test_any_outputs_of_a_stream_are_those_of_the_clip(name: str, whole: bool) -> None:
    """Of a tape with all items, and of one that has those alone that they read."""
    recipe, reach, wanted = CASES[name]
    x = numbers()
    y = wanted(x)
    made = kept(Asked(), recipe, x)
    for first, stop in combinations(range(y.shape[2] + 1), 2):
        oldest, newest = reads(reach, first, stop - 1)
        there = slice(0, ITEMS) if whole else slice(max(0, oldest), max(1, newest + 1))
        if there.start >= ITEMS:
            there = slice(ITEMS - 1, ITEMS)
        end = ITEMS if whole or newest >= ITEMS else None
        tapes = [Tape(there.start, made[:, :, there], end)]
        if isinstance(recipe, Attended):
            tapes.append(Tape(first, x[:, :, first:stop]))
        module = Asked()
        near(outputs(module, recipe, tapes, [(oldest, newest)], first, stop), y[:, :, first:stop])
        assert module.calls
        if not isinstance(recipe, Windowed):
            assert len(module.calls) == 1


def test_what_is_kept_is_made_by_a_call_of_the_module() -> None:
    x = numbers()
    for name, factor in (("window of what is kept", 3), ("attended", 2)):
        module = Asked()
        assert torch.equal(kept(module, CASES[name][0], x), factor * x)
        assert len(module.calls) == 1
    module = Asked()
    assert kept(module, CASES["window"][0], x) is x
    assert kept(module, CASES["spread"][0], x) is x
    assert not module.calls


def test_items_that_meet_are_cut_where_each_is_read() -> None:
    """A join is one call of its module with what it reads of every input."""
    x, y = numbers(), numbers(seed=1)
    tapes = [Tape(0, x), Tape(2, y)]
    module = Asked()
    found = outputs(module, Pointwise(), tapes, [(1, 3), (4, 6)], 1, 4)
    assert torch.equal(found, x[:, :, 1:4] + y[:, :, 2:5] + 1)
    assert len(module.calls) == 1


def test_a_layer_without_memory_has_a_function_or_its_own_forward() -> None:
    x, y = numbers(), numbers(seed=1)
    assert torch.equal(clip(Asked(), Pointwise(tensors=("three",), call=Call("mul")), x), 3 * x)
    assert torch.equal(clip(Asked(), Pointwise(call=Call("mul")), x, y), x * y)
    assert torch.equal(clip(Asked(), Pointwise(), x, y), x + y + 1)
    assert torch.equal(clip(Asked(), Foreign(), x), x + 1)


def test_a_torch_call_of_its_own_computes_a_clip() -> None:
    how = replace(CASES["spread"][0], clip=Call("neg"))
    assert torch.equal(clip(Asked(), how, numbers()), -numbers())


MEMORY = (Memory("sum", FRAME.shape), Memory("count", (1,), "int64"))
CARRIED = Carried("Identity", {}, Call("mean_so_far"), MEMORY)


def test_what_is_carried_begins_with_zeros_and_goes_on() -> None:
    x = numbers()
    start = beginning(MEMORY, x.half())
    assert [each.dtype for each in start] == [torch.float16, torch.int64]
    assert [tuple(each.shape) for each in start] == [(2, 3, 4, 5), (2, 1)]
    assert not any(each.any() for each in start)
    whole = torch.stack([x[:, :, : at + 1].mean(2) for at in range(ITEMS)], 2)
    near(clip(Asked(), CARRIED, x), whole)
    module, tape = Asked(), Tape(0, x)
    first, *after = remembered(module, CARRIED, tape, (0, 2), beginning(MEMORY, x))
    second, *last = remembered(module, CARRIED, tape, (3, 6), after)
    near(torch.cat([first, second], 2), whole)
    near(last[0], x.sum(2))
    assert last[1].flatten().tolist() == [ITEMS, ITEMS]
    assert [tuple(each.shape[2:3]) for (each,) in module.calls] == [(3,), (4,)]


def test_a_carried_tensor_has_the_dtype_of_the_network_or_its_own() -> None:
    assert dtype_of(Memory("sum", (1,)), torch.bfloat16) == torch.bfloat16
    assert dtype_of(Memory("count", (1,), "int64"), torch.bfloat16) == torch.int64


FOLDED: dict[str, tuple[Pointwise | Windowed | Spread, Callable[[Tensor], Tensor]]] = {
    "pointwise": (Pointwise(tensors=("three",), call=Call("mul")), lambda x: 3 * x),
    "window": (
        Windowed("I", {}, Window(2), Call("avg_pool2d", {"kernel_size": (2, 3), "stride": 1})),
        lambda x: functional.avg_pool2d(x, (2, 3), 1),
    ),
    "spread": (
        spread("spread_over_three", THREE, 2),
        lambda x: torch.stack([spread_over_three(each[None])[0] for each in x]),
    ),
}


@pytest.mark.parametrize("name", FOLDED)
def test_each_frame_is_an_image(name: str) -> None:
    """Whose first dimension of space is to the recipe what time is else."""
    inner, wanted = FOLDED[name]
    x = numbers()
    images = torch.stack([wanted(x[:, :, t]) for t in range(ITEMS)], 2)
    near(clip(Asked(), Folded(inner), x), images)
