"""Items of a value as they pass, and a layer's windows over them; time is padded here."""

from collections.abc import Callable, Iterator
from math import inf
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from codsl.algebra.time import length, reads
from codsl.layers.recipe import Call, Windowed
from codsl.nn.functions.functions import function


class Tape(NamedTuple):
    """Items `first`, `first + 1`, ... of a value, as `(B, C, T, *S)`.

    `end` is how many items the value has in all, or None while nobody knows. `kept` says that the
    items are those of a state, which nobody may write to.
    """

    first: int
    items: Tensor
    end: int | None = None
    kept: bool = False

    def cut(self, oldest: int, newest: int) -> Tensor:
        """The items from `oldest` to `newest`, both included."""
        part, size = self.items, newest - oldest + 1
        if oldest != self.first or size != part.shape[2]:
            part = part.narrow(2, oldest - self.first, size)
        return part.clone() if self.kept else part

    def within(self, oldest: int, newest: int) -> "Tape":
        """The items from `oldest` to `newest` that there are."""
        first = max(oldest, 0)
        last = newest if self.end is None else min(newest, self.end - 1)
        return self._replace(first=first, items=self.cut(first, last))

    def filled(self, oldest: int, newest: int, fill: float) -> "Tape":
        """The items from `oldest` to `newest` that there are, and `fill` after the last; one item
        at least."""
        first = max(oldest, 0)
        last = newest if self.end is None else min(newest, self.end - 1)
        some = self.cut(first, last) if first <= last else self.items[:, :, :0]
        size = (*some.shape[:2], max(newest, first) - max(last, first - 1), *some.shape[3:])
        more = some.new_full(size, fill)
        return self._replace(first=first, items=torch.cat([some, more], 2) if size[2] else some)


def call(module: nn.Module, names: tuple[str, ...], what: Call, *inputs: Tensor) -> Tensor:
    """A call of a recipe, with the module's tensors of these names behind the inputs."""
    if what.pad:
        inputs = tuple(_pad(x, what) for x in inputs)
    tensors = (getattr(module, name) for name in names)
    return function(what.function, module)(*inputs, *tensors, **what.arguments)


def _pad(x: Tensor, what: Call) -> Tensor:
    if what.mode == "constant":
        return functional.pad(x, what.pad, "constant", what.value)
    dims = 2 * (x.dim() - 2)
    return functional.pad(x, (*what.pad, *(0,) * (dims - len(what.pad))), what.mode)


def whole(module: nn.Module, recipe: Windowed, x: Tensor) -> Tensor:
    """A clip at once: by torch's own padding where it has it, else by windows as in a stream."""
    items = x.shape[2]
    least, most = recipe.clip_items
    if recipe.clip is not None and least <= items <= most:
        return call(module, recipe.tensors, recipe.clip, x)
    made = x if recipe.frame is None else call(module, recipe.tensors, recipe.frame, x)

    def apply(items: Tensor, what: Call) -> Tensor:
        return call(module, recipe.tensors, what, items)

    return windows(apply, recipe, Tape(0, made, items), 0, length(recipe.reach, items))


def windows(
    apply: Callable[[Tensor, Call], Tensor], recipe: Windowed, tape: Tape, first: int, stop: int
) -> Tensor:
    """Outputs `first` up to `stop` of a layer that reads a tape; there is at least one.

    `apply` computes a call of the recipe on consecutive items.
    """
    parts = [
        apply(x, recipe.window.shortened(taps) if taps else recipe.window)
        for x, taps in _pieces(recipe, tape, first, stop)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 2)


def _pieces(recipe: Windowed, tape: Tape, first: int, stop: int) -> Iterator[tuple[Tensor, int]]:
    """The padded input of consecutive outputs, and before and after it that of each output whose
    window is cut short, alone, with the number of items that are left to it."""
    time = recipe.reach
    left, right = _bounds(recipe, tape)
    oldest, newest = reads(time, first, stop - 1)
    if oldest >= left and newest <= right:
        yield _padded(recipe, tape, oldest, newest), 0
        return

    def cut(output: int) -> bool:
        oldest, newest = reads(time, output, output)
        return oldest < left or newest > right

    def short(output: int) -> tuple[Tensor, int]:
        oldest, newest = reads(time, output, output)
        oldest, newest = max(oldest, left), int(min(newest, right))
        return _padded(recipe, tape, oldest, newest), newest - oldest + 1

    start = first
    while start < stop and cut(start):
        yield short(start)
        start += 1
    end = stop
    while end > start and cut(end - 1):
        end -= 1
    if start < end:
        yield _padded(recipe, tape, *reads(time, start, end - 1)), 0
    for output in range(end, stop):
        yield short(output)


def _bounds(recipe: Windowed, tape: Tape) -> tuple[int, float]:
    """The first and the last item that a window can take: padding counts where it is filled."""
    left = 0 if recipe.fill is None else -recipe.over.before
    if tape.end is None or recipe.overflow is not None:
        return left, inf
    return left, tape.end - 1 + (0 if recipe.fill is None else recipe.over.after)


def _padded(recipe: Windowed, tape: Tape, oldest: int, newest: int) -> Tensor:
    """Items `oldest` to `newest`, and what stands for those before the first or after the last."""
    last = newest if tape.end is None else min(newest, tape.end - 1)
    real = tape.cut(max(oldest, 0), last)
    before = max(0, -oldest)
    after = newest - last
    padding = min(after, recipe.over.after)
    parts = [real]
    if before:
        parts.insert(0, _fill(real[:, :, :1], before, recipe.fill))
    if padding:
        parts.append(_fill(real[:, :, -1:], padding, recipe.fill))
    if after > padding:
        parts.append(_fill(real[:, :, -1:], after - padding, recipe.overflow))
    return real if len(parts) == 1 else torch.cat(parts, 2)


def _fill(like: Tensor, items: int, fill: float | str | None) -> Tensor:
    wide = like.expand(-1, -1, items, *like.shape[3:])
    return wide if isinstance(fill, str) else torch.full_like(wide, fill or 0.0)
