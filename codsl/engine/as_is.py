"""A node as the network itself computes it, on items of a listing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from codsl.engine.beginning import Beginning, carried_on, instead
from codsl.graph.node import Node
from codsl.layers.recipe import Attended, Carried, Spread, Windowed
from codsl.nn.running.ways import kept
from codsl.nn.running.windows import Tape
from codsl.nn.running.work import Work

MASKED = ("attend", "encode")
"""Functions of attention that can leave out items that are not there."""


@dataclass(frozen=True, eq=False)
class AsIs:
    """Outputs `first` up to `stop` of a node, of items `spans` of each value that it reads, one
    after another, and of what it carries.

    `items` is how many items a turn has of each value that it reads, and of its own. `parts` says
    of each value what its items are given as: items, one each, and clips of so many.
    """

    node: Node
    module: nn.Module
    sources: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    first: int
    stop: int
    items: tuple[int, ...]
    parts: tuple[tuple[int, ...], ...]

    def work(self, slots: Sequence[Tensor], turns: int = 0) -> Work:
        """What has to be done, where the stream began so many turns late."""
        given = iter(slots)
        tapes = []
        for (oldest, _), items, counts in zip(self.spans, self.items, self.parts, strict=False):
            clip = joined(counts, *islice(given, len(counts)))
            tapes.append(Tape(oldest - turns * items, clip))
        late = turns * self.items[-1]
        span = (max(0, self.first - late), self.stop - late)
        return Work(self.node, self.module, tapes, self.sources, tuple(given), *span)

    def __call__(self, *slots: Tensor) -> tuple[Tensor, ...]:
        """Its outputs, and the tensors that it carries on."""
        y, after = self.work(slots).done()
        return (*apart(y), *after)

    def clip(self, *slots: Tensor) -> Tensor:
        """Its outputs as a clip, where it carries nothing."""
        return self.work(slots).done()[0]


@dataclass(frozen=True, eq=False)
class Begun:
    """The same where rows may have begun at any frame: how many each has had comes first.

    `since` is from when on there is an item that is carried on; `late` are the turns by which a
    row may be late that make a difference, and what such a row has had; `absent` says of each kept
    item of an attention from when on it is there.
    """

    what: AsIs
    since: int = 0
    late: tuple[tuple[int, int], ...] = ()
    absent: tuple[int, ...] = ()

    def __call__(self, had: Tensor, *slots: Tensor) -> Sequence[Tensor]:
        """Its outputs, and the tensors that it carries on."""
        if self.absent:
            return self._attending(had, slots)
        work = self.what.work(slots)
        y, after = work.done()
        y = self._mixed(y, had, slots)
        if isinstance(self.what.node.recipe, Carried):
            after = tuple(carried_on(self.since, had, after, work.memory))
        return (*apart(y), *after)

    def clip(self, had: Tensor, *slots: Tensor) -> Tensor:
        """Its outputs as a clip, where it carries nothing and does not attend."""
        return self._mixed(self.what.clip(*slots), had, slots)

    def _mixed(self, y: Tensor, had: Tensor, slots: Sequence[Tensor]) -> Tensor:
        """Outputs, with those of rows that are late in their places."""
        for turns, frames in self.late:
            own, _ = self.what.work(slots, turns).done()
            y = instead(frames, had, own, y)
        return y

    def _attending(self, had: Tensor, slots: Sequence[Tensor]) -> Sequence[Tensor]:
        recipe = self.what.node.recipe
        if not isinstance(recipe, Attended):
            raise TypeError("only attention can leave items out")
        absent = had[:, None] < torch.tensor(self.absent, device=had.device)
        call = replace(recipe.call, arguments={**recipe.call.arguments, "absent": absent})
        node = replace(self.what.node, recipe=replace(recipe, call=call))
        y, _ = replace(self.what, node=node).work(slots).done()
        return apart(y)


def begun(what: AsIs, since: Sequence[int], beginning: Beginning | None) -> AsIs | Begun:
    """A node where rows begin at any frame, and have each of its first items from when on, if that
    makes a difference to it."""
    recipe = what.node.recipe
    if isinstance(recipe, Carried):
        return Begun(what, since[-1])
    if isinstance(recipe, Attended) and recipe.call.function in MASKED:
        return Begun(what, absent=tuple(since)) if max(since) > 0 else what
    cut = isinstance(recipe, Spread | Attended) or (
        isinstance(recipe, Windowed) and recipe.fill is None
    )
    late = tuple(_late(what, beginning)) if cut and beginning is not None else ()
    return Begun(what, late=late) if late else what


def _late(what: AsIs, beginning: Beginning) -> Iterator[tuple[int, int]]:
    """The turns by which a row may be late so that it has an output, but not all its items; and
    how many frames it has had."""
    for turns in beginning.turns():
        has = what.stop > turns * what.items[-1]
        if has and what.spans[0][0] < turns * what.items[0]:
            yield turns, beginning.late(turns)


def joined(counts: Sequence[int], *parts: Tensor) -> Tensor:
    """Items, and clips of so many, as one clip in memory of its own."""
    if len(parts) == sum(counts):
        return torch.stack(parts, 2)
    clips = zip(parts, counts, strict=True)
    return torch.cat([x if count > 1 else x.unsqueeze(2) for x, count in clips], 2)


def apart(y: Tensor) -> Sequence[Tensor]:
    """The items of `(B, C, T, *S)`; in graphs one is less to write than many."""
    return (y.squeeze(2),) if y.shape[2] == 1 else y.unbind(2)


def kept_of_one(module: Any, recipe: Any, x: Tensor) -> Tensor:
    """What is kept of an item, in memory of its own: without weights it may be a part of it."""
    made = kept(module, recipe, x.unsqueeze(2)).squeeze(2)
    return made.clone() if recipe.module == "Identity" else made
