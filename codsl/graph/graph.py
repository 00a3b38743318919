"""The graph: nodes in order with their times, their cost, and the plan of what is kept."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import isinf
from typing import Any

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, compose, hold, join, length, rate
from codsl.diagnostics import plural
from codsl.graph.align import Schedule, align
from codsl.graph.node import Edge, Node
from codsl.graph.report import Report, Row, endless
from codsl.spec.spec import Block


@dataclass(frozen=True, eq=False, repr=False)
class Graph:
    """A checked network. Value 0 is its input, value `i + 1` what node `i` gives.

    `times` has the time of every value, relative to the input; `output` is a value.
    """

    name: str
    input: Frame
    rate: float | None
    nodes: tuple[Node, ...]
    blocks: tuple[Block, ...]
    output: int
    dtype: str | None
    times: tuple[Time, ...]

    def __repr__(self) -> str:
        field = endless(self.receptive_field)
        return (
            f"Graph({self.name}: {plural(len(self.nodes), 'layer')}, receptive field {field}, "
            f"delay {self.delay}, stride {self.stride})"
        )

    @property
    def time(self) -> Time:
        """The time of the whole network."""
        return self.times[self.output]

    @property
    def receptive_field(self) -> float:
        """Frames from the oldest to the newest that one output depends on; may be `math.inf`."""
        return self.time.receptive_field

    @property
    def delay(self) -> int:
        """The frame at which the first output comes out of a stream, counted from 0."""
        return self.time.delay

    @property
    def stride(self) -> int:
        """Input frames per output."""
        return self.time.stride

    @property
    def min_frames(self) -> int:
        """The least clip that has an output, and an input for every layer."""
        return self.shortest[0]

    @cached_property
    def live(self) -> frozenset[int]:
        """The nodes that the output is made of; the others are never computed."""
        needed = {self.output}
        for index in reversed(range(len(self.nodes))):
            if index + 1 in needed:
                needed.update(edge.source for edge in self.nodes[index].edges)
        return frozenset(value - 1 for value in needed if value)

    @cached_property
    def shortest(self) -> tuple[int, str]:
        """The least clip, and the path of the layer that asks for it."""
        named = ((self.times[index + 1], self.nodes[index]) for index in sorted(self.live))
        return max(
            ((time.shortest, node.path) for time, node in named),
            default=(1, ""),
            key=lambda entry: entry[0],
        )

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The frame of every value."""
        return (self.input, *(node.frame for node in self.nodes))

    @cached_property
    def schedule(self) -> Schedule:
        """When each node fires in a stream, and what is kept for it."""
        return align(self.nodes, self.times, self.frames, self.output, self.live)

    @cached_property
    def space(self) -> tuple[Time, ...]:
        """How outputs sit over each dimension of the input's space, as far as there is one."""
        axes: list[tuple[Time, ...]] = [(IDENTITY,) * len(self.input.space)]
        for node in self.nodes:
            inputs = [axes[edge.source] for edge in node.edges]
            axes.append(
                tuple(
                    _widest([compose(axis, here) for axis in column])
                    for column, here in zip(
                        zip(*inputs, strict=False), node.over(len(inputs[0])), strict=False
                    )
                )
            )
        return axes[self.output]

    @property
    def parameters(self) -> int:
        """How many numbers there are to learn."""
        return sum(node.parameters for node in self.nodes)

    def report(self) -> Report:
        """What the network is, node by node, as plain data; `str()` of it is a table."""
        fires = self.schedule.fires
        rows = tuple(
            Row(
                node.path,
                node.type,
                (node.frame.channels, "T", *node.frame.space),
                node.parameters,
                time.stride,
                time.receptive_field,
                time.delay,
                tuple(hold(fires[edge.source], edge.reach, fire) for edge in node.edges),
                rate(time, node.macs) if index in self.live else 0,
                self.schedule.bytes_of(index),
            )
            for index, (node, time, fire) in enumerate(
                zip(self.nodes, self.times[1:], fires[1:], strict=True)
            )
        )
        return Report(self.name, rows, self._total(rows))

    def _total(self, rows: tuple[Row, ...]) -> dict[str, Any]:
        field = self.receptive_field
        clip = self.min_frames if isinf(field) else max(int(field), self.min_frames)
        output = self.frames[self.output]
        work = [(self.nodes[index], self.times[index + 1]) for index in sorted(self.live)]
        total: dict[str, Any] = {
            "input": [self.input.channels, "T", *self.input.space],
            "output": [output.channels, "T", *output.space],
            "params": self.parameters,
            "stride": self.stride,
            "receptive_field": field,
            "delay": self.delay,
            "min_frames": self.min_frames,
            "macs": sum(row.macs for row in rows),
            "clip_frames": clip,
            "clip_macs": sum(node.macs * length(time, clip) for node, time in work),
            "state_bytes": sum(row.state_bytes for row in rows),
        }
        if self.rate is not None:
            total["rate"] = self.rate
            for key in ("stride", "receptive_field", "delay"):
                endless = isinf(total[key])
                total[f"{key}_ms"] = None if endless else round(total[key] * 1000 / self.rate, 3)
        return total

    def block(self, path: str) -> "Graph":
        """A named block, or a layer, as a network of its own, relative to what enters it.

        Raises `KeyError` for an unknown path, and `ValueError` for a block that reads values
        named outside it.
        """
        found = next((each for each in self.blocks if each.path == path), None)
        if found is None:
            at = next((i for i, node in enumerate(self.nodes) if node.path == path), None)
            if at is None:
                raise KeyError(path)
            if len(self.nodes[at].edges) > 1:
                raise ValueError(f"`{path}` joins several values and has no input of its own")
            found = Block(path, at, at + 1, self.nodes[at].edges[0].source, at + 1)
        return self._slice(found)

    def _slice(self, part: Block) -> "Graph":
        shift = part.start

        def inner(value: int) -> int:
            if value == part.entry:
                return 0
            if not part.start < value <= part.stop:
                raise ValueError(
                    f"`{part.path}` reads values from outside it and has no numbers of its own"
                )
            return value - shift

        nodes = tuple(
            replace(node, edges=tuple(Edge(inner(edge.source), edge.reach) for edge in node.edges))
            for node in self.nodes[part.start : part.stop]
        )
        blocks = tuple(
            replace(
                each,
                start=each.start - shift,
                stop=each.stop - shift,
                entry=inner(each.entry),
                exit=inner(each.exit),
            )
            for each in self.blocks
            if part.start <= each.start and each.stop <= part.stop and each.path != part.path
        )
        entry = self.frames[part.entry]
        times = times_of(nodes)
        output = inner(part.exit)
        return Graph(part.path, entry, None, nodes, blocks, output, self.dtype, times)


def times_of(nodes: tuple[Node, ...]) -> tuple[Time, ...]:
    """The time of every value, the input's first."""
    times = [IDENTITY]
    for node in nodes:
        times.append(join([compose(times[edge.source], edge.reach) for edge in node.edges]))
    return tuple(times)


def _widest(axes: list[Time]) -> Time:
    """The coarsest of several ways to sit over a dimension."""
    return max(axes, key=lambda axis: (axis.stride, axis.past))
