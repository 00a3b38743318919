"""The step of a phase as kernels, whose clips lie as in a file."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, fx, nn

from codsl.export.layout import Layout
from codsl.native.graph import Writer
from codsl.native.source import Held, Source, source_of
from codsl.native.tracing import traced
from codsl.native.values import Buffer, Kind, View, channels_last, strides_in


class FlatStep(nn.Module):
    """A step whose clips come and go as `(B, N)`, so that they lie one number after another; what
    is kept lies as the kernels like it."""

    def __init__(self, step: nn.Module, layout: Layout, batch: int) -> None:
        super().__init__()
        self._step = step
        self._shapes = [(batch, *port.shape) for port in layout.inputs]
        self._outputs = len(layout.outputs)

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """What the step gives."""
        count = len(self._shapes)
        clips = (x.view(shape) for x, shape in zip(given, self._shapes, strict=False))
        made = self._step(*clips, *given[count:])
        return (*(y.flatten(1) for y in made[: self._outputs]), *made[self._outputs :])


def written(step: nn.Module, given: Sequence[Tensor], layout: Layout, held: Held) -> Source:
    """The kernels of the step of a phase, for tensors like these, with its constants among others.

    Raises `Unsupported` for what there is no kernel for.
    """
    count = len(layout.inputs)
    flat = [*(x.flatten(1) for x in given[:count]), *given[count:]]
    graph = _without_copies(traced(FlatStep(step, layout, len(given[0])), flat))
    writer = Writer(graph, flat, getattr(torch, layout.dtype))
    results = list(_apart(writer, flat))
    return source_of(writer.builder, writer.given, results, held)


def _without_copies(program: fx.GraphModule) -> fx.GraphModule:
    """A graph that writes over nothing, in which nothing is copied; results are apart anyway."""
    for node in program.graph.find_nodes(op="call_function", target=torch.ops.aten.clone.default):
        source: fx.Node = node.args[0]
        node.replace_all_uses_with(source)
        program.graph.erase_node(node)
    return program


def _apart(writer: Writer, given: Sequence[Tensor]) -> Iterator[Buffer]:
    """The memory of each result, which no other has."""
    taken: set[Buffer] = set()
    for result in writer.results:
        view = result if isinstance(result, View) else _view(writer.given[result], given[result])
        if not isinstance(result, View) or view.buffer in taken:
            order = channels_last(len(view.sizes))
            copy = writer.builder.room(view.sizes, view.dtype, order)
            writer.builder.fill(copy, view)
            copy.buffer.kind = Kind.RESULT
            view = copy
        taken.add(view.buffer)
        yield view.buffer


def _view(buffer: Buffer, like: Tensor) -> View:
    sizes = tuple(like.shape)
    return View(buffer, sizes, strides_in(sizes, channels_last(len(sizes))))
