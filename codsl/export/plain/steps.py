"""The step of a phase as kernels, whose clips lie as in a file."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, fx, nn

from codsl.export.layout import Layout
from codsl.native.graph import Writer
from codsl.native.keeping import Kept, counted, found
from codsl.native.source import Held, Source, source_of
from codsl.native.tracing import traced

HAD = "reinterpret_cast<char*>(head_of(state).had.data())"
"""C++ for where it stands how many frames each row has had."""


def kept_of(layout: Layout, rows: int) -> list[Kept]:
    """What a layout keeps: the items of its rings, with room for those that come before the oldest
    goes, and what is carried, of which the next comes while the last is read."""
    kind = getattr(torch, layout.dtype)
    rings = [Kept((rows, *ring.shape), kind, ring.depth + len(ring.new)) for ring in layout.rings]
    carried = [Kept((rows, *each.shape), getattr(torch, each.dtype), 2) for each in layout.carried]
    return [*rings, *carried]


def written(
    step: nn.Module, given: Sequence[Tensor], layout: Layout, phase: int, held: Held
) -> Source:
    """The kernels of the step of a phase, for tensors like these, with its constants among others.

    Clips are `x0`, `x1` and so on, and what is kept lies in a `state`. Raises `Unsupported` for
    what there is no kernel for.
    """
    clips, shown = len(layout.inputs), 2 * len(layout.outputs)
    graph = _without_copies(traced(step, given))
    writer = Writer(graph, given, getattr(torch, layout.dtype), clips, shown)
    buffers = [*writer.given, *(view.buffer for view in writer.results)]
    source = source_of(writer.builder, dict(zip(buffers, _places(layout), strict=True)), held)
    comes = [*(ring.comes[phase] for ring in layout.rings), *(1 for _ in layout.carried)]
    lines = [counted(which, items) for which, items in enumerate(comes) if items]
    return replace(source, body="\n".join([source.body, *lines]))


def _places(layout: Layout) -> Iterator[str]:
    """C++ for where all lies that goes in and comes out, in the order of the layout."""
    clips, shown = len(layout.inputs), 2 * len(layout.outputs)
    carried = range(len(layout.rings), len(layout.rings) + len(layout.carried))
    yield from (f"x{number}" for number in range(clips))
    yield HAD
    for which, ring in enumerate(layout.rings):
        yield from (found(which, -back) for _, back in ring.taps)
    yield from (found(which, -1) for which in carried)
    yield from (f"x{number}" for number in range(clips, clips + shown))
    for which, ring in enumerate(layout.rings):
        yield from (found(which, place) for place in range(len(ring.new)))
    yield from (found(which, 0) for which in carried)


def _without_copies(program: fx.GraphModule) -> fx.GraphModule:
    """A graph that writes over nothing, in which nothing is copied; results are apart anyway."""
    for node in program.graph.find_nodes(op="call_function", target=torch.ops.aten.clone.default):
        source: fx.Node = node.args[0]
        node.replace_all_uses_with(source)
        program.graph.erase_node(node)
    return program
