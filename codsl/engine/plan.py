"""How a stream goes on by a listing for each frame of its turn, and the past items it keeps."""

from dataclasses import replace

import torch
from torch import Tensor

from codsl.engine.backends.backend import Backend
from codsl.engine.lister import Lister
from codsl.engine.listing import Listing, Straight
from codsl.engine.style import Style
from codsl.graph.align import Feed
from codsl.nn.running.program import Values
from codsl.nn.running.state import State


class Shelf:
    """The last `depth` items of a value; one that comes takes the place of the oldest."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._items: list[Tensor] = []
        self._oldest = 0

    def fill(self, items: list[Tensor]) -> None:
        """Hold just these, the oldest first."""
        self._items = items
        self._oldest = 0

    def put(self, item: Tensor) -> None:
        """Take an item."""
        at = self._oldest
        self._items[at] = item
        self._oldest = at + 1 if at + 1 < self._depth else 0

    def back(self, back: int) -> Tensor:
        """The item that came so many before the next."""
        return self._items[self._oldest - back]

    def all(self) -> list[Tensor]:
        """All items, the oldest first."""
        return [*self._items[self._oldest :], *self._items[: self._oldest]]


class Plan:
    """How one stream of a program goes on from `graph.cycle.start`, a frame at a time."""

    def __init__(
        self,
        lister: Lister,
        state: State,
        style: Style,
        backend: Backend,
        precision: torch.dtype | None = None,
    ) -> None:
        self._lister = lister
        self._backend = backend
        self._precision = precision
        self._casts = precision is not None and not backend.own_precision
        self._program = lister.program
        self._graph = lister.program.graph
        self._style = style
        self.like = replace(state, tensors=(), others=())
        (inlet, *more) = self._graph.inputs
        shape = (state.batch_size, *inlet.frame.shape)
        self._shape = None if more or inlet.name else torch.Size(shape)
        self._shelves = [Shelf(feed.depth) for feed in self._graph.schedule.feeds]
        self._turn: dict[int, _Step] = {}
        self._frame = state.frame
        self._carried: list[Tensor] = []

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
        for shelf, tensor in zip(self._shelves, state.tensors, strict=False):
            shelf.fill([self._laid(each) for each in tensor.unbind(2)])
        self._carried = [self._cast(each) for each in state.tensors[len(self._shelves) :]]

    def _laid(self, item: Tensor) -> Tensor:
        """An item in memory of its own, as kernels like it."""
        last = self._style.last and item.dim() == 4
        layout = torch.channels_last if last else torch.contiguous_format
        return self._cast(item).clone(memory_format=layout)

    def _cast(self, x: Tensor) -> Tensor:
        """Numbers of the stream in the precision of the plan."""
        return x.to(self._precision) if self._casts and x.dtype == self.like.dtype else x

    def _back(self, x: Tensor) -> Tensor:
        """The other way."""
        return x.to(self.like.dtype) if self._casts and x.dtype == self._precision else x

    @property
    def held(self) -> int:
        """Bytes of the items and tensors that are kept."""
        kept = [item for shelf in self._shelves for item in shelf.all()]
        return sum(each.numel() * each.element_size() for each in (*kept, *self._carried))

    def dump(self) -> State:
        """The state of the stream, in memory of its own."""
        here = self.like
        feeds = self._graph.schedule.feeds
        kept = (self._whole(*each) for each in zip(self._shelves, feeds, strict=True))
        return State(
            self._frame,
            here.batch_size,
            here.dtype,
            here.device,
            (*kept, *(self._back(each).clone() for each in self._carried)),
            self._program.names,
            network=self._graph.fingerprint,
        )

    def _whole(self, shelf: Shelf, feed: Feed) -> Tensor:
        """What is kept of a feed, `(B, C, depth, *S)`."""
        items = shelf.all()
        if items:
            return self._back(torch.stack(items, 2)).contiguous()
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
        self._frame += 1
        ys = step.run([self._laid(x) for x in xs], self._shelves, self._carried)
        return tuple(y if y is None else self._back(y) for y in ys) if self._casts else ys

    def _prepared(self, frame: int, xs: list[Tensor]) -> "_Step":
        """What happens at a frame, as the backend does it."""
        listing = self._lister.listing(frame)
        loads = [self._shelves[each.feed].back(each.back) for each in listing.loads]
        given = [*map(self._laid, xs), *loads, *self._carried]
        if not listing.operations:
            return _Step(listing, listing.straight())
        return _Step(listing, self._backend.prepare(listing, given, self._precision))


class _Step:
    """A listing of one frame, which reads from shelves and writes to them."""

    def __init__(self, listing: Listing, straight: Straight) -> None:
        self._straight = straight
        self._loads = [(load.feed, load.back) for load in listing.loads]
        self._feeds = [feed for feed, slots in enumerate(listing.stores) if slots]
        own = {slot for each in listing.operations if each.fresh for slot in each.outputs}
        own -= set().union(*listing.stores)
        self._own = [bool(slots) and slots[0] in own for slots in listing.outputs]

    def run(self, xs: list[Tensor], shelves: list[Shelf], carried: list[Tensor]) -> Values:
        """The outputs, in memory that nobody else has."""
        loads = [shelves[feed].back(back) for feed, back in self._loads]
        outputs, stores, carried[:], _ = self._straight(*xs, *loads, *carried)
        for feed in self._feeds:
            for item in stores[feed]:
                shelves[feed].put(item)
        return tuple(
            None if not items else items[0] if own else items[0].clone()
            for items, own in zip(outputs, self._own, strict=True)
        )
