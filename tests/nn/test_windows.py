"""Tapes and windows, item by item against what a window takes, and without a call or copy more."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from math import inf
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from codsl.algebra.extent import Window
from codsl.layers.recipe import Call, Windowed
from codsl.nn.running.windows import Tape, call, whole, windows


def numbers(items: int, shape: tuple[int, ...] = (2, 3, 4, 5)) -> Tensor:
    """`items` of two rows and three channels over a space of 4 x 5."""
    size = (*shape[:2], items, *shape[2:])
    return torch.randn(size, generator=torch.Generator().manual_seed(items), dtype=torch.float64)


def alike(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same memory, seen alike."""
    return one.shape == other.shape and one.data_ptr() == other.data_ptr()


SEVEN = numbers(7)


@pytest.mark.parametrize("first", [-3, 0, 4])
def test_a_cut_has_the_items_asked_for(first: int) -> None:
    tape = Tape(first, SEVEN)
    for oldest in range(7):
        for newest in range(oldest, 7):
            cut = tape.cut(first + oldest, first + newest)
            assert alike(cut, SEVEN[:, :, oldest : newest + 1])
    with pytest.raises((RuntimeError, IndexError)):
        tape.cut(first, first + 7)


def test_what_is_kept_is_never_handed_out() -> None:
    """A layer may write to its input, and what a state keeps stays as it is."""
    assert not Tape(0, SEVEN).kept
    cut = Tape(0, SEVEN, kept=True).cut(2, 4)
    assert torch.equal(cut, SEVEN[:, :, 2:5])
    assert cut.untyped_storage().data_ptr() != SEVEN.untyped_storage().data_ptr()


@pytest.mark.parametrize("end", [None, 5, 7])
def test_within_are_the_items_that_there_are(end: int | None) -> None:
    tape = Tape(0, SEVEN, end)
    for oldest, newest in product(range(-3, 5), range(7 if end is None else 10)):
        there = [at for at in range(oldest, newest + 1) if 0 <= at < (end or 7)]
        if there:
            part = tape.within(oldest, newest)
            assert (part.first, part.end) == (there[0], end)
            assert alike(part.items, SEVEN[:, :, there[0] : there[-1] + 1])


@pytest.mark.parametrize(("first", "end"), [(0, None), (0, 7), (0, 4), (2, 9)])
def test_filled_are_the_items_that_there_are_and_numbers_behind_them(
    first: int, end: int | None
) -> None:
    tape = Tape(first, SEVEN, end)
    last = first + 7 if end is None else end + 4
    for oldest, newest in product(range(first or -4, last), range(-4, last)):
        if newest < oldest:
            continue
        part = tape.filled(oldest, newest, 7.5)
        wanted = [at for at in range(oldest, newest + 1) if at >= 0]
        there = [at - first for at in wanted if end is None or at < end]
        assert part.first == max(oldest, 0)
        assert part.items.shape == (2, 3, max(1, len(wanted)), 4, 5)
        assert torch.equal(part.items[:, :, : len(there)], SEVEN[:, :, there])
        assert (part.items[:, :, len(there) :] == 7.5).all()
        if there and there == [at - first for at in wanted]:
            assert alike(part.items, SEVEN[:, :, there[0] : there[-1] + 1])


@dataclass
class Means:
    """Means of windows, one kernel after another; it notes what it was called with."""

    window: Window
    seen: list[Tensor] = field(default_factory=list)

    def __call__(self, x: Tensor, what: Call) -> Tensor:
        self.seen.append(x)
        (kernel,) = what.arguments["kernel_size"]
        reach = self.window.dilation * (kernel - 1) + 1
        return x.unfold(2, reach, self.window.stride)[..., :: self.window.dilation].mean(-1)


def recipe(window: Window, fill: Any, overflow: float | None = None) -> Windowed:
    """A mean over time."""
    what = Call("avg_pool1d", {"kernel_size": (window.kernel,)})
    return Windowed("AvgPool1d", {}, window, what, fill=fill, overflow=overflow)


