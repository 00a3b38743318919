"""Chunks of a stream by the kernels of its step: items that come together are a batch of frames."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from codsl.algebra.time import emits, reads
from codsl.engine.attending import Attending
from codsl.engine.kernels import passes
from codsl.engine.lister import Lister
from codsl.engine.units import Unit
from codsl.layers.recipe import Windowed
from codsl.nn.running.program import Values
from codsl.nn.running.state import State
from codsl.nn.running.ways import kept
from codsl.nn.running.windows import Tape
from codsl.nn.running.work import Work


@dataclass(frozen=True)
class Reel:
    """Items `first`, `first + 1`, ... of a value as frames `(T * B, C, *S)`, time before batch."""

    first: int
    frames: Tensor
    batch: int

    def taken(self, start: int, count: int, step: int) -> Tensor:
        """`count` items from `start` on, `step` apart, as a batch of frames."""
        if not count:
            return self.frames[:0]
        at = (start - self.first) * self.batch
        if step == 1:
            return self.frames[at : at + count * self.batch]
        items = self.frames.view(-1, self.batch, *self.frames.shape[1:])
        begin = start - self.first
        return items[begin : begin + (count - 1) * step + 1 : step].flatten(0, 1)

    def tape(self) -> Tape:
        """The same as a tape of clips."""
        return Tape(self.first, clip_of(self.frames, self.batch))


def clip_of(frames: Tensor, batch: int) -> Tensor:
    """Frames `(T * B, C, *S)` as a clip `(B, C, T, *S)`."""
    return frames.view(-1, batch, *frames.shape[1:]).movedim(0, 2)


def frames_of(clip: Tensor, last: bool) -> Tensor:
    """A clip `(B, C, T, *S)` as frames `(T * B, C, *S)`; with `last` channels beside each other."""
    frames = clip.movedim(2, 0).flatten(0, 1)
    layout = torch.channels_last if last and frames.dim() == 4 else torch.contiguous_format
    return frames.contiguous(memory_format=layout)


class Chunks:
    """How chunks of a program run, of streams that are beyond `graph.cycle.start`."""

    def __init__(self, lister: Lister, last: bool) -> None:
        self._lister, self._last = lister, last

    def steps(self, xs: Sequence[Tensor], state: State) -> tuple[Values, State]:
        """The outputs that become due with the frames `xs`, `(B, C, T, *S)`, and the new state."""
        return _Chunk(self._lister, self._last, state, xs[0].shape[2]).run(xs)


class _Chunk:
    """A chunk that is being computed."""

    def __init__(self, lister: Lister, last: bool, state: State, frames: int) -> None:
        self._lister, self._last = lister, last
        self._graph = lister.program.graph
        self._schedule = self._graph.schedule
        self._modules = lister.program.modules
        self._state = state
        self._before, self._after = state.frame, state.frame + frames
        self._tensors = list(state.tensors)
        self._new: dict[int, Tensor] = {}
        """What has come of each value, as frames."""
        self._reels: dict[int, Reel] = {}
        self._spans: dict[int, tuple[int, int]] = {}

    def run(self, xs: Sequence[Tensor]) -> tuple[Values, State]:
        for value, x in enumerate(xs):
            self._came(value, frames_of(x, self._last))
        for index in sorted(self._graph.live):
            self._keep(index)
            if index not in self._lister.inside:
                self._compute(index)
        batch = self._state.batch_size
        outputs = tuple(
            clip_of(frames, batch).contiguous() if len(frames) else None
            for frames in (self._new[outlet.value] for outlet in self._graph.outputs)
        )
        return outputs, replace(self._state, frame=self._after, tensors=tuple(self._tensors))

    def _span(self, value: int) -> tuple[int, int]:
        """The first item of a value that comes with the chunk, and the first that does not."""
        if value not in self._spans:
            fires = self._schedule.fires[value]
            self._spans[value] = emits(fires, self._before), emits(fires, self._after)
        return self._spans[value]

    def _came(self, value: int, frames: Tensor) -> None:
        self._new[value] = frames
        for number in self._lister.program.feeds_of.get(value, ()):
            self._feed(number, frames)

    def _feed(self, number: int, frames: Tensor) -> None:
        """Put what is kept of a feed before what has come, and keep the last of it."""
        feed, batch = self._schedule.feeds[number], self._state.batch_size
        first, _ = self._span(feed.value)
        if feed.depth:
            held = frames_of(self._tensors[number], self._last)
            frames = torch.cat([held, frames])
            last = frames[len(frames) - feed.depth * batch :]
            self._tensors[number] = clip_of(last.clone(), batch)
        self._reels[number] = Reel(first - feed.depth, frames, batch)

    def _keep(self, index: int) -> None:
        """Make what is kept of the items that have come to a node."""
        node, module = self._graph.nodes[index], self._modules[index]
        for number in self._schedule.reads[index]:
            if self._schedule.feeds[number].through == index:
                source = node.edges[0].source
                frames = self._new[source]
                made = self._lister.keeping.get(index)
                if made and len(frames):
                    frames = made(frames)
                elif len(frames):
                    frames = kept(module, node.recipe, frames.unsqueeze(2)).squeeze(2)
                else:
                    frame = self._schedule.feeds[number].frame
                    frames = frames.new_empty((0, frame.channels, *frame.space))
                self._feed(number, frames)

    def _compute(self, index: int) -> None:
        value = self._graph.base + index
        first, stop = self._span(value)
        unit = self._lister.units.get(index)
        node = self._graph.nodes[index]
        if first == stop:
            frames = self._state.tensors[0].new_empty((0, node.frame.channels, *node.frame.space))
            self._came(value, frames.to(self._state.dtype))
        elif unit is not None:
            self._came(value, self._of_unit(unit, first, stop - first))
        elif passes(node, self._modules[index]):
            self._came(value, self._item(index, 0, first, stop - first))
        else:
            self._came(value, self._as_is(index, first, stop))

    def _item(self, index: int, edge: int, first: int, count: int) -> Tensor:
        """The newest item that each of some outputs reads by an edge."""
        reach = self._graph.nodes[index].edges[edge].reach
        start = reads(reach, first, first)[1]
        step = reads(reach, first + 1, first + 1)[1] - start
        return self._reels[self._schedule.reads[index][edge]].taken(start, count, step)

    def _of_unit(self, unit: Unit, first: int, count: int) -> Tensor:
        head = unit.nodes[0]
        node = self._graph.nodes[head]
        if isinstance(unit.run, Attending):
            return self._attending(unit.run, head, first, count)
        items: list[Tensor] = []
        if isinstance(node.recipe, Windowed):
            reach = node.edges[0].reach
            oldest, newest = reads(reach, first, first)
            step = reads(reach, first + 1, first + 1)[0] - oldest
            reel = self._reels[self._schedule.reads[head][0]]
            if unit.along:
                last = reads(reach, first + count - 1, first + count - 1)[1]
                seen = reel.taken(oldest, last - oldest + 1, 1)
                return self._joined(unit, [clip_of(seen, reel.batch)], first, count)
            taps = range(oldest, newest + 1, node.recipe.over.dilation)
            items += [reel.taken(tap, count, step) for tap in taps]
        else:
            items += [self._item(head, edge, first, count) for edge in range(len(node.edges))]
        return self._joined(unit, items, first, count)

    def _joined(self, unit: Unit, items: list[Tensor], first: int, count: int) -> Tensor:
        """What a unit makes of what its first node reads, and of the other side of a join."""
        if unit.joined >= 0:
            items.append(self._item(unit.joined, unit.other, first, count))
        made: Tensor = unit.run(*items)
        return made

    def _attending(self, run: Attending, index: int, first: int, count: int) -> Tensor:
        kept, own = (self._reels[number] for number in self._schedule.reads[index])
        (edge,) = self._graph.nodes[index].edges
        oldest, newest = reads(edge.reach, first, first + count - 1)
        window = kept.taken(oldest, newest - oldest + 1, 1)
        return run.outputs(window, own.taken(first, count, 1), self._state.batch_size)

    def _as_is(self, index: int, first: int, stop: int) -> Tensor:
        """A node as the network itself computes it."""
        node, numbers = self._graph.nodes[index], self._schedule.reads[index]
        sources = [self._schedule.feeds[number].value for number in numbers]
        tapes = [self._reels[number].tape() for number in numbers]
        place = self._lister.program.memory_of.get(index, slice(0))
        memory = self._tensors[place]
        work = Work(node, self._modules[index], tapes, sources, memory, first, stop)
        y, self._tensors[place] = work.done()
        return frames_of(y, self._last)
