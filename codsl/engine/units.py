"""Which nodes of a graph are computed together, and by which kernel."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from codsl.algebra.time import IDENTITY
from codsl.engine.attending import Attending, attends, keys_and_values
from codsl.engine.bare import bare
from codsl.engine.folding import Scale
from codsl.engine.kernels import (
    After,
    carried_of,
    convolves,
    kept_of,
    kernel_of,
    multiplies,
    passes,
    takes_clips,
)
from codsl.engine.listing import Run
from codsl.engine.numbers import over
from codsl.engine.style import Style
from codsl.layers.recipe import Attended
from codsl.nn.running.program import Program


@dataclass(frozen=True, eq=False)
class Unit:
    """Nodes that are computed at once: the first reads items, the last gives the value.

    `run` takes the items that the first reads, the oldest first, or with `along` those that all
    outputs see as one clip, and then, where there is a join
    among the nodes, `joined`, the other item that this one takes, by its edge `other`.
    """

    nodes: tuple[int, ...]
    run: Run
    joined: int = -1
    other: int = -1
    along: bool = False

    @property
    def last(self) -> int:
        """The node that gives the value."""
        return self.nodes[-1]


def units_of(program: Program, like: Tensor, style: Style) -> Mapping[int, Unit]:
    """The units by their last nodes; nodes that have no kernel are in none.

    `like` has the dtype and the device of the stream.
    """
    return _Fusing(program, like, style).units()


def keeping_of(program: Program, like: Tensor, style: Style) -> Mapping[int, Run]:
    """What makes of an item what a node keeps of it, by nodes; those that only know the plain way
    have none."""
    graph, found = program.graph, {}
    for index in program.kept_of:
        node, module = graph.nodes[index], program.modules[index]
        recipe = node.recipe
        run = kept_of(recipe, graph.frames[node.edges[0].source])
        if isinstance(recipe, Attended) and attends(recipe, module):
            run = keys_and_values(recipe, module, like, style)
        if run and bare(module):
            found[index] = run
    return found


def carrying_of(program: Program, like: Tensor, style: Style) -> Mapping[int, Run]:
    """What makes of an item, and of what a node carries, its output and what it carries on, by
    nodes; those that only know the plain way have none."""
    graph, found = program.graph, {}
    for index in program.memory_of:
        node, module = graph.nodes[index], program.modules[index]
        run = carried_of(node.recipe, module, node.frame, like, style)
        if run and bare(module):
            found[index] = run
    return found


class _Fusing:
    def __init__(self, program: Program, like: Tensor, style: Style) -> None:
        self._program = program
        self._graph = program.graph
        self._like = like
        self._style = style
        self._given_out = {outlet.value for outlet in self._graph.outputs}
        self._readers: dict[int, list[tuple[int, int]]] = {}
        for index in sorted(self._graph.live):
            for place, edge in enumerate(self._graph.nodes[index].edges):
                self._readers.setdefault(edge.source, []).append((index, place))

    def units(self) -> dict[int, Unit]:
        found: dict[int, Unit] = {}
        taken: set[int] = set()
        for index in sorted(self._graph.live):
            if index in taken or self._bursts(index):
                continue
            unit = self._from(index, taken)
            if unit is not None:
                found[unit.last] = unit
                taken |= set(unit.nodes)
        return found

    def _bursts(self, index: int) -> bool:
        """Whether a node may give or read several items at once."""
        fires = self._graph.schedule.fires
        node = self._graph.nodes[index]
        values = (self._graph.base + index, *(edge.source for edge in node.edges))
        return any(fires[value].bursts for value in values)

    def _from(self, head: int, taken: set[int]) -> Unit | None:
        """The unit that begins with a node; None where that has no kernel."""
        nodes, modules = self._graph.nodes, self._program.modules
        if not bare(modules[head]):
            return None
        recipe = nodes[head].recipe
        if isinstance(recipe, Attended) and attends(recipe, modules[head]):
            return Unit((head,), Attending(recipe, modules[head], self._like, self._style))
        inside, activation = [head], None
        joined = other = -1
        norm, _ = self._only_reader(inside)
        scale = None if norm is None else self._scale(head, norm)
        inside += [] if norm is None or scale is None else [norm]
        join, place = self._only_reader(inside)
        if join is not None and join not in taken and self._adds(head, join):
            inside.append(join)
            joined, other = join, 1 - place
        act, _ = self._only_reader(inside)
        if act is not None and bare(modules[act]):
            activation = over(nodes[act], modules[act], self._style.fresh)
            inside += [act] if activation else []
        self._only_reader(inside)
        after = After(joined >= 0, activation)
        frames = [self._graph.frames[edge.source] for edge in nodes[head].edges]
        run = kernel_of(nodes[head], modules[head], frames, scale, after, self._like, self._style)
        clips = takes_clips(nodes[head], self._like, self._style)
        return run and Unit(tuple(inside), run, joined, other, clips)

    def _only_reader(self, inside: list[int]) -> tuple[int | None, int]:
        """The node that alone reads what the last of these nodes gives, at once and as it is, and
        by which edge. Nodes on the way that change nothing are put with them."""
        value = self._graph.base + inside[-1]
        readers = self._readers.get(value, [])
        if len(readers) != 1 or value in self._given_out:
            return None, -1
        ((reader, place),) = readers
        numbers = self._graph.schedule.reads[reader]
        feeds = [self._graph.schedule.feeds[number] for number in numbers]
        edge = self._graph.nodes[reader].edges[place]
        kept = feeds[place].depth or any(feed.through is not None for feed in feeds)
        if kept or edge.reach != IDENTITY or self._bursts(reader):
            return None, -1
        if passes(self._graph.nodes[reader], self._program.modules[reader]):
            inside.append(reader)
            return self._only_reader(inside)
        return reader, place

    def _scale(self, head: int, norm: int) -> Scale | None:
        """What can be folded into the weights of a node, of the next; None where nothing can."""
        module = self._program.modules[norm]
        folds = convolves(self._graph.nodes[head].recipe) and bare(module)
        return Scale.at(self._graph.nodes[norm], module) if folds else None

    def _adds(self, head: int, join: int) -> bool:
        """Whether a node can add to what it gives what stands at the other side of a join."""
        node = self._graph.nodes[join]
        recipe = node.recipe
        call = getattr(recipe, "call", None)
        if len(node.edges) != 2 or call is None or call.function != "join_sum":
            return False
        if not bare(self._program.modules[join]):
            return False
        alike = all(self._graph.frames[edge.source] == node.frame for edge in node.edges)
        head_of = self._graph.nodes[head].recipe
        apart = node.edges[0].source != node.edges[1].source
        return alike and apart and (convolves(head_of) or multiplies(head_of))
