"""Which difficulties a network has, read off its graph, and how many networks had them."""

from __future__ import annotations

from math import inf, isinf
from typing import TYPE_CHECKING

from codsl.algebra.time import compose, hold
from codsl.layers.recipe import Attended, Pointwise, Windowed, normed_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from codsl.graph.graph import Graph
    from codsl.graph.node import Node

SHARES = {
    "time alone": 0.1,
    "one dimension of space": 0.1,
    "two dimensions of space": 0.1,
    "stride": 0.3,
    "stride over a strided input": 0.1,
    "dilation": 0.2,
    "uneven padding": 0.3,
    "replicate": 0.1,
    "fill differs from padding_mode": 0.03,
    "ceil_mode": 0.04,
    "count_include_pad=False": 0.04,
    "divisor_override": 0.03,
    "max over -inf": 0.06,
    "max over zeros": 0.02,
    "reduced before it is kept": 0.04,
    "adaptive": 0.06,
    "delay layer": 0.05,
    "batch norm": 0.2,
    "join": 0.6,
    "join of a join": 0.2,
    "join with a hold": 0.3,
    "join under stride": 0.15,
    "join under stride, with a hold": 0.08,
    "join of unequal lengths under stride": 0.05,
    "join by sum": 0.1,
    "join by mul": 0.05,
    "join by max": 0.05,
    "join by mean": 0.05,
    "join by concat": 0.15,
    "join of three": 0.1,
    "crop of the end (lagging)": 0.05,
    "crop of the front (leading)": 0.05,
    "crop of both ends (centered)": 0.03,
    "crop under stride": 0.03,
    "broadcast over space": 0.02,
    "hold moved before a projection": 0.03,
    "shared feed": 0.15,
    "no padding at all": 0.01,
    "hold moved before a pointwise layer": 0.03,
    "clip shorter than the delay": 0.3,
    "weight norm": 0.1,
    "recurrent": 0.1,
    "attention": 0.05,
    "attention with lookahead": 0.05,
    "encoder layer": 0.05,
    "rotary positions": 0.03,
    "cumulative": 0.1,
    "positions": 0.08,
    "crop layer": 0.08,
    "transposed convolution": 0.15,
    "upsampling": 0.1,
    "several outputs a frame": 0.15,
    "join after upsampling": 0.2,
    "endless past": 0.15,
    "join with an endless past": 0.1,
}
"""The least share of networks that must have each."""


def rare(hits: Counter[str], networks: int) -> dict[str, int]:
    """What fewer networks had than must."""
    return {name: hits[name] for name, share in SHARES.items() if hits[name] < share * networks}


def classes(graph: Graph) -> set[str]:
    """The words for what a network has."""
    names = ["time alone", "one dimension of space", "two dimensions of space"]
    found = {names[len(graph.input.space)]}
    depths = [0]
    for index, node in enumerate(graph.nodes):
        joins = len(node.edges) > 1
        depths.append(max(depths[edge.source] for edge in node.edges) + joins)
        found |= set(_join(graph, index) if joins else _layer(graph, index))
    if max(depths) > 1:
        found.add("join of a join")
    reads = [feed for node in graph.schedule.reads for feed in set(node)]
    if any(reads.count(feed) > 1 and graph.schedule.feeds[feed].depth for feed in reads):
        found.add("shared feed")
    if graph.delay + 1 > graph.min_frames:
        found.add("clip shorter than the delay")
    if graph.time.bursts:
        found.add("several outputs a frame")
    if isinf(graph.receptive_field):
        found.add("endless past")
    windows = [node.recipe.over for node in graph.nodes if isinstance(node.recipe, Windowed)]
    if not any(over.before + over.after for over in windows):
        found.add("no padding at all")
    return found


KINDS = {
    "batch_norm": "batch norm",
    "delay": "delay layer",
    "adaptive": "adaptive",
    "crop": "crop layer",
    "rnn": "recurrent",
    "gru": "recurrent",
    "lstm": "recurrent",
    "cumulative": "cumulative",
    "running": "cumulative",
    "positional": "positions",
    "recycling": "positions",
    "conv_transpose": "transposed convolution",
    "upsample": "upsampling",
}
"""The words for layers by how their names begin."""


def _layer(graph: Graph, index: int) -> Iterator[str]:
    node = graph.nodes[index]
    yield from (word for kind, word in KINDS.items() if node.type.startswith(kind))
    if normed_of(node.recipe):
        yield "weight norm"
    if isinstance(node.recipe, Attended):
        yield "encoder layer" if "encoder" in node.type else "attention"
        if node.recipe.reach.ahead:
            yield "attention with lookahead"
        if node.recipe.call.arguments["base"]:
            yield "rotary positions"
    if graph.schedule.fires[index + 1] != graph.times[index + 1]:
        window = isinstance(node.recipe, Windowed)
        yield f"hold moved before a {'projection' if window else 'pointwise layer'}"
    if isinstance(node.recipe, Windowed):
        yield from _window(graph, node)


def _window(graph: Graph, node: Node) -> Iterator[str]:
    recipe = node.recipe
    over = recipe.over
    padded = over.before + over.after > 0
    arguments = recipe.window.arguments
    if over.stride > 1:
        yield "stride"
        if graph.times[node.edges[0].source].stride > 1:
            yield "stride over a strided input"
    if over.dilation > 1 and over.kernel > 1:
        yield "dilation"
    if over.before != over.after:
        yield "uneven padding"
    if padded and recipe.fill == "replicate":
        yield "replicate"
    if padded and recipe.clip is None and node.type.startswith("conv"):
        yield "fill differs from padding_mode"
    if over.ceil_mode and over.offset != over.before + over.after - over.reach - 1 + over.stride:
        yield "ceil_mode"
    if padded and recipe.fill is None:
        yield "count_include_pad=False"
    if arguments.get("divisor_override"):
        yield "divisor_override"
    if padded and node.type.startswith("max"):
        yield "max over -inf" if recipe.fill == -inf else "max over zeros"
    if recipe.frame is not None:
        yield "reduced before it is kept"


def _join(graph: Graph, index: int) -> Iterator[str]:
    node, fires = graph.nodes[index], graph.schedule.fires
    assert isinstance(node.recipe, Pointwise)
    reached = [compose(graph.times[edge.source], edge.reach) for edge in node.edges]
    strided = reached[0].stride > 1
    holds = [hold(fires[edge.source], edge.reach, fires[index + 1]) for edge in node.edges]
    yield "join"
    yield f"join by {node.type}"
    if len(node.edges) > 2:
        yield "join of three"
    if any(len(time.phases) > 1 for time in reached):
        yield "join after upsampling"
    if any(isinf(time.past) for time in reached):
        yield "join with an endless past"
    if len({time.delay for time in reached}) > 1:
        yield "join with a hold"
    if strided:
        yield "join under stride"
        if any(holds):
            yield "join under stride, with a hold"
    if len({time.offset for time in reached}) > 1:
        yield "join of unequal lengths under stride"
    if len({graph.frames[edge.source].space for edge in node.edges}) > 1:
        yield "broadcast over space"
    front = -node.edges[0].reach.past
    back = node.edges[0].reach.delay - front
    if front or back:
        ends = {(False, True): "the end (lagging)", (True, False): "the front (leading)"}
        yield f"crop of {ends.get((front > 0, back > 0), 'both ends (centered)')}"
        if strided:
            yield "crop under stride"
