"""Clips that were taken apart into items and put together again: left whole."""

from collections.abc import Iterator
from itertools import groupby
from operator import getitem

import torch
from torch.export import ExportedProgram
from torch.fx import Graph, Node

ATEN = torch.ops.aten


def gathered(program: ExportedProgram) -> ExportedProgram:
    """A graph, changed in place, in which no clip of many items is unbound to be stacked anew.

    Every item would be an operation or two of its own.
    """
    graph = program.graph_module.graph
    for node in list(graph.nodes):
        if node.target == ATEN.stack.default:
            items, dim = node.args[0], node.args[1] if len(node.args) > 1 else 0
            parts = list(_parts(items, dim))
            if len(parts) < len(items):
                _replace(graph, node, parts, dim)
    graph.eliminate_dead_code()
    program.graph_module.recompile()
    return program


def _parts(items: list[Node], dim: int) -> Iterator[list[Node]]:
    """Stacked items, those together that lie so in a clip."""
    places = ((node, _place(node, dim)) for node in items)
    for _, run in groupby(enumerate(places), lambda each: _key(*each)):
        yield [node for _, (node, _) in run]


def _key(at: int, item: tuple[Node, tuple[Node, int] | None]) -> object:
    """The same for items that follow each other in one clip, and in a stack."""
    _, place = item
    return at if place is None else (place[0], place[1] - at)


def _place(node: Node, dim: int) -> tuple[Node, int] | None:
    """The clip that an item was taken from along a dimension, and where."""
    if node.target is not getitem:
        return None
    clips, place = node.args
    if not isinstance(clips, Node) or clips.target != ATEN.unbind.int:
        return None
    clip, along = clips.args[0], clips.args[1] if len(clips.args) > 1 else 0
    if along != dim or not isinstance(clip, Node) or not isinstance(place, int):
        return None
    return clip, place


def _replace(graph: Graph, node: Node, parts: list[list[Node]], dim: int) -> None:
    """Let a node that stacks put clips together, in memory of its own as before."""
    with graph.inserting_before(node):
        clips = [_clip(graph, part, dim) for part in parts]
    if len(clips) == 1:
        node.target, node.args = ATEN.clone.default, (clips[0],)
    else:
        node.target, node.args = ATEN.cat.default, (clips, dim)


def _clip(graph: Graph, part: list[Node], dim: int) -> Node:
    """A part of a stack, with the dimension that it stacks along."""
    found = _place(part[0], dim)
    if len(part) == 1 or found is None:
        return _made(graph, ATEN.unsqueeze.default, part[0], dim)
    clip, first = found
    if len(part) == clip.meta["val"].shape[dim]:
        return clip
    return _made(graph, ATEN.slice.Tensor, clip, dim, first, first + len(part))


def _made(graph: Graph, target: torch._ops.OpOverload, x: Node, *sizes: int) -> Node:
    node = graph.call_function(target, (x, *sizes))
    with x.meta["val"].fake_mode:
        node.meta["val"] = target(x.meta["val"], *sizes)
    return node
