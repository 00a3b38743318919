"""When each node of a stream fires, and which past items are kept for it.

A node fires once all its inputs have come. Inputs that are early are held, and what is kept of a
value serves all its readers: windows and holds over the same items share one feed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, backlog, postponed, spare
from codsl.graph.node import Edge, Node
from codsl.layers.recipe import Memory, kept_frame, memory_of, takes_items

Key = tuple[int, int | None]

FLOAT32 = 4
"""Bytes of a number, as state is counted."""
WIDTHS = {"float64": 8, "int64": 8}
"""Bytes of a number of carried tensors that have a dtype of their own."""


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
    that are computed (and behind it that of the items themselves, where a node reads what is kept
    of them too), `memory` what each node carries on."""

    fires: tuple[Time, ...]
    feeds: tuple[Feed, ...]
    reads: tuple[tuple[int, ...], ...]
    memory: tuple[tuple[Memory, ...], ...]

    def bytes_of(self, node: int) -> int:
        """Bytes of state that a node needs, in float32, and that none before it needs as well."""
        mine = (self.feeds[feed] for feed in set(self.reads[node]))
        kept = FLOAT32 * sum(feed.size for feed in mine if feed.owner == node)
        return kept + sum(map(bytes_of, self.memory[node]))


def bytes_of(memory: Memory) -> int:
    """Bytes of a carried tensor, in float32 where it has no dtype of its own."""
    return prod(memory.shape) * WIDTHS.get(memory.dtype or "", FLOAT32)


def align(
    nodes: tuple[Node, ...],
    times: tuple[Time, ...],
    frames: tuple[Frame, ...],
    outputs: Sequence[int],
    live: frozenset[int],
) -> Schedule:
    """The schedule with the least state: a hold is put before or after nodes that lead to it."""
    plan = _Plan(nodes, list(times), frames, len(times) - len(nodes))
    computed = [(index, nodes[index]) for index in sorted(live)]
    plan.readers.update(edge.source for _, node in computed for edge in node.edges)
    plan.readers.update(outputs)
    for index, node in computed:
        if len(node.edges) == 1:
            plan.keep(index)
    for index, node in computed:
        if len(node.edges) > 1:
            for edge in node.edges:
                plan.place(edge, plan.fires[plan.base + index])
            plan.keep(index)
    return plan.schedule(live)


class _Plan:
    """What is kept while the schedule is made; `base` is the value that the first node gives."""

    def __init__(
        self, nodes: tuple[Node, ...], fires: list[Time], frames: tuple[Frame, ...], base: int
    ) -> None:
        self.nodes = nodes
        self.fires = fires
        self.frames = frames
        self.base = base
        self.kept: dict[Key, int] = {}
        self.readers: Counter[int] = Counter()

    def _taken(self, index: int) -> list[tuple[Key, Time]]:
        """What a node reads, and how it sits over it: its edges, and where it makes something
        smaller of each item and takes the outputs' own too, these."""
        node = self.nodes[index]
        through = None if kept_frame(node.recipe) is None else index
        taken: list[tuple[Key, Time]] = [
            ((edge.source, through), edge.reach) for edge in node.edges
        ]
        if takes_items(node.recipe):
            taken.append(((node.edges[0].source, None), IDENTITY))
        return taken

    def keep(self, index: int) -> None:
        """Note what a node needs to be kept of its inputs."""
        for key, reach in self._taken(index):
            depth = backlog(self.fires[key[0]], reach, self.fires[self.base + index])
            self.kept[key] = max(self.kept.get(key, 0), depth)

    def place(self, edge: Edge, reader: Time) -> None:
        """Where an item waits for the reader, let it wait there, or come later: then one of the
        nodes that lead to it reads something later, and those behind that node fire later."""
        late = spare(self.fires[edge.source], edge.reach, reader)
        if not late:
            return
        best, chosen = self._cost(edge, self.fires[edge.source], reader), 0
        rest = self._cost(edge, postponed(self.fires[edge.source], late), reader)
        chain: list[int] = []
        value = edge.source
        while value >= self.base and self._movable(value):
            chain.append(value)
            (before,) = self.nodes[value - self.base].edges
            later = postponed(self.fires[value], late)
            cost = rest + self._cost(before, self.fires[before.source], later)
            if cost < best:
                best, chosen = cost, len(chain)
            value = before.source
        for moved in chain[:chosen]:
            self.fires[moved] = postponed(self.fires[moved], late)
            self.keep(moved - self.base)

    def _cost(self, edge: Edge, source: Time, reader: Time) -> int:
        """Numbers of state that an edge adds, from when the source speaks to when it is read."""
        depth = backlog(source, edge.reach, reader)
        kept = self.kept.get((edge.source, None), 0)
        return max(0, depth - kept) * self.frames[edge.source].size

    def _movable(self, value: int) -> bool:
        node = self.nodes[value - self.base]
        alone = len(node.edges) == 1 and self.readers[value] == 1
        return alone and kept_frame(node.recipe) is None

    def schedule(self, live: frozenset[int]) -> Schedule:
        """The schedule of these firing times, with its feeds in the order of their owners."""
        self.kept = {}
        owners: dict[Key, int] = {}
        for index in sorted(live):
            keys = [key for key, _ in self._taken(index)]
            before = {key: self.kept.get(key, -1) for key in keys}
            self.keep(index)
            owners |= {key: index for key, depth in before.items() if self.kept[key] > depth}
        numbers = {key: number for number, key in enumerate(self.kept)}
        feeds = tuple(
            Feed(*key, depth, self._frame(*key), owners[key]) for key, depth in self.kept.items()
        )
        reads = tuple(
            tuple(numbers[key] for key, _ in self._taken(index)) if index in live else ()
            for index in range(len(self.nodes))
        )
        memory = tuple(
            memory_of(node.recipe) if index in live else () for index, node in enumerate(self.nodes)
        )
        return Schedule(tuple(self.fires), feeds, reads, memory)

    def _frame(self, value: int, through: int | None) -> Frame:
        made = None if through is None else kept_frame(self.nodes[through].recipe)
        return made or self.frames[value]
