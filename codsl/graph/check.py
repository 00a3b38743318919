"""From the spec to the graph: when everything happens, and whether it fits together."""

from dataclasses import replace

from codsl.algebra.shape import Frame
from codsl.algebra.time import (
    IDENTITY,
    MOST,
    Disagreement,
    Time,
    Unsteady,
    compose,
    crops,
    join,
    lost,
)
from codsl.diagnostics import Findings, Label
from codsl.graph.graph import Graph
from codsl.graph.meet import report, shrinking
from codsl.graph.node import Edge, Node
from codsl.graph.rates import check_rates
from codsl.layers.joining import Aggregation
from codsl.layers.mistake import Mistake
from codsl.spec.bind import pin
from codsl.spec.spec import Item, Spec

MOST_PARAMETERS = 2**32
"""Numbers that a network may learn at most."""


def check(spec: Spec, findings: Findings) -> Graph | None:
    """The graph of a spec, or None where something does not fit together in time.

    What follows from a mistake stays silent.
    """
    times: list[Time | None] = [IDENTITY] * len(spec.inputs)
    frames = [inlet.frame for inlet in spec.inputs]
    nodes: list[Node] = []
    for item in spec.items:
        inputs = [times[value] for value in item.inputs]
        known = [time for time in inputs if time is not None]
        edges = _edges(spec, item, known, findings) if len(known) == len(inputs) else None
        times.append(_joined(spec, item, known, edges, findings) if edges else None)
        if edges:
            nodes.append(_node(item, frames, edges))
        frames.append(item.frame)
    _check_size(spec, nodes, findings)
    whole = [time for time in times if time is not None]
    if len(whole) < len(times) or any(outlet.value < 0 for outlet in spec.outputs):
        return None
    graph = Graph(
        spec.name,
        spec.inputs,
        spec.rate,
        tuple(nodes),
        spec.blocks,
        spec.outputs,
        spec.dtype,
        tuple(whole),
        {known.name: known for known in spec.knowns},
    )
    _check_use(graph, findings)
    check_rates(spec, whole, findings)
    return graph


def _edges(
    spec: Spec, item: Item, inputs: list[Time], findings: Findings
) -> tuple[Edge, ...] | None:
    """What an item reads and how it sits over it; a shrinking join crops its first input."""
    if isinstance(item.operation, Aggregation):
        edges = [Edge(value, IDENTITY) for value in item.inputs]
        if item.shrink and inputs[0].stride == inputs[-1].stride:
            frames = max(0, lost(inputs[0], inputs[-1]))
            front = {"lagging": 0, "leading": frames, "centered": frames // 2}[item.shrink]
            edges[0] = replace(edges[0], reach=crops(front, frames - front))
        return tuple(edges)
    try:
        return (Edge(item.inputs[0], item.operation.time()),)
    except Mistake as mistake:
        pin(mistake, item.type, item.origin, findings, shrinking(spec, item))
        return None


def _joined(
    spec: Spec, item: Item, inputs: list[Time], edges: tuple[Edge, ...], findings: Findings
) -> Time | None:
    try:
        reached = [compose(time, edge.reach) for time, edge in zip(inputs, edges, strict=True)]
        return join(reached)
    except Disagreement as error:
        report(spec, item, reached, error.kind, findings)
    except Unsteady:
        findings.add(
            "E0415",
            f"more than {MOST} outputs until the pattern of when they come repeats itself",
            Label(item.origin.span, "here"),
            *(Label(use, f"in this use of `{use.text}`") for use in item.origin.uses),
            notes=("a stream plans when each output of a period comes",),
            helps=("raise the rate by less, or after the strides by which it falls",),
        )
    return None


def _node(item: Item, frames: list[Frame], edges: tuple[Edge, ...]) -> Node:
    operation = item.operation
    x = frames[item.inputs[0]]
    facts = (
        (operation.recipe(), item.weights, 0, (IDENTITY,) * len(item.frame.space))
        if isinstance(operation, Aggregation)
        else (
            operation.recipe(x),
            item.weights,
            operation.macs(x, item.frame),
            operation.space(x),
        )
    )
    return Node(item.path, item.type, edges, item.frame, *facts, item.origin.span)


def _check_use(graph: Graph, findings: Findings) -> None:
    """Warn of what nobody reads, unless it is so only here: in the last of many units, say."""
    read = {edge.source for node in graph.nodes for edge in node.edges}
    elsewhere = {graph.nodes[index].span for index in graph.live}
    for index, node in enumerate(graph.nodes):
        idle = index not in graph.live and graph.base + index not in read
        if idle and node.span not in elsewhere:
            findings.add(
                "W0701",
                f"nothing reads `{node.path}`",
                node.span,
                notes=("what leads only here is built, but never computed",),
                helps=(
                    "leave it out, name it in `outputs`, or join it with what the network gives",
                ),
            )


def _check_size(spec: Spec, nodes: list[Node], findings: Findings) -> None:
    total = 0
    for node in nodes:
        total += node.parameters
        if total > MOST_PARAMETERS:
            findings.add(
                "E0410",
                f"the network has more than {MOST_PARAMETERS} parameters",
                *([Label(node.span, f"{node.parameters} of them are here")] if node.span else ()),
            )
            return
