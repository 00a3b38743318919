"""How a stream goes on by a listing for each frame of its turn."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Lock

import torch
from torch import Tensor

from codsl.engine.backends.backend import Backend
from codsl.engine.backends.memory import Kept, Needs, Step
from codsl.engine.lister import Lister
from codsl.engine.style import Style
from codsl.graph.align import Feed
from codsl.nn.running.program import Program, Values
from codsl.nn.running.state import State
from codsl.nn.running.ways import dtype_of

MAKING = Lock()
"""Held while a step is made: torch traces one at a time in a process."""


class Plan:
    """How one stream of a program goes on from `graph.cycle.start`, a frame at a time, by a lister
    of the same program or of one with wider frames."""

    def __init__(
        self,
        lister: Lister,
        program: Program,
        state: State,
        style: Style,
        backend: Backend,
        precision: torch.dtype | None = None,
    ) -> None:
        self._lister = lister
        self._precision = precision
        self._casts = precision is not None and not backend.own_precision
        self._names, self._graph = program.names, program.graph
        self.like = replace(state, tensors=(), others=())
        (inlet, *more) = self._graph.inputs
        shape = (state.batch_size, *inlet.frame.shape)
        self._shape = None if more or inlet.name else torch.Size(shape)
        self._wide = [feed.frame for feed in lister.program.graph.schedule.feeds]
        self._memory = backend.memory(self._needs(style))
        self._turn: dict[int, Step] = {}
        self._frame = state.frame
        times = self._graph.times
        self._bursts = [times[outlet.value].bursts for outlet in self._graph.outputs]

    def _needs(self, style: Style) -> Needs:
        """What is kept."""
        batch, dtype = self.like.batch_size, self._kind(self.like.dtype)
        schedule = self._graph.schedule
        feeds = [
            Kept(
                (batch, *frame.shape),
                feed.depth,
                feed.value < self._graph.base and feed.through is None,
                number in self._lister.rings,
            )
            for number, (feed, frame) in enumerate(zip(schedule.feeds, self._wide, strict=True))
        ]
        carried = [
            ((batch, *each.shape), self._kind(dtype_of(each, self.like.dtype)))
            for memory in schedule.memory
            for each in memory
        ]
        return Needs(tuple(feeds), tuple(carried), dtype, self._precision, style.last)

    def takes(self, frame: Tensor) -> bool:
        """Whether a frame is as those of the only input, at a glance."""
        alike = frame.shape == self._shape and frame.dtype == self.like.dtype
        return alike and frame.device == self.like.device

    def fits(self, state: State) -> bool:
        """Whether a state is of streams like this one."""
        here = self.like
        found = (state.batch_size, state.dtype, state.device)
        return found == (here.batch_size, here.dtype, here.device)

    def load(self, state: State) -> None:
        """Go on from a state, which is copied."""
        self._frame = state.frame
        kept = zip(self._wide, state.tensors, strict=False)
        items = [
            self._cast(_with_channels(tensor, frame.channels)).unbind(2) for frame, tensor in kept
        ]
        carried = [self._cast(each) for each in state.tensors[len(self._wide) :]]
        self._memory.load(items, carried)

    def _kind(self, dtype: torch.dtype) -> torch.dtype:
        """The dtype that the plan has for one of the stream."""
        casts = self._casts and dtype == self.like.dtype
        return self._precision if casts and self._precision else dtype

    def _cast(self, x: Tensor) -> Tensor:
        """Numbers of the stream in the precision of the plan."""
        return x.to(self._kind(x.dtype)) if self._casts else x

    def _back(self, x: Tensor) -> Tensor:
        """Numbers in the precision of the plan in that of the stream."""
        return x.to(self.like.dtype) if self._casts and x.dtype == self._precision else x

    @property
    def held(self) -> int:
        """Bytes of the items and tensors that are kept, without what a form of the backend adds."""
        tensors = [*(x for items in self._items() for x in items), *self._memory.carried()]
        return sum(each.numel() * each.element_size() for each in tensors)

    def dump(self) -> State:
        """The state of the stream, in memory of its own."""
        here = self.like
        feeds = self._graph.schedule.feeds
        kept = (self._whole(*each) for each in zip(self._items(), feeds, strict=True))
        return State(
            self._frame,
            here.batch_size,
            here.dtype,
            here.device,
            (*kept, *(self._back(each).clone() for each in self._memory.carried())),
            self._names,
            network=self._graph.fingerprint,
        )

    def _items(self) -> Iterator[list[Tensor]]:
        """The items of each feed."""
        feeds = self._graph.schedule.feeds
        for items, feed in zip(self._memory.items(), feeds, strict=True):
            yield [item[:, : feed.frame.channels] for item in items]

    def _whole(self, items: list[Tensor], feed: Feed) -> Tensor:
        """What is kept of a feed, `(B, C, depth, *S)`."""
        if items:
            return torch.stack([self._back(item) for item in items], 2).contiguous()
        here, frame = self.like, feed.frame
        shape = (here.batch_size, frame.channels, 0, *frame.space)
        return torch.zeros(shape, dtype=here.dtype, device=here.device)

    def clips(self, xs: list[Tensor]) -> Values:
        """The outputs that are due with frames `(B, C, *S)`, as clips `(B, C, T, *S)`."""
        ys = zip(self.step(xs), self._bursts, strict=True)
        return tuple(y if y is None or bursts else y.unsqueeze(2) for y, bursts in ys)

    def step(self, xs: list[Tensor]) -> Values:
        """The outputs that are due with frames `(B, C, *S)`: one, or of an output of which a frame
        may bring several a clip."""
        cycle = self._graph.cycle
        phase = (self._frame - cycle.start) % cycle.turn
        if self._casts:
            xs = [self._cast(x) for x in xs]
        step = self._turn.get(phase)
        if step is None:
            listing = self._lister.listing(cycle.start + phase, clips=True)
            with MAKING:
                step = self._turn[phase] = self._memory.step(listing, xs)
        ys = step(xs)
        self._frame += 1
        return tuple(y if y is None else self._back(y) for y in ys) if self._casts else ys


def _with_channels(x: Tensor, channels: int) -> Tensor:
    """A tensor `(B, C, ...)` with zeros behind its channels, up to so many."""
    more = channels - x.shape[1]
    return torch.cat([x, x.new_zeros(x.shape[0], more, *x.shape[2:])], 1) if more else x
