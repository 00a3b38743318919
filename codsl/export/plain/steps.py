"""The step of a phase as kernels, whose clips lie as in a file."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, fx, nn

from codsl.export.layout import Layout
from codsl.native.graph import Writer
from codsl.native.keeping import Item, Kept, counted
from codsl.native.renewing import renew
from codsl.native.source import Held, Source, source_of
from codsl.native.tracing import traced
from codsl.native.values import Buffer, Kind

HAD = "reinterpret_cast<char*>(head_of(state).had.data())"
"""C++ for where it stands how many frames each row has had."""


def kept_of(layout: Layout, rows: int) -> list[Kept]:
    """What a layout keeps: the items of its rings, and what is carried, of which the next comes
    while the last is read."""
    kind = getattr(torch, layout.dtype)
    rings = [
        Kept((rows, *ring.shape), kind, max(ring.depth, len(ring.new))) for ring in layout.rings
    ]
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
    made = [view.buffer for view in writer.results]
    passed = [*writer.given[:clips], *made[:shown]]
    places = {buffer: f"x{number}" for number, buffer in enumerate(passed)}
    places[writer.given[clips]] = HAD
    stored = dict(_stored(layout, phase, writer.given[clips + 1 :], made[shown:]))
    renew(writer.builder.kernels, stored, kept_of(layout, len(given[0])))
    places |= {buffer: item.place for buffer, item in stored.items()}
    source = source_of(writer.builder, places, held)
    comes = [*(ring.comes[phase] for ring in layout.rings), *(1 for _ in layout.carried)]
    lines = [counted(which, items) for which, items in enumerate(comes) if items]
    return replace(source, body="\n".join([source.body, *lines]))


def _stored(
    layout: Layout, phase: int, given: Sequence[Buffer], made: Sequence[Buffer]
) -> Iterator[tuple[Buffer, Item]]:
    """Which items those are that are given in a phase, and those that are made; of the latter some
    are none."""
    olds, news = iter(given), iter(made)
    carried = range(len(layout.rings), len(layout.rings) + len(layout.carried))
    for which, ring in enumerate(layout.rings):
        yield from ((next(olds), Item(which, -back)) for _, back in ring.taps)
    yield from ((next(olds), Item(which, -1)) for which in carried)
    for which, ring in enumerate(layout.rings):
        for number in range(len(ring.new)):
            buffer = next(news)
            if number < ring.comes[phase]:
                yield buffer, Item(which, number)
            else:
                buffer.kind = Kind.SCRATCH
    yield from ((next(news), Item(which, 0)) for which in carried)


def _without_copies(program: fx.GraphModule) -> fx.GraphModule:
    """A graph that writes over nothing, in which nothing is copied; results are apart anyway."""
    for node in program.graph.find_nodes(op="call_function", target=torch.ops.aten.clone.default):
        source: fx.Node = node.args[0]
        node.replace_all_uses_with(source)
        program.graph.erase_node(node)
    return program
