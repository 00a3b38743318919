"""What goes into a step that is exported and what comes out of it, by name."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import torch

from codsl.export.turn import Turn
from codsl.nn.running.ways import dtype_of

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Port:
    """What a network is given or gives in a block, `(B, *shape)`, with time second in `shape`.

    `valid` names the flags of an output, `(B, T)`: which of its items a row has.
    """

    name: str
    shape: Shape
    valid: str = ""


@dataclass(frozen=True)
class Ring:
    """The last `depth` items of a value, `(B, *shape)` each.

    A step reads those of `taps`, each so many `back` from the next to come, and gives those of
    `new`, the oldest first: the first so many that `comes` has for the phase are items.
    """

    name: str
    depth: int
    shape: Shape
    taps: tuple[tuple[str, int], ...]
    new: tuple[str, ...]
    comes: tuple[int, ...]


@dataclass(frozen=True)
class Carry:
    """A tensor, `(B, *shape)`, that a step reads as `old` and gives as `new`."""

    name: str
    shape: Shape
    dtype: str
    old: str
    new: str


@dataclass(frozen=True)
class Layout:
    """All of a step of `frames` frames: everything goes in and comes out in this order.

    `had` names how many frames each row has had before, `(B,)`, int64. Calls of several `phases`
    are different, one after another, and `phase` names which it is, `()`, int64; rows begin at
    phase 0.
    """

    frames: int
    phases: int
    dtype: str
    inputs: tuple[Port, ...]
    phase: str | None
    had: str
    rings: tuple[Ring, ...]
    carried: tuple[Carry, ...]
    outputs: tuple[Port, ...]

    @property
    def given(self) -> tuple[str, ...]:
        """The names of what goes in."""
        taps = (name for ring in self.rings for name, _ in ring.taps)
        olds = (each.old for each in self.carried)
        phase = (self.phase,) if self.phase else ()
        return (*(port.name for port in self.inputs), *phase, self.had, *taps, *olds)

    @property
    def made(self) -> tuple[str, ...]:
        """The names of what comes out."""
        names = chain((port.name for port in self.outputs), (port.valid for port in self.outputs))
        new = (name for ring in self.rings for name in ring.new)
        return (*names, *new, *(each.new for each in self.carried))

    def zeros(self, batch: int) -> list[torch.Tensor]:
        """What goes in, all zeros: the first block of a stream is given such a state."""
        kind = getattr(torch, self.dtype)
        tensors = [torch.zeros(batch, *port.shape, dtype=kind) for port in self.inputs]
        tensors += [torch.zeros((), dtype=torch.int64)] if self.phase else []
        tensors.append(torch.zeros(batch, dtype=torch.int64))
        tensors += [
            torch.zeros(batch, *ring.shape, dtype=kind) for ring in self.rings for _ in ring.taps
        ]
        tensors += [
            torch.zeros(batch, *each.shape, dtype=getattr(torch, each.dtype))
            for each in self.carried
        ]
        return tensors

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def layout_of(turn: Turn) -> Layout:
    """The layout that the calls of a turn have in common."""
    return _Naming(turn).layout()


class _Naming:
    """Names that are all different: those of the spec as they are, others around them."""

    def __init__(self, turn: Turn) -> None:
        self._turn, self._graph = turn, turn.program.graph
        self._taken: set[str] = set()
        self._names = [name.replace(":", ".") for name in turn.program.names]

    def layout(self) -> Layout:
        inputs = tuple(
            Port(self._own(inlet.name or "input"), _clip(inlet.frame.shape, self._turn.frames))
            for inlet in self._graph.inputs
        )
        outputs = tuple(self._outputs())
        phases = len(self._turn.calls)
        phase = self._own("phase") if phases > 1 else None
        had = self._own("had")
        rings = tuple(self._rings())
        return Layout(
            self._turn.frames,
            phases,
            _name(self._turn.dtype),
            inputs,
            phase,
            had,
            rings,
            tuple(self._carried()),
            outputs,
        )

    def _own(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def _outputs(self) -> Iterator[Port]:
        outlets = self._graph.outputs
        names = [self._own(outlet.name or "output") for outlet in outlets]
        for outlet, name, items in zip(outlets, names, self._turn.outputs, strict=True):
            shape = _clip(self._graph.frames[outlet.value].shape, items)
            yield Port(name, shape, self._own(f"valid.{name}" if len(names) > 1 else "valid"))

    def _rings(self) -> Iterator[Ring]:
        feeds = self._graph.schedule.feeds
        for number, (feed, name) in enumerate(zip(feeds, self._names, strict=False)):
            if not feed.depth:
                continue
            backs = [load.back for load in self._turn.loads if load.feed == number]
            taps = tuple((self._own(f"state.{name}.{back}"), back) for back in backs)
            comes = self._turn.stores[number]
            new = tuple(self._own(f"new.{name}.{item}") for item in range(max(comes)))
            yield Ring(name, feed.depth, feed.frame.shape, taps, new, comes)

    def _carried(self) -> Iterator[Carry]:
        names = self._names[len(self._graph.schedule.feeds) :]
        memory = chain.from_iterable(self._graph.schedule.memory)
        for name, each in zip(names, memory, strict=True):
            kind = _name(dtype_of(each, self._turn.dtype))
            old, new = self._own(f"state.{name}"), self._own(f"new.{name}")
            yield Carry(name, each.shape, kind, old, new)


def _clip(shape: Shape, items: int) -> Shape:
    """So many frames of a shape, time second."""
    channels, *space = shape
    return (channels, items, *space)


def _name(dtype: torch.dtype) -> str:
    """A dtype as NumPy calls it too."""
    return str(dtype).removeprefix("torch.")
