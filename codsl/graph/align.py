"""When each node of a stream fires, and which past items are kept for it.

A node fires once all its inputs have come. Inputs that are early are held, and what is kept of a
value serves all its readers: windows and holds over the same items share one feed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from codsl.algebra.shape import Frame
from codsl.algebra.time import Time, backlog, hold, postponed
from codsl.graph.node import Node
from codsl.layers.recipe import Windowed

Key = tuple[int, int | None]

FLOAT32 = 4
"""Bytes of a number, as state is counted."""


@dataclass(frozen=True)
class Feed:
    """The items of a value, of which `depth` are kept between two frames.

    `through` is the node whose recipe makes something smaller of each item before it is kept,
    `owner` the first node that needs them all.
    """

    value: int
    through: int | None
    depth: int
    frame: Frame
    owner: int

    @property
    def size(self) -> int:
        """How many numbers of state it is."""
        return self.depth * self.frame.size


@dataclass(frozen=True)
class Schedule:
    """`fires` is when each value speaks in a stream, `reads` the feed of each edge of the nodes
    that are computed."""

    fires: tuple[Time, ...]
    feeds: tuple[Feed, ...]
    reads: tuple[tuple[int, ...], ...]

    def bytes_of(self, node: int) -> int:
        """Bytes of state that a node needs, in float32, and that none before it needs as well."""
        mine = (self.feeds[feed] for feed in set(self.reads[node]))
        return FLOAT32 * sum(feed.size for feed in mine if feed.owner == node)


def align(
    nodes: tuple[Node, ...],
    times: tuple[Time, ...],
    frames: tuple[Frame, ...],
    output: int,
    live: frozenset[int],
) -> Schedule:
    """The schedule with the least state: a hold is put before or after nodes that lead to it."""
    fires = list(times)
    kept: dict[Key, int] = {}
    computed = [(index, nodes[index]) for index in sorted(live)]
    readers = Counter(edge.source for _, node in computed for edge in node.edges)
    readers[output] += 1
    for index, node in computed:
        if len(node.edges) == 1:
            _keep(kept, index, node, fires)
    for index, node in computed:
        if len(node.edges) > 1:
            for edge in node.edges:
                late = hold(fires[edge.source], edge.reach, fires[index + 1])
                if late:
                    _place(edge.source, late, nodes, fires, frames, kept, readers)
            _keep(kept, index, node, fires)
    return _schedule(nodes, tuple(fires), frames, live)


def _key(index: int, node: Node, source: int) -> Key:
    through = isinstance(node.recipe, Windowed) and node.recipe.frame is not None
    return source, index if through else None


def _keep(kept: dict[Key, int], index: int, node: Node, fires: Sequence[Time]) -> None:
    for edge in node.edges:
        key = _key(index, node, edge.source)
        depth = backlog(fires[edge.source], edge.reach, fires[index + 1])
        kept[key] = max(kept.get(key, 0), depth)


def _place(
    value: int,
    late: int,
    nodes: tuple[Node, ...],
    fires: list[Time],
    frames: tuple[Frame, ...],
    kept: dict[Key, int],
    readers: Counter[int],
) -> None:
    """Put a hold of `late` frames on `value`, or before some of the nodes that lead to it alone."""
    here = -(-late // fires[value].stride)
    best = max(0, here - kept.get((value, None), 0)) * frames[value].size
    chain: list[int] = []
    chosen = 0
    while value and _movable(nodes[value - 1], readers[value]):
        chain.append(value)
        edge = nodes[value - 1].edges[0]
        source = edge.source
        depth = backlog(fires[source], edge.reach, postponed(fires[value], late))
        cost = max(0, depth - kept.get((source, None), 0)) * frames[source].size
        if cost < best:
            best, chosen = cost, len(chain)
        value = source
    for moved in chain[:chosen]:
        fires[moved] = postponed(fires[moved], late)
        _keep(kept, moved - 1, nodes[moved - 1], fires)


def _movable(node: Node, readers: int) -> bool:
    if len(node.edges) > 1 or readers > 1:
        return False
    return not (isinstance(node.recipe, Windowed) and node.recipe.frame is not None)


def _schedule(
    nodes: tuple[Node, ...],
    fires: tuple[Time, ...],
    frames: tuple[Frame, ...],
    live: frozenset[int],
) -> Schedule:
    depths: dict[Key, int] = {}
    owners: dict[Key, int] = {}
    for index in sorted(live):
        node = nodes[index]
        before = dict.fromkeys((_key(index, node, edge.source) for edge in node.edges), -1)
        before |= {key: depths[key] for key in before if key in depths}
        _keep(depths, index, node, fires)
        owners |= {key: index for key, depth in before.items() if depths[key] > depth}
    numbers = {key: number for number, key in enumerate(depths)}
    feeds = tuple(
        Feed(value, through, depth, frames[value if through is None else through + 1], owner)
        for ((value, through), depth), owner in zip(depths.items(), owners.values(), strict=True)
    )
    reads = tuple(
        tuple(numbers[_key(index, node, edge.source)] for edge in node.edges if index in live)
        for index, node in enumerate(nodes)
    )
    return Schedule(fires, feeds, reads)