def taken(window: Window, how: Windowed, x: Tensor, output: int) -> tuple[Tensor, bool]:
    """What the window of an output takes of a whole value, and whether it is cut short."""
    items = x.shape[2]
    column: list[Tensor] = []
    for tap in range(window.kernel):
        at = output * window.stride - window.before + window.dilation * tap
        end = x[:, :, 0 if at < 0 else items - 1]
        if 0 <= at < items:
            column.append(x[:, :, at])
        elif at >= items + window.after:
            column += [] if how.overflow is None else [torch.full_like(end, how.overflow)]
        elif how.fill is not None:
            column.append(end if how.fill == "replicate" else torch.full_like(end, how.fill))
    return torch.stack(column).mean(0), len(column) < window.kernel


def cases() -> list[tuple[Window, Windowed]]:
    """Windows of every kind of padding; those that are cut short have no dilation, as in torch."""
    found = []
    for kernel, stride, dilation in product((1, 2, 3, 4), (1, 2, 3), (1, 2)):
        reach = dilation * (kernel - 1)
        for before, after, ceil in product(range(reach + 1), range(reach + 1), (False, True)):
            window = Window(kernel, stride, before, after, dilation, ceil)
            fills = (0.0, 2.5, "replicate", None) if dilation == 1 else (2.5, "replicate")
            for fill in fills:
                if ceil and dilation > 1:
                    found.append((window, recipe(window, 2.5, -1.5)))
                else:
                    found.append((window, recipe(window, fill)))
                if ceil and fill == 0.0:
                    found.append((window, recipe(window, 0.0, -1.5)))
    return found


CASES = cases()


@pytest.mark.parametrize("items", [1, 2, 3, 6])
def test_windows_take_what_they_say(items: int) -> None:
    """All outputs of a value at once, by as few calls as there can be."""
    x, met = numbers(items, (2, 3, 2)), 0
    for window, how in CASES:
        outputs = window.length(items)
        if not outputs:
            continue
        apply = Means(window)
        found = windows(apply, how, Tape(0, x, items), 0, outputs)
        wanted = [taken(window, how, x, output) for output in range(outputs)]
        torch.testing.assert_close(
            found, torch.stack([mean for mean, _ in wanted], 2), rtol=1e-12, atol=1e-12
        )
        short = sum(cut for _, cut in wanted)
        assert len(apply.seen) == short + (short < outputs)
        met += 1
    assert met > 500


@pytest.mark.parametrize("known", [False, True])
def test_windows_of_a_tape_that_begins_later(known: bool) -> None:
    """Some outputs of a value of which older items are gone, and of which newer ones may come."""
    x, met = numbers(9, (2, 3, 2)), 0
    for window, how in CASES:
        outputs = window.length(9)
        for first, stop in ((0, 1), (1, 2), (1, 4), (2, outputs), (outputs - 1, outputs)):
            oldest = first * window.stride - window.before
            newest = (stop - 1) * window.stride - window.before + window.reach
            if not first < stop <= outputs or (newest > 8 and not known) or oldest > 8:
                continue
            gone = max(0, oldest)
            held = x[:, :, gone:] if known else x[:, :, gone : newest + 1]
            apply = Means(window)
            found = windows(apply, how, Tape(gone, held, 9 if known else None), first, stop)
            wanted = [taken(window, how, x, output) for output in range(first, stop)]
            torch.testing.assert_close(
                found, torch.stack([mean for mean, _ in wanted], 2), rtol=1e-12, atol=1e-12
            )
            met += 1
    assert met > 1000


def test_what_needs_no_padding_is_not_copied() -> None:
    window = Window(3, before=1, after=2)
    for fill in (0.0, "replicate", None):
        apply = Means(window)
        how = recipe(window, fill)
        y = windows(apply, how, Tape(0, SEVEN), 1, 6)
        assert alike(apply.seen[0], SEVEN)
        assert len(apply.seen) == 1
        assert y.shape[2] == 5
    made: list[Tensor] = []

    def apply_once(x: Tensor, what: Call) -> Tensor:
        made.append(x.clone())
        return made[0]

    assert windows(apply_once, recipe(Window(1), None), Tape(0, SEVEN), 0, 7) is made[0]


