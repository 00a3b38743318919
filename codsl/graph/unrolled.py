"""A short stream item by item: when each comes, and which items it is made of."""

from dataclasses import dataclass
from math import isinf

from codsl.algebra.time import length, reads
from codsl.graph.graph import Graph


@dataclass(frozen=True)
class Item:
    """Item `index` of a value: it belongs to frame `own`, and a stream computes it at frame `due`,
    from the items `made_of`, each the number of a value and an index."""

    index: int
    own: int
    due: int
    made_of: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Stream:
    """All items of a value that a clip has."""

    name: str
    items: tuple[Item, ...]


def unrolled(graph: Graph, frames: int) -> tuple[Stream, ...]:
    """What happens in a stream of so many frames and at its end, value by value, the inputs first.

    Items of padding are left out. Raises `ValueError` for a network that upsamples, or that
    remembers all frames: what its items are made of cannot be listed.
    """
    given = tuple(Item(frame, frame, frame) for frame in range(frames))
    found = [Stream(each.name or "input", given) for each in graph.inputs]
    for number, node in enumerate(graph.nodes):
        value = graph.base + number
        time, fires = graph.times[value], graph.schedule.fires[value]
        if not time.steady or isinf(time.past):
            raise ValueError(f"`{node.path}` is not made of a fixed number of items")
        items = []
        for index in range(length(time, frames)):
            made_of = [
                (edge.source, item)
                for edge in node.edges
                for item in _taps(edge.reach.spacing, *reads(edge.reach, index, index))
                if 0 <= item < len(found[edge.source].items)
            ]
            due = fires.output(index).due
            items.append(Item(index, due - fires.delay, due, tuple(made_of)))
        found.append(Stream(node.path, tuple(items)))
    return tuple(found)


def _taps(spacing: int, oldest: int, newest: int) -> range:
    return range(oldest, newest + 1, spacing)
