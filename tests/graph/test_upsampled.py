"""Schedules of graphs whose times have periods, against a simulation that looks on."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from algebra.draws import fitting, random_arms, random_nest, small
from algebra.simulation import INPUT, Crop, Nest, Stretch, frames
from codsl.algebra.extent import Window
from codsl.algebra.ports import Inlet, Outlet
from codsl.algebra.shape import Frame
from codsl.algebra.time import (
    IDENTITY,
    backlog,
    crops,
    postponed,
    remembers,
    sees,
    spare,
    steady,
    stretches,
    waits,
)
from codsl.graph.graph import Graph, times_of
from codsl.graph.node import Edge, Node
from codsl.layers.recipe import Call, Carried, Memory, Pointwise, Recipe, Windowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from codsl.algebra.time import Time

NEAREST = stretches(2, [(0, 0), (0, 0)])


def node(*edges: Edge, channels: int = 1, recipe: Recipe | None = None) -> Node:
    """A node of the graph, of which nothing matters but when and how much."""
    return Node("n", "n", edges, Frame(channels), recipe or Pointwise(), {}, 0, ())


def graph_of(nodes: list[Node], *outputs: int) -> Graph:
    """The graph of these nodes behind an input of four channels; the last value is an output."""
    values = (*outputs, len(nodes))
    outlets = tuple(Outlet(str(value), value) for value in values)
    times = times_of(tuple(nodes))
    return Graph("g", (Inlet("", Frame(4)),), None, tuple(nodes), (), outlets, None, times)


def keeping(channels: int) -> Recipe:
    """A recipe that makes something smaller of each item before it is kept."""
    call = Call("anything")
    return Windowed("Identity", {}, Window(), call, frame=call, keeps=Frame(channels))


def test_what_is_upsampled_waits_before_it_is() -> None:
    """A hold of a frame is one item before a factor of two, and two behind it."""
    slow = node(Edge(0, sees(Window(3, before=1, after=1))), channels=1)
    up_slow = node(Edge(1, NEAREST), channels=1)
    up = node(Edge(0, NEAREST), channels=4)
    joined = node(Edge(2, IDENTITY), Edge(3, IDENTITY))
    graph = graph_of([slow, up_slow, up, joined])
    assert graph.schedule.fires[3] == postponed(graph.times[3], 1)
    assert [(feed.value, feed.depth) for feed in graph.schedule.feeds if feed.depth] == [(0, 2)]
    assert [graph.schedule.bytes_of(index) for index in range(4)] == [4 * 2 * 4, 0, 0, 0]


def test_a_branch_waits_for_free_at_what_is_kept_anyway() -> None:
    slow = node(Edge(0, sees(Window(7, before=6))), channels=1)
    late = node(Edge(1, steady(delay=4)), channels=1)
    up_late = node(Edge(2, NEAREST), channels=1)
    narrow = node(Edge(0, IDENTITY), channels=1)
    up = node(Edge(4, NEAREST), channels=1)
    joined = node(Edge(3, IDENTITY), Edge(5, IDENTITY))
    graph = graph_of([slow, late, up_late, narrow, up, joined])
    kept = {feed.value: feed.depth for feed in graph.schedule.feeds if feed.depth}
    assert kept == {0: 6, 1: 4}
    assert [graph.schedule.fires[value].delay for value in (4, 5)] == [4, 4]


def test_items_that_wait_now_and_then_cannot_come_later() -> None:
    """Stride two, then factor two, beside the identity: every other item waits a frame."""
    halved = node(Edge(0, steady(2, ahead=1, delay=1)), channels=4)
    doubled = node(Edge(1, NEAREST), channels=4)
    joined = node(Edge(0, crops(0, 0)), Edge(2, IDENTITY), channels=4)
    graph = graph_of([halved, doubled, joined])
    assert graph.schedule.fires == graph.times
    assert graph.report().nodes[-1].holds == (1, 0)
    feeds = {feed.value: feed.depth for feed in graph.schedule.feeds}
    assert feeds == {0: 1, 1: 0, 2: 0}


@pytest.mark.parametrize("first", ["wide", "plain"])
def test_what_one_join_keeps_is_free_for_the_next(first: str) -> None:
    """The hold of the second costs the same at either end of its branch, but for the first's."""
    small_one = node(Edge(0, IDENTITY), channels=1)
    slow = node(Edge(1, waits(3)), channels=1)
    wide = node(Edge(0, IDENTITY), channels=8)
    one = node(Edge(3 if first == "wide" else 0, IDENTITY), Edge(2, IDENTITY), channels=8)
    same = node(Edge(0, IDENTITY), channels=4)
    two = node(Edge(5, IDENTITY), Edge(2, IDENTITY), Edge(4, IDENTITY), channels=4)
    graph = graph_of([small_one, slow, wide, one, same, two])
    kept = {feed.value: feed.depth for feed in graph.schedule.feeds if feed.depth}
    assert kept == {0: 3, 1: 3}
    assert graph.schedule.fires[5].delay == 3