def test_padding_is_of_the_dtype_and_leaves_the_tape_alone() -> None:
    x = torch.ones(1, 1, 3, dtype=torch.float16)
    seen = Means(Window(3, before=2))
    windows(seen, recipe(Window(3, before=2), -inf), Tape(0, x, 3), 0, 3)
    assert seen.seen[0].dtype == torch.float16
    assert seen.seen[0].flatten().tolist() == [-inf, -inf, 1, 1, 1]
    assert x.flatten().tolist() == [1, 1, 1]


def noted(name: str) -> Call:
    """A function of torch of one tensor."""
    return Call(name)


@pytest.mark.parametrize(
    ("clip", "clip_items", "which"),
    [
        (noted("neg"), (2, 4), [3, -1, -1, -1, 3]),
        (noted("neg"), (1, inf), [-1] * 5),
        (None, (1, inf), [3] * 5),
    ],
)
def test_a_clip_is_torch_s_own_where_it_has_one(
    clip: Call | None, clip_items: tuple[int, float], which: list[int]
) -> None:
    """Else `frame` is made of its items, and windows go over that."""
    frame = Call("mul", {"other": 3})
    for items, factor in enumerate(which, 1):
        x = numbers(items, (2, 7, 4, 5)).abs()
        how = Windowed("Identity", {}, Window(), noted("abs"), (), clip, clip_items, frame)
        assert torch.equal(whole(nn.Identity(), how, x), factor * x)


def test_a_clip_by_windows_is_padded() -> None:
    """Of a pool without a frame, of as many items as it has outputs for."""
    what = Call("avg_pool1d", {"kernel_size": (3,), "stride": (2,)})
    how = Windowed("AvgPool1d", {}, Window(3, 2, 1, 1), what, fill="replicate")
    x = torch.tensor([[[1.0, 4.0, 8.0, 9.0, 21.0]]])
    assert whole(nn.Identity(), how, x).flatten().tolist() == [2, 7, 17]


class Weights(nn.Module):
    """Two tensors by name."""

    weight = torch.tensor([[[1.0, 10.0]]])
    bias = torch.tensor([0.5])


def test_a_call_gets_the_tensors_behind_the_inputs() -> None:
    x = torch.tensor([[[1.0, 2.0, 3.0]]])
    conv = Call("conv1d", {"stride": 2}, (1, 0))
    y = call(Weights(), ("weight", "bias"), conv, x)
    assert y.flatten().tolist() == [10.5, 32.5]
    added = call(Weights(), (), Call("add", {"alpha": 2}), x, x)
    assert added.flatten().tolist() == [3, 6, 9]


PADS = [
    (2, Call("abs", {}, (1, 2), "constant", 4.0)),
    (3, Call("abs", {}, (1, 2, 3, 0), "constant", -4.0)),
    (2, Call("abs", {}, (1, 2), "replicate")),
    (3, Call("abs", {}, (1, 2), "replicate")),
    (3, Call("abs", {}, (1, 2, 2, 0), "circular")),
    (3, Call("abs", {}, (2, 1, 0, 3), "reflect")),
]


@pytest.mark.parametrize(("rank", "what"), PADS)
def test_padding_of_space_leaves_time_and_the_rest_alone(rank: int, what: Call) -> None:
    """Torch's other modes want as many numbers as there are dimensions behind the channels."""
    x = numbers(6, (2, 3, *(4, 5)[3 - rank :])).abs() + 5
    y = call(nn.Identity(), (), what, x)
    pairs = [what.pad[at : at + 2] for at in range(0, len(what.pad), 2)]
    sizes = [*x.shape]
    for dim, (before, after) in enumerate(pairs, 1):
        sizes[-dim] += before + after
    assert list(y.shape) == sizes
    inner = y
    for dim, (before, _) in enumerate(pairs, 1):
        inner = inner.narrow(-dim, before, x.shape[-dim])
    assert torch.equal(inner, x)
    if what.mode == "constant":
        assert y.flatten()[0] == abs(what.value)
    else:
        assert y.min() >= 5
