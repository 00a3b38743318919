"""A node as the network itself computes it, on items of a listing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import Tensor, nn

from codsl.engine.beginning import carried_on, instead
from codsl.graph.node import Node
from codsl.layers.recipe import Attended, Carried
from codsl.nn.running.windows import Tape
from codsl.nn.running.work import Work


@dataclass(frozen=True, eq=False)
class AsIs:
    """Outputs `first` up to `stop` of a node, of items `spans` of each value that it reads, one
    after another, and of what it carries.

    `items` is how many items a turn has of each value that it reads, and of its own.
    """

    node: Node
    module: nn.Module
    sources: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    first: int
    stop: int
    items: tuple[int, ...] = ()

    def work(self, slots: Sequence[Tensor], turns: int = 0) -> Work:
        """What has to be done, where the stream began so many turns late."""
        given = iter(slots)
        tapes = []
        for (oldest, newest), items in zip(self.spans, self.items, strict=False):
            part = list(islice(given, newest - oldest + 1))
            tapes.append(Tape(oldest - turns * items, torch.stack(part, 2)))
        late = turns * self.items[-1]
        span = (max(0, self.first - late), self.stop - late)
        return Work(self.node, self.module, tapes, self.sources, tuple(given), *span)

    def __call__(self, *slots: Tensor) -> tuple[Tensor, ...]:
        """Its outputs, and the tensors that it carries on."""
        y, after = self.work(slots).done()
        return (*apart(y), *after)


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
        outputs = apart(y)
        for turns, frames in self.late:
            own, _ = self.what.work(slots, turns).done()
            outputs = instead(frames, had, apart(own), outputs)
        if isinstance(self.what.node.recipe, Carried):
            after = tuple(carried_on(self.since, had, after, work.memory))
        return (*outputs, *after)

    def _attending(self, had: Tensor, slots: Sequence[Tensor]) -> Sequence[Tensor]:
        recipe = self.what.node.recipe
        if not isinstance(recipe, Attended):
            raise TypeError("only attention can leave items out")
        absent = had[:, None] < torch.tensor(self.absent, device=had.device)
        call = replace(recipe.call, arguments={**recipe.call.arguments, "absent": absent})
        node = replace(self.what.node, recipe=replace(recipe, call=call))
        y, _ = replace(self.what, node=node).work(slots).done()
        return apart(y)


def apart(y: Tensor) -> Sequence[Tensor]:
    """The items of `(B, C, T, *S)`; in graphs one is less to write than many."""
    return (y.squeeze(2),) if y.shape[2] == 1 else y.unbind(2)
