"""How a graph runs: a clip at once, frames as they come, and the end; each node by its recipe.

Which outputs are due follows from the frame number alone, so idle work is skipped and nothing
depends on data.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from codsl.algebra.time import emits, length, reads
from codsl.graph.graph import Graph
from codsl.graph.node import Node
from codsl.nn.state import State
from codsl.nn.windows import Tape, kept, outputs


@dataclass(frozen=True)
class Program:
    """A graph and the modules that compute its nodes."""

    graph: Graph
    modules: Sequence[nn.Module]

    @cached_property
    def _computed(self) -> list[tuple[int, Node, nn.Module]]:
        """The nodes that the output is made of, with their numbers and modules."""
        return [
            (index, self.graph.nodes[index], self.modules[index])
            for index in sorted(self.graph.live)
        ]

    @cached_property
    def _last_reader(self) -> list[int]:
        """For every value the last node that reads it."""
        last = [-1] * (len(self.graph.nodes) + 1)
        for index, node, _ in self._computed:
            for edge in node.edges:
                last[edge.source] = index
        last[self.graph.output] = len(self.graph.nodes)
        return last

    @cached_property
    def _feeds_of(self) -> dict[int, list[int]]:
        """The feeds that keep a value as it is."""
        feeds: dict[int, list[int]] = {}
        for number, feed in enumerate(self.graph.schedule.feeds):
            if feed.through is None:
                feeds.setdefault(feed.value, []).append(number)
        return feeds

    @cached_property
    def layout(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each tensor of a state without its batch."""
        feeds = self.graph.schedule.feeds
        return tuple((feed.frame.channels, feed.depth, *feed.frame.space) for feed in feeds)

    def clip(self, x: Tensor) -> Tensor:
        """All outputs of a clip `(B, C, T, *S)`."""
        frames = x.shape[2]
        values: dict[int, Tensor] = {0: x}
        for index, node, module in self._computed:
            values[index + 1] = module(*self._clip_inputs(index, node, values, frames))
            for value in {edge.source for edge in node.edges}:
                if self._last_reader[value] == index:
                    del values[value]
        return values[self.graph.output]

    def _clip_inputs(
        self, index: int, node: Node, values: dict[int, Tensor], frames: int
    ) -> list[Tensor]:
        """What a node reads of a clip; what a join cannot use of the longer inputs is left out."""
        if len(node.edges) == 1:
            return [values[node.edges[0].source]]
        items = length(self.graph.times[index + 1], frames)
        spans = [reads(edge.reach, 0, items - 1) for edge in node.edges]
        inputs = [values[edge.source] for edge in node.edges]
        return [
            x if (oldest, newest) == (0, x.shape[2] - 1) else x[:, :, oldest : newest + 1]
            for x, (oldest, newest) in zip(inputs, spans, strict=True)
        ]

    def init_state(self, batch_size: int, dtype: torch.dtype, device: torch.device) -> State:
        """The state before the first frame."""
        tensors = tuple(
            torch.zeros((batch_size, *shape), dtype=dtype, device=device) for shape in self.layout
        )
        return State(0, batch_size, dtype, device, tensors)

    def steps(self, x: Tensor, state: State) -> tuple[Tensor | None, State]:
        """The outputs that become due with the frames `x`, `(B, C, T, *S)`, and the new state."""
        before, after = state.frame, state.frame + x.shape[2]
        tensors = list(state.tensors)
        fires = self.graph.schedule.fires
        y = self._run(x, state, before, lambda value: emits(fires[value], after), tensors, None)
        return y, State(after, state.batch_size, state.dtype, state.device, tuple(tensors))

    def flush(self, state: State) -> Tensor | None:
        """The outputs that end padding makes due, were the stream to end here."""
        frames = state.frame
        if frames < self.graph.min_frames:
            return None

        def count(value: int) -> int:
            return length(self.graph.times[value], frames)

        return self._run(None, state, frames, count, list(state.tensors), count)

    def _run(
        self,
        x: Tensor | None,
        state: State,
        frames: int,
        until: Callable[[int], int],
        tensors: list[Tensor],
        end: Callable[[int], int] | None,
    ) -> Tensor | None:
        """Carry every node from what it had given after `frames` frames to what it gives `until`.

        `tensors` is what the feeds keep, and is brought up to date; `end` counts a value's items
        where the stream ends here.
        """
        schedule = self.graph.schedule
        new: dict[int, Tensor | None] = {0: x}
        tapes: dict[int, Tape] = {}

        def feed(number: int, items: Tensor | None) -> None:
            value, depth = schedule.feeds[number].value, schedule.feeds[number].depth
            given = emits(schedule.fires[value], frames)
            held = tensors[number]
            if items is not None:
                held = torch.cat([held, items], 2) if depth else items
                tensors[number] = held[:, :, held.shape[2] - depth :].clone()
            tapes[number] = Tape(given - depth, held, end(value) if end else None, items is None)

        for number in self._feeds_of.get(0, ()):
            feed(number, x)
        for index, node, module in self._computed:
            for number in schedule.reads[index]:
                if schedule.feeds[number].through == index:
                    items = new[node.edges[0].source]
                    feed(number, None if items is None else kept(module, node.recipe, items))
            first, stop = emits(schedule.fires[index + 1], frames), until(index + 1)
            y = None
            if stop > first:
                read = [tapes[number] for number in schedule.reads[index]]
                spans = [reads(edge.reach, first, stop - 1) for edge in node.edges]
                y = outputs(module, node.recipe, read, spans, first, stop)
            new[index + 1] = y
            for number in self._feeds_of.get(index + 1, ()):
                feed(number, y)
        return new[self.graph.output]
