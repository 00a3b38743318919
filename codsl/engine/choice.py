"""Which nodes of a graph run by kernels, which of them share memory, and where items are kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from codsl.engine.folding import Scale
from codsl.engine.kernels import Kernel, convolves, kernel_of
from codsl.graph.graph import Graph


@dataclass(frozen=True, eq=False)
class Choice:
    """A graph, its modules, and a tensor of the dtype and on the device of the stream."""

    graph: Graph
    modules: Sequence[nn.Module]
    like: Tensor

    @cached_property
    def live(self) -> list[int]:
        """The nodes that are computed, in order."""
        return sorted(self.graph.live)

    @cached_property
    def readers(self) -> dict[int, list[int]]:
        """The nodes that read each value, as often as they do."""
        found: dict[int, list[int]] = {}
        for index in self.live:
            for edge in self.graph.nodes[index].edges:
                found.setdefault(edge.source, []).append(index)
        return found

    @cached_property
    def _given_out(self) -> set[int]:
        return {outlet.value for outlet in self.graph.outputs}

    @cached_property
    def kernels(self) -> dict[int, Kernel]:
        """The kernels of nodes that have one, batch normalisation folded into what it follows."""
        kernels = self._plainest()
        for index in self.live:
            after = self._norm_after(index)
            if index in kernels and after in kernels:
                node, module, norm = self.graph.nodes[index], self.modules[index], after
                scale = Scale.of(self.modules[norm])  # type: ignore[arg-type]
                folded = kernel_of(node, module, scale, self.like)
                if folded is not None:
                    kernels[index], kernels[norm] = folded, Kernel(None)
        return kernels

    def _plainest(self) -> dict[int, Kernel]:
        """The kernels of nodes none of whose feeds needs the plain way."""
        fires, base, nodes = self.graph.schedule.fires, self.graph.base, self.graph.nodes
        kernels: dict[int, Kernel] = {}
        for index in self.live:
            values = (base + index, *(edge.source for edge in nodes[index].edges))
            if not any(fires[value].bursts for value in values):
                kernel = kernel_of(nodes[index], self.modules[index], None, self.like)
                kernels |= {} if kernel is None else {index: kernel}
        while stuck := self._stuck(kernels):
            kernels = {index: each for index, each in kernels.items() if index not in stuck}
        return kernels

    def _stuck(self, kernels: dict[int, Kernel]) -> set[int]:
        """The nodes with a kernel that read what is kept in a way that kernels cannot read."""
        stuck: set[int] = set()
        for number, feed in enumerate(self.graph.schedule.feeds):
            here = [index for index in self.live if number in self.graph.schedule.reads[index]]
            windowed = [kernels[i] for i in here if i in kernels and kernels[i].taps > 1]
            spreads = {(kernel.spread, kernel.last) for kernel in windowed}
            plain = any(index not in kernels for index in here)
            if feed.depth and (plain or feed.through is not None or len(spreads) > 1):
                stuck.update(index for index in here if index in kernels)
        return stuck

    def _norm_after(self, index: int) -> int:
        """The batch normalisation that alone reads a convolution, at once; -1 where none does."""
        value = self.graph.base + index
        readers = self.readers.get(value, [])
        if len(readers) != 1 or value in self._given_out:
            return -1
        (reader,) = readers
        (feed,) = self.graph.schedule.reads[reader][:1]
        kept = len(self.graph.nodes[reader].edges) > 1 or self.graph.schedule.feeds[feed].depth
        if kept or not isinstance(self.modules[reader], _BatchNorm):
            return -1
        node, module = self.graph.nodes[index], self.modules[index]
        return reader if convolves(node, module, self.like) else -1

    @cached_property
    def rings(self) -> dict[int, tuple[int, bool]]:
        """The feeds that are kept for kernels alone, how far their taps are apart, and whether
        channels come last."""
        found = {}
        for number, feed in enumerate(self.graph.schedule.feeds):
            here = [index for index in self.live if number in self.graph.schedule.reads[index]]
            if feed.depth and all(index in self.kernels for index in here):
                windowed = (self.kernels[index] for index in here if self.kernels[index].taps > 1)
                held = (1, self._last and len(feed.frame.space) == 2)
                found[number] = next(((each.spread, each.last) for each in windowed), held)
        return found

    @cached_property
    def _last(self) -> bool:
        """Whether there are kernels that want channels last: what is held comes so too."""
        return any(kernel.last for kernel in self.kernels.values())

    @cached_property
    def tapes(self) -> set[int]:
        """The feeds that some node reads by the plain way."""
        reads = self.graph.schedule.reads
        return {each for index in self.live if index not in self.kernels for each in reads[index]}

    def direct(self, index: int, edge: int) -> bool:
        """Whether a node with a kernel reads what has just come."""
        return not self.graph.schedule.feeds[self.graph.schedule.reads[index][edge]].depth

    def owned(self, value: int) -> bool:
        """Whether its only reader may write to a value."""
        if len(self.readers.get(value, ())) != 1 or value in self._given_out:
            return False
        index = value - self.graph.base
        kernel = self.kernels.get(index)
        if kernel is None or not self.passes(index):
            return kernel is not None and kernel.fresh
        return self.owned(self.graph.nodes[index].edges[0].source)

    def passes(self, index: int) -> bool:
        """Whether a node gives on the very thing that has just come."""
        kernel = self.kernels.get(index)
        return kernel is not None and kernel.run is None and self.direct(index, 0)

    def fresh(self, value: int) -> bool:
        """Whether a value shares no memory with what came in or is kept."""
        index = value - self.graph.base
        if self.passes(index):
            return self.fresh(self.graph.nodes[index].edges[0].source)
        return index in self.kernels and self.kernels[index].fresh

    def written_to(self, index: int) -> Kernel:
        """The kernel of a node, which writes to its first input where it may."""
        kernel, node = self.kernels[index], self.graph.nodes[index]
        source = node.edges[0].source
        whole = self.graph.frames[source] == node.frame
        if kernel.in_place and whole and self.direct(index, 0) and self.owned(source):
            return replace(kernel, run=kernel.in_place)
        return kernel