def test_what_is_carried_counts_by_its_dtype() -> None:
    """A feed is counted where it is needed first, what a node carries at the node."""
    call = Call("anything")
    memory = (Memory("h", (3, 5)), Memory("sum", (2,), "float64"), Memory("n", (), "int64"))
    carrying = node(Edge(0, remembers()), recipe=Carried("Identity", {}, call, memory))
    window = node(Edge(1, sees(Window(3))), recipe=None)
    graph = graph_of([carrying, window])
    assert [graph.schedule.bytes_of(index) for index in range(2)] == [15 * 4 + 2 * 8 + 8, 2 * 4]
    assert graph.schedule.memory == (memory, ())


def test_what_nobody_needs_keeps_nothing() -> None:
    unread = node(
        Edge(0, sees(Window(9))), recipe=Carried("Identity", {}, Call("f"), (Memory("h", (3,)),))
    )
    graph = graph_of([unread, node(Edge(0, sees(Window(3))))])
    assert graph.live == {1}
    assert graph.schedule.reads[0] == graph.schedule.memory[0] == ()
    assert [feed.depth for feed in graph.schedule.feeds] == [2]
    assert graph.schedule.bytes_of(0) == 0


def test_an_output_is_never_postponed() -> None:
    """It is wanted when it is declared, also where a join behind it could have it later."""
    wide = node(Edge(0, IDENTITY), channels=8)
    slow = node(Edge(0, sees(Window(5, before=2, after=2))), channels=1)
    joined = node(Edge(1, IDENTITY), Edge(2, IDENTITY))
    assert graph_of([wide, slow, joined]).schedule.fires[1].delay == 2
    assert graph_of([wide, slow, joined], 1).schedule.fires[1].delay == 0


def laid_out(nest: Nest, draw: random.Random) -> tuple[Graph, list[Nest]]:
    """A nest as a graph, and the nest of each value; some crops stand upon the edges of joins."""
    order: list[Nest] = [INPUT]
    nodes: list[Node] = []

    def place(each: Nest) -> int:
        if any(each is other for other in order):
            return next(value for value, other in enumerate(order) if each is other)
        edges = tuple(edge(each, part) for part in each.inputs)
        recipe = None
        if isinstance(each.operation, Stretch) and draw.random() < 0.3:
            recipe = keeping(draw.randint(1, 3))
        nodes.append(node(*edges, channels=draw.randint(1, 4), recipe=recipe))
        order.append(each)
        return len(order) - 1

    def edge(reader: Nest, part: Nest) -> Edge:
        if reader.operation:
            return Edge(place(part), reader.operation.time())
        if isinstance(part.operation, Crop) and draw.random() < 0.7:
            return Edge(place(part.inputs[0]), part.operation.time())
        return Edge(place(part), IDENTITY)

    place(nest)
    more = [draw.randrange(1, len(order))] if draw.random() < 0.3 else []
    return graph_of(nodes, *more), order


def drawn(seed: int, number: int) -> Iterator[tuple[Graph, list[Nest]]]:
    """Random graphs in which branches of several rates meet."""
    draw = random.Random(seed)
    while number:
        nest = fitting(random_arms(draw, random_nest(draw, INPUT, 0, 1), 1), draw)
        if nest and small(nest.time):
            number -= 1
            yield laid_out(nest, draw)


class Onlooker:
    """A stream of a graph: which items of which value are there at each frame."""

    def __init__(self, graph: Graph, nests: list[Nest]) -> None:
        self.graph, self.nests, self.fires = graph, nests, graph.schedule.fires
        reach = max(time.shortest + int(time.receptive_field) for time in graph.times)
        late = max(time.delay + 6 * time.period for time in self.fires)
        self.clip = reach + 2 * late
        self.come = [self.frames_of(value) for value in range(len(nests))]

    def frames_of(self, value: int) -> list[int]:
        """The frame of each item of a value: the simulated one, and what it comes later."""
        late = self.fires[value].delay - self.graph.times[value].delay
        items = self.nests[value].run(self.clip)
        return [item.frame + late for item in items if item.frame is not None]

    def spans(self, index: int, at: int) -> Iterator[tuple[int, int, int]]:
        """For each output of a node its frame, and the oldest and newest item that it reads."""
        reader, edge = self.nests[index + 1], self.graph.nodes[index].edges[at]
        items = frames(len(self.come[edge.source]))
        if reader.operation:
            items = reader.operation.run(items)
        elif edge.reach != IDENTITY:
            items = reader.inputs[at].operation.run(items)
        for frame, item in zip(self.come[index + 1], items, strict=False):
            if item.whole and item.seen:
                yield frame, item.oldest, item.newest

    def needs(self, index: int, at: int) -> int:
        """Items that must be kept for an edge; each has come by the frame that it is read at."""
        most = 0
        source = self.come[self.graph.nodes[index].edges[at].source]
        for frame, oldest, newest in self.spans(index, at):
            assert source[newest] <= frame
            most = max(most, bisect_left(source, frame) - oldest)
        return most


