"""Which order of channels is asked of each value by those that read it."""

from codsl.algebra.shape import Frame
from codsl.graph.graph import Graph
from codsl.graph.node import Node
from codsl.weights.channels import (
    ALIKE,
    JOINS,
    KEEPING,
    MIXING,
    NORMING,
    RESHAPING,
    Order,
    call_of,
    in_a_row,
    row_of,
    shuffled,
)

Demands = set[Order]
OWN: Demands = {()}


def demands(graph: Graph) -> list[Demands]:
    """Of every value the orders that are asked of it; none where any will do."""
    asked: list[Demands] = [set() for _ in graph.frames]
    for value in range(len(graph.frames) - 1, graph.base - 1, -1):
        node = graph.nodes[value - graph.base]
        for edge in node.edges:
            asked[edge.source] |= _asked(node, graph.frames[edge.source], asked[value])
    return asked


def _asked(node: Node, x: Frame, after: Demands) -> Demands:
    """What a layer asks of a value with frames `x`, where this is asked of its own."""
    row, call, y = row_of(node), call_of(node), node.frame
    if issubclass(row, MIXING):
        return OWN if x.space else set()
    if call.function in RESHAPING:
        return _before_reshape(x, y, after)
    if call.function == "pixel_shuffle_frames":
        return {shuffled(call, x, y)}
    if call.function in JOINS or issubclass(row, (*KEEPING, *NORMING)):
        alike = call.function in JOINS or issubclass(row, ALIKE) or not x.space
        return after if x.channels == y.channels and (after or alike) else OWN
    return OWN


def _before_reshape(x: Frame, y: Frame, after: Demands) -> Demands:
    """Where a row becomes a frame, only what reads its channels tells which of its sizes these
    are elsewhere."""
    if x.channels == y.channels:
        return after
    row = in_a_row(y.channels, y.positions)
    if x.positions > 1 or not row:
        return OWN
    return {row} if after == OWN else {None}
