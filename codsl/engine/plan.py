"""How a stream goes on by a listing for each frame of its turn, and the past items it keeps."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from codsl.algebra.shape import Frame
from codsl.engine.backends.backend import Backend
from codsl.engine.backends.form import Form
from codsl.engine.lister import Lister
from codsl.engine.listing import Listing, Straight
from codsl.engine.ring import Ring
from codsl.engine.style import Style
from codsl.graph.align import Feed
from codsl.nn.running.program import Program, Values
from codsl.nn.running.state import State

Shelf = deque[Any]
"""The last items of a value, the oldest first; one that comes takes the place of the oldest."""


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
        self._backend, self._form = backend, backend.form
        self._precision = precision
        self._casts = precision is not None and not backend.own_precision
        self._names, self._graph = program.names, program.graph
        self._style = style
        self.like = replace(state, tensors=(), others=())
        (inlet, *more) = self._graph.inputs
        shape = (state.batch_size, *inlet.frame.shape)
        self._shape = None if more or inlet.name else torch.Size(shape)
        feeds = self._graph.schedule.feeds
        self._shelves = [Shelf(maxlen=feed.depth) for feed in feeds]
        self._wide = [feed.frame for feed in lister.program.graph.schedule.feeds]
        self._forms = [self._form_of(*each) for each in zip(feeds, self._wide, strict=True)]
        self._rings = {number: Ring(feeds[number].depth) for number in lister.rings}
        self._kept = [self._rings.get(number, shelf) for number, shelf in enumerate(self._shelves)]
        self._turn: dict[int, _Step] = {}
        self._frame = state.frame
        self._carried: list[Any] = []

    def _form_of(self, feed: Feed, frame: Frame) -> Form:
        """How the items of a feed are kept; those of an input as they come."""
        if feed.value < self._graph.base and feed.through is None:
            return self._form
        shape = (self.like.batch_size, *frame.shape)
        return self._backend.form_of(shape, self.like.dtype)

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
        kept = zip(self._kept, self._forms, self._wide, state.tensors, strict=False)
        for shelf, form, frame, tensor in kept:
            wide = _with_channels(tensor, frame.channels)
            shelf.extend(form.native(self._laid(item)) for item in wide.unbind(2))
        carried = map(self._cast, state.tensors[len(self._shelves) :])
        self._carried = [self._form.native(each) for each in carried]

    def _laid(self, item: Tensor) -> Tensor:
        """An item in memory of its own, as kernels like it."""
        last = self._style.last and item.dim() == 4
        layout = torch.channels_last if last else torch.contiguous_format
        return self._cast(item).clone(memory_format=layout)

    def _own(self, x: Tensor) -> Any:
        """A frame as the backend keeps it."""
        return self._form.native(self._laid(x))

    def _read(self, x: Tensor) -> Any:
        """A frame as a step of the backend reads it."""
        return self._form.frame(self._cast(x)) if self._form.frame else self._own(x)

    def _cast(self, x: Tensor) -> Tensor:
        """Numbers of the stream in the precision of the plan."""
        return x.to(self._precision) if self._casts and x.dtype == self.like.dtype else x

    def _back(self, x: Tensor) -> Tensor:
        """Numbers in the precision of the plan in that of the stream."""
        return x.to(self.like.dtype) if self._casts and x.dtype == self._precision else x

    @property
    def held(self) -> int:
        """Bytes of the items and tensors that are kept, without what a form of the backend adds."""
        tensors = [x for items in self._items() for x in items]
        tensors += map(self._form.tensor, self._carried)
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
            (*kept, *(self._back(self._form.tensor(each)).clone() for each in self._carried)),
            self._names,
            network=self._graph.fingerprint,
        )

    def _items(self) -> Iterator[list[Tensor]]:
        """The items of each feed."""
        feeds = self._graph.schedule.feeds
        for shelf, form, feed in zip(self._kept, self._forms, feeds, strict=True):
            yield [form.tensor(item)[:, : feed.frame.channels] for item in shelf]

    def _whole(self, items: list[Tensor], feed: Feed) -> Tensor:
        """What is kept of a feed, `(B, C, depth, *S)`."""
        if items:
            return torch.stack([self._back(item) for item in items], 2).contiguous()
        here, frame = self.like, feed.frame
        shape = (here.batch_size, frame.channels, 0, *frame.space)
        return torch.zeros(shape, dtype=here.dtype, device=here.device)

    def step(self, xs: list[Tensor]) -> Values:
        """The outputs that are due with frames `(B, C, *S)`."""
        cycle = self._graph.cycle
        phase = (self._frame - cycle.start) % cycle.turn
        step = self._turn.get(phase)
        if step is None:
            step = self._turn[phase] = self._prepared(cycle.start + phase, xs)
        ys = step.run(xs, self._shelves, self._rings, self._carried)
        self._frame += 1
        return tuple(y if y is None else self._back(y) for y in ys) if self._casts else ys

    def _prepared(self, frame: int, xs: list[Tensor]) -> "_Step":
        """What happens at a frame, as the backend does it."""
        listing = self._lister.listing(frame)
        if not listing.operations and not any(listing.outputs):
            return _Step(listing, listing.straight(), self._own, self._form)
        loads = (
            self._forms[each.feed].tensor(self._shelves[each.feed][-each.back])
            for each in listing.loads
        )
        frames, carried = map(self._read, xs), self._carried
        given = [*map(self._form.tensor, frames), *loads, *map(self._form.tensor, carried)]
        straight = self._backend.prepare(listing, given, self._precision, self._forms)
        return _Step(listing, straight, self._read, self._form)


def _with_channels(x: Tensor, channels: int) -> Tensor:
    """A tensor `(B, C, ...)` with zeros behind its channels, up to so many."""
    more = channels - x.shape[1]
    return torch.cat([x, x.new_zeros(x.shape[0], more, *x.shape[2:])], 1) if more else x


class _Step:
    """A listing of one frame, taken in some way, which reads from shelves and writes to them."""

    def __init__(
        self,
        listing: Listing,
        straight: Straight,
        taken: Callable[[Tensor], Any],
        form: Form,
    ) -> None:
        self._straight, self._taken = straight, taken
        self._tensor = form.tensor
        self._loads = [(load.feed, -load.back) for load in listing.loads]
        self._rings = listing.rings
        self._feeds = [feed for feed, slots in enumerate(listing.stores) if slots]
        own = {slot for each in listing.operations if each.fresh for slot in each.outputs}
        own -= set().union(*listing.stores)
        self._own = [bool(slots) and slots[0] in own for slots in listing.outputs]

    def run(
        self,
        frames: list[Tensor],
        shelves: list[Shelf],
        rings: Mapping[int, Ring],
        carried: list[Any],
    ) -> Values:
        """The outputs, in memory that nobody else has."""
        xs = map(self._taken, frames)
        loads = [shelves[feed][back] for feed, back in self._loads]
        turned = [rings[feed] for feed in self._rings]
        outputs, stores, carried[:], _ = self._straight(*xs, *loads, *turned, *carried)
        for feed in self._feeds:
            shelves[feed].extend(stores[feed])
        for ring in turned:
            ring.keep()
        ys = (self._tensor(items[0]) if items else None for items in outputs)
        return tuple(
            y if own or y is None else y.clone() for y, own in zip(ys, self._own, strict=True)
        )