def test_every_reader_finds_its_items(record_property: Callable[[str, object], None]) -> None:
    """A feed is as deep as the reader that needs most of it, and no deeper."""
    found: Counter[str] = Counter()
    for graph, nests in drawn(1, 400):
        look, schedule = Onlooker(graph, nests), graph.schedule
        needs: Counter[int] = Counter()
        blind = False
        for index, each in enumerate(graph.nodes):
            for at, (edge, feed) in enumerate(zip(each.edges, schedule.reads[index], strict=True)):
                assert schedule.feeds[feed].value == edge.source
                needs[feed] = max(needs[feed], look.needs(index, at))
                blind |= any(phase.blind for phase in edge.reach.phases)
                room = spare(schedule.fires[edge.source], edge.reach, schedule.fires[index + 1])
                assert room >= 0
        for number, feed in enumerate(schedule.feeds):
            assert feed.depth == needs[number] or (blind and feed.depth > needs[number])
        for outlet in graph.outputs:
            assert schedule.fires[outlet.value] == graph.times[outlet.value]
        found.update({"graphs", *_kinds(graph)})
    record_property("networks", {f"aligned: {kind}": found[kind] for kind in found})
    assert min(found.values()) > 20, found


def _kinds(graph: Graph) -> Iterator[str]:
    schedule = graph.schedule
    if any(len(time.phases) > 1 for time in graph.times):
        yield "several phases"
    for value, (time, fires) in enumerate(zip(graph.times, schedule.fires, strict=True)):
        if time != fires:
            yield "a moved hold"
            if len(time.phases) > 1 or any(
                len(edge.reach.phases) > 1 for edge in graph.nodes[value - 1].edges
            ):
                yield "a moved hold, upsampled"
    if len(graph.outputs) > 1:
        yield "an output within"
    for feed in schedule.feeds:
        if feed.through is not None:
            yield "made smaller before it is kept"
        elif sum(number == feed.value for each in graph.nodes for number in sources(each)) > 1:
            yield "a feed with several readers"


def sources(each: Node) -> list[int]:
    return [edge.source for edge in each.edges]


def size(graph: Graph, fires: list[Time]) -> int:
    """Numbers that a stream keeps where nodes fire so."""
    depths: dict[tuple[int, int | None], int] = {}
    sizes: dict[tuple[int, int | None], int] = {}
    for index, each in enumerate(graph.nodes):
        kept = each.recipe.keeps if isinstance(each.recipe, Windowed) else None
        for edge in each.edges:
            key = edge.source, index if kept else None
            sizes[key] = (kept or graph.frames[edge.source]).size
            depth = backlog(fires[edge.source], edge.reach, fires[index + 1])
            depths[key] = max(depths.get(key, 0), depth)
    return sum(depth * sizes[key] for key, depth in depths.items())


def test_holds_are_moved_to_where_they_cost_less() -> None:
    """Never to where they cost more, and no single value that comes later would cost less."""
    moved = better = seen = 0
    for graph, _ in drawn(2, 300):
        fires = list(graph.schedule.fires)
        found, plain = size(graph, fires), size(graph, list(graph.times))
        assert found == sum(feed.size for feed in graph.schedule.feeds)
        assert found <= plain
        moved += found < plain
        seen += 1
        better += any(size(graph, other) < found for other in _neighbours(graph, fires))
    assert moved > 40
    assert better < 0.05 * seen, f"one value later would keep less in {better} of {seen}"


def _neighbours(graph: Graph, fires: list[Time]) -> Iterator[list[Time]]:
    """The firings in which one value comes as much later as its readers allow."""
    outputs = {outlet.value for outlet in graph.outputs}
    for value in range(1, len(fires)):
        rooms = [
            spare(fires[value], edge.reach, fires[index + 1])
            for index, each in enumerate(graph.nodes)
            for edge in each.edges
            if edge.source == value
        ]
        if value not in outputs and rooms and min(rooms) > 0:
            yield [*fires[:value], postponed(fires[value], min(rooms)), *fires[value + 1 :]]
