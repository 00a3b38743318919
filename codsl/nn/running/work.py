"""What a node has to do at a time, for a whole batch or for rows of it that began later."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor, nn

from codsl.algebra.time import reads
from codsl.graph.node import Node
from codsl.layers.recipe import Carried, Windowed
from codsl.nn.running.ways import Span, outputs, remembered
from codsl.nn.running.windows import Tape

Done = tuple[Tensor, tuple[Tensor, ...]]
"""The outputs of a node, and the new tensors of what it carries."""


class Work(NamedTuple):
    """A node, the tapes that it reads and the values that these are of, what it carries, and the
    outputs `first` up to `stop` that are due."""

    node: Node
    module: nn.Module
    tapes: Sequence[Tape]
    sources: Sequence[int]
    memory: Sequence[Tensor]
    first: int
    stop: int

    @property
    def spans(self) -> list[Span]:
        """The oldest and the newest item that it reads of each tape."""
        return [reads(edge.reach, self.first, self.stop - 1) for edge in self.node.edges]

    def done(self) -> Done:
        """What comes of it."""
        if isinstance(self.node.recipe, Carried):
            y, *after = remembered(
                self.module, self.node.recipe, self.tapes[0], self.spans[0], self.memory
            )
            return y, tuple(after)
        recipe = self.node.recipe
        return outputs(self.module, recipe, self.tapes, self.spans, self.first, self.stop), ()

    def of(self, rows: Tensor) -> "Work":
        """The same for some rows of the batch."""
        return self._replace(
            tapes=[tape._replace(items=tape.items[rows]) for tape in self.tapes],
            memory=[tensor[rows] for tensor in self.memory],
        )


@dataclass(frozen=True)
class Late:
    """How many turns of a stream each row of a batch began after the frame that the others count
    from, and how many items a turn has of every value."""

    turns: tuple[int, ...]
    items: tuple[int, ...]

    def done(self, work: Work, value: int) -> Done:
        """What comes of a node that makes `value`, with its own beginning for every row.

        What a row gives before its first output is of no meaning, and stays in that row.
        """
        if not self._matters(work, value):
            return work.done()
        recipe = work.node.recipe
        if isinstance(recipe, Windowed) and recipe.fill is not None:
            (source,), (tape,) = work.sources, work.tapes
            filled = self._filled(tape, self.items[source], recipe.fill)
            return work._replace(tapes=[filled]).done()
        return self._apart(work, value)

    @cached_property
    def _latest(self) -> list[int]:
        return sorted(set(self.turns), reverse=True)

    def _matters(self, work: Work, value: int) -> bool:
        """Whether a row's beginning makes a difference to a node: the latest row that has an
        output reaches furthest back."""
        carries = isinstance(work.node.recipe, Carried)
        given = (each for each in self._latest if carries or work.stop > each * self.items[value])
        return self._key(work, value, next(given, 0)) > 0

    def _key(self, work: Work, value: int, turns: int) -> int:
        """The turns that a row is late, or 0 where that makes no difference to a node."""
        begins = turns * self.items[value]
        if isinstance(work.node.recipe, Carried):
            return turns if work.first < begins else 0
        own = _begun(work, begins)
        reaches = own.stop > own.first and min(oldest for oldest, _ in own.spans) < 0
        return turns if reaches else 0

    def _filled(self, tape: Tape, items: int, fill: float | str) -> Tape:
        """A tape with what stands before the first item of each row."""
        x = tape.items
        turns = torch.tensor(self.turns, device=x.device).view(-1, *[1] * (x.dim() - 1))
        missing = turns * items - tape.first
        place = torch.arange(x.shape[2], device=x.device).view(-1, *[1] * (x.dim() - 3))
        if isinstance(fill, str):
            at = missing.clamp(0, x.shape[2] - 1).expand(*x.shape[:2], 1, *x.shape[3:])
            beyond = x.gather(2, at)
        else:
            beyond = torch.full((), fill, dtype=x.dtype, device=x.device)
        return tape._replace(items=torch.where(place < missing, beyond, x))

    def _apart(self, work: Work, value: int) -> Done:
        """What comes of a node where rows that began at different frames go one after another."""
        keys = {turns: self._key(work, value, turns) for turns in self._latest}
        like, frame = work.tapes[0].items, work.node.frame
        shape = (len(self.turns), frame.channels, work.stop - work.first, *frame.space)
        y: Tensor | None = None
        memory = tuple(tensor.clone() for tensor in work.memory)
        for turns in sorted(set(keys.values())):
            rows = [row for row, late in enumerate(self.turns) if keys[late] == turns]
            here = torch.tensor(rows, device=like.device)
            own = self._own(work.of(here), value, turns)
            if own.stop <= own.first:
                continue
            part, after = own.done()
            y = part.new_zeros(shape) if y is None else y
            y.narrow(2, shape[2] - part.shape[2], part.shape[2]).index_copy_(0, here, part)
            for tensor, new in zip(memory, after, strict=True):
                tensor.index_copy_(0, here, new)
        return like.new_zeros(shape) if y is None else y, memory

    def _own(self, work: Work, value: int, turns: int) -> Work:
        """The work of rows that are late, in numbers of their own."""
        tapes = [
            tape._replace(first=tape.first - turns * self.items[source])
            for source, tape in zip(work.sources, work.tapes, strict=True)
        ]
        return _begun(work, turns * self.items[value])._replace(tapes=tapes)


def _begun(work: Work, items: int) -> Work:
    """A work in numbers that begin so many outputs later."""
    return work._replace(first=max(0, work.first - items), stop=work.stop - items)
