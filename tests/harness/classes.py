"""Which difficulties a network has, read off its graph, and how many networks had them."""

from __future__ import annotations

import re
from math import inf, isinf
from typing import TYPE_CHECKING

from codsl.algebra.time import compose, hold
from codsl.layers.recipe import Attended, Folded, Pointwise, Windowed, normed_of
from codsl.layers.table import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codsl.algebra.extent import Window
    from codsl.graph.graph import Graph
    from codsl.graph.node import Node

CLASSES = (
    "time alone",
    "one dimension of space",
    "two dimensions of space",
    "stride",
    "stride over a strided input",
    "dilation",
    "uneven padding",
    "replicate",
    "fill differs from padding_mode",
    "ceil_mode",
    "count_include_pad=False",
    "divisor_override",
    "max over -inf",
    "max over zeros",
    "reduced before it is kept",
    "adaptive",
    "delay layer",
    "batch norm",
    "join",
    "join of a join",
    "join with a hold",
    "join under stride",
    "join under stride, with a hold",
    "join of unequal lengths under stride",
    "join by sum",
    "join by mul",
    "join by max",
    "join by mean",
    "join by concat",
    "join of three",
    "crop of the end (lagging)",
    "crop of the front (leading)",
    "crop of both ends (centered)",
    "crop under stride",
    "broadcast over space",
    "hold moved before a projection",
    "shared feed",
    "no padding at all",
    "hold moved before a pointwise layer",
    "clip shorter than the delay",
    "weight norm",
    "recurrent",
    "attention",
    "attention with lookahead",
    "encoder layer",
    "rotary positions",
    "cumulative",
    "positions",
    "crop layer",
    "transposed convolution",
    "upsampling",
    "several outputs a frame",
    "join after upsampling",
    "endless past",
    "join with an endless past",
    "layers of single frames",
    "stride 2",
    "stride 3",
    "stride over space",
    "padding before and after alike",
    "padding before alone (causal)",
    "padding after alone",
    "padding that keeps the length",
    "reflect or circular over space",
    "cyclic positions",
    "stack or shift",
    "two layers of a recurrence",
    "projected recurrence",
    "encoder layer, norm first",
    "join at stride 2",
    "join at stride 3",
    "join of equal delays",
    "join of delays 1 apart",
    "join of delays 2 apart",
    "join of delays 3 to 7 apart",
    "join of delays 8 or more apart",
    "several inputs",
    "several outputs",
    "outputs of unequal delays",
    "outputs of unequal strides",
)
"""Every word for what a network can have, but those for the rows of the table."""


def family(row: str) -> str:
    """The class of a row: its name, without the number of dimensions."""
    return f"layer {re.sub(r'[123]d$', '', row)}"


def every() -> tuple[str, ...]:
    """All classes, those of the rows of codsl among them."""
    own = (name for name, row in table().items() if row.__module__.startswith("codsl.layers."))
    return (*CLASSES, *sorted({family(name) for name in own}))


def classes(graph: Graph) -> set[str]:
    """The words for what a network has."""
    space = ["time alone", "one dimension of space", "two dimensions of space"]
    found = {space[len(graph.inputs[0].frame.space)]}
    depths = [0] * len(graph.inputs)
    for value, node in enumerate(graph.nodes, len(graph.inputs)):
        joins = len(node.edges) > 1
        depths.append(max(depths[edge.source] for edge in node.edges) + joins)
        found |= set(_join(graph, node, value) if joins else _layer(graph, node, value))
    if max(depths) > 1:
        found.add("join of a join")
    reads = [feed for node in graph.schedule.reads for feed in set(node)]
    if any(reads.count(feed) > 1 and graph.schedule.feeds[feed].depth for feed in reads):
        found.add("shared feed")
    found |= set(_ports(graph))
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
    "stack": "stack or shift",
    "temporal_shift": "stack or shift",
}
"""The words for layers by how their names begin."""


def _ports(graph: Graph) -> Iterator[str]:
    if len(graph.inputs) > 1:
        yield "several inputs"
    times = [graph.times[outlet.value] for outlet in graph.outputs]
    if len(times) > 1:
        yield "several outputs"
        if len({time.delay for time in times}) > 1:
            yield "outputs of unequal delays"
        if len({time.stride for time in times}) > 1:
            yield "outputs of unequal strides"


def _layer(graph: Graph, node: Node, value: int) -> Iterator[str]:
    if isinstance(node.recipe, Folded):
        yield "layers of single frames"
        return
    yield family(node.type)
    yield from (word for kind, word in KINDS.items() if node.type.startswith(kind))
    if any(time.stride > 1 for time in node.space):
        yield "stride over space"
    if node.recipe.settings.get("num_layers") == 2:
        yield "two layers of a recurrence"
    if node.recipe.settings.get("proj_size"):
        yield "projected recurrence"
    if node.recipe.settings.get("norm_first"):
        yield "encoder layer, norm first"
    if node.recipe.module == "CyclicPattern":
        yield "cyclic positions"
    if normed_of(node.recipe):
        yield "weight norm"
    if isinstance(node.recipe, Attended) and node.type != "temporal_shift":
        yield "encoder layer" if "encoder" in node.type else "attention"
        if node.recipe.reach.ahead:
            yield "attention with lookahead"
        if node.recipe.call.arguments.get("base"):
            yield "rotary positions"
    if graph.schedule.fires[value] != graph.times[value]:
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
        yield f"stride {over.stride}"
        if graph.times[node.edges[0].source].stride > 1:
            yield "stride over a strided input"
    if over.dilation > 1 and over.kernel > 1:
        yield "dilation"
    yield from _padding(over)
    if recipe.window.mode in ("reflect", "circular"):
        yield "reflect or circular over space"
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


def _padding(over: Window) -> Iterator[str]:
    before, after = over.before, over.after
    if before != after:
        yield "uneven padding"
    if before == after > 0:
        yield "padding before and after alike"
    if before == over.reach > after == 0:
        yield "padding before alone (causal)"
    if after > before == 0:
        yield "padding after alone"
    if before + after == over.reach > 0:
        yield "padding that keeps the length"


APART = {0: "of equal delays", 1: "of delays 1 apart", 2: "of delays 2 apart"}


def _join(graph: Graph, node: Node, value: int) -> Iterator[str]:
    fires = graph.schedule.fires
    assert isinstance(node.recipe, Pointwise)
    reached = [compose(graph.times[edge.source], edge.reach) for edge in node.edges]
    strided = reached[0].stride > 1
    holds = [hold(fires[edge.source], edge.reach, fires[value]) for edge in node.edges]
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
    apart = max(time.delay for time in reached) - min(time.delay for time in reached)
    more = "of delays 3 to 7 apart" if apart < 8 else "of delays 8 or more apart"
    yield f"join {APART.get(apart, more)}"
    if strided:
        yield "join under stride"
        yield f"join at stride {reached[0].stride}"
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
