"""The graph: nodes in order with their times, their cost, and the plan of what is kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import zip_longest
from math import isinf
from typing import Any

from codsl.algebra.cycle import Cycle, Reading, cycle
from codsl.algebra.ports import Inlet, Outlet
from codsl.algebra.shape import Frame
from codsl.algebra.shared import Shared
from codsl.algebra.time import IDENTITY, MOST, Time, Unsteady, compose, hold, join, length, rate
from codsl.diagnostics import plural
from codsl.graph.align import Schedule, align
from codsl.graph.fingerprint import Fingerprint, fingerprint
from codsl.graph.node import Edge, Node
from codsl.graph.report import Bundle, Report, Row, endless
from codsl.graph.written import Written
from codsl.layers.recipe import outputs_worked
from codsl.spec.known import Known
from codsl.spec.spec import Block


@dataclass(frozen=True, eq=False, repr=False)
class Graph(Shared):
    """A checked network. Its values are its inputs, and from `base` on what the nodes give.

    `times` has the time of every value, relative to the frames that enter, `knowns` the
    checkpoints that the spec knows by name, and `written` is the spec itself.
    """

    name: str
    inputs: tuple[Inlet, ...]
    rate: float | None
    nodes: tuple[Node, ...]
    blocks: tuple[Block, ...]
    outputs: tuple[Outlet, ...]
    dtype: str | None
    times: tuple[Time, ...]
    knowns: Mapping[str, Known] = field(default_factory=dict)
    written: Written | None = None

    def __repr__(self) -> str:
        field = endless(self.receptive_field)
        return (
            f"Graph({self.name}: {plural(len(self.nodes), 'layer')}, receptive field {field}, "
            f"delay {self.delay}, stride {self.stride})"
        )

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> Bundle:
        return self.report().bundle(repr(self), include or (), exclude or ())

    @property
    def base(self) -> int:
        """The value that the first node gives."""
        return len(self.inputs)

    @property
    def input(self) -> Frame:
        """The frame of the first input."""
        return self.inputs[0].frame

    @property
    def output(self) -> int:
        """The value that is the first output."""
        return self.outputs[0].value

    @property
    def time(self) -> Time:
        """The time of the first output."""
        return self.times[self.output]

    @property
    def receptive_field(self) -> float:
        """Frames from the oldest to the newest that one output depends on; may be `math.inf`.

        Of several outputs the most, as for `delay` and `stride`.
        """
        return max(self.times[each.value].receptive_field for each in self.outputs)

    @property
    def delay(self) -> int:
        """Frames that an output comes later than its own at most, of a period and of all outputs.

        Without upsampling it is the frame at which the first comes, counted from 0: `begins`.
        """
        return max(self.times[each.value].delay for each in self.outputs)

    @property
    def begins(self) -> int:
        """The frame at which the first output comes out of a stream, counted from 0; of several
        outputs the last to begin."""
        return max(self.times[each.value].phases[0].due for each in self.outputs)

    @property
    def stride(self) -> int | Fraction:
        """Input frames per output."""
        return max(self.times[each.value].stride for each in self.outputs)

    @property
    def min_frames(self) -> int:
        """The least clip that has an output, and an input for every layer."""
        return self.shortest[0]

    @cached_property
    def live(self) -> frozenset[int]:
        """The nodes that the output is made of; the others are never computed."""
        needed = {outlet.value for outlet in self.outputs}
        for index in reversed(range(len(self.nodes))):
            if self.base + index in needed:
                needed.update(edge.source for edge in self.nodes[index].edges)
        return frozenset(value - self.base for value in needed if value >= self.base)

    @cached_property
    def shortest(self) -> tuple[int, str]:
        """The least clip, and the path of the layer that asks for it."""
        named = ((self.times[self.base + i], self.nodes[i]) for i in sorted(self.live))
        return max(
            ((time.shortest, node.path) for time, node in named),
            default=(1, ""),
            key=lambda entry: entry[0],
        )

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The frame of every value."""
        return (*(inlet.frame for inlet in self.inputs), *(node.frame for node in self.nodes))

    @cached_property
    def schedule(self) -> Schedule:
        """When each node fires in a stream, and what is kept for it."""
        outputs = [outlet.value for outlet in self.outputs]
        return align(self.nodes, self.times, self.frames, outputs, self.live)

    @cached_property
    def cycle(self) -> Cycle:
        """From which frame on its streams repeat themselves, and after how many frames."""
        fires, base = self.schedule.fires, self.base
        live = sorted(self.live)
        values = [*fires[:base], *(fires[base + index] for index in live)]
        readings = [
            Reading(edge.reach, fires[base + index])
            for index in live
            for edge in self.nodes[index].edges
        ]
        return cycle(values, readings)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """What tells its streams from those of another network; the same in every process."""
        return fingerprint(self.inputs, self.nodes, self.live, self.schedule)

    @cached_property
    def space(self) -> tuple[Time, ...]:
        """How an output sits over each dimension of space, as far as there is one; of several
        outputs the coarsest way.

        Raises `ValueError` for one that takes too many positions to repeat itself.
        """
        axes: list[tuple[Time, ...]] = [
            (IDENTITY,) * len(inlet.frame.space) for inlet in self.inputs
        ]
        for node in self.nodes:
            try:
                axes.append(_over(node, [axes[edge.source] for edge in node.edges]))
            except Unsteady:
                raise ValueError(
                    f"`{node.path}`: more than {MOST} positions until the pattern of how it sits "
                    "over space repeats itself"
                ) from None
        columns = zip_longest(*(axes[each.value] for each in self.outputs))
        return tuple(_widest([axis for axis in column if axis]) for column in columns)

    @property
    def parameters(self) -> int:
        """How many numbers there are to learn."""
        return sum(node.parameters for node in self.nodes)

    def clip_macs(self, frames: int) -> int:
        """Multiply-accumulates of convolutions and matrix products of a clip of so many frames."""
        return round(sum(self._clip_macs(index, frames) for index in self.live))

    def _clip_macs(self, index: int, frames: int) -> int | Fraction:
        node, outputs = self.nodes[index], length(self.times[self.base + index], frames)
        items = length(self.times[node.edges[0].source], frames)
        return node.macs * outputs_worked(node.recipe, items, outputs)

    def report(self) -> Report:
        """What the network is, node by node, as plain data; `str()` of it is a table."""
        rows = tuple(map(self._row, range(len(self.nodes))))
        return Report(self.name, rows, self._total(rows))

    def _row(self, index: int) -> Row:
        node, value = self.nodes[index], self.base + index
        time, fires = self.times[value], self.schedule.fires
        live = index in self.live
        return Row(
            node.path,
            node.type,
            tuple(self._word(edge.source) for edge in node.edges),
            tuple(written(node.frame)),
            node.parameters,
            time.stride,
            time.receptive_field,
            time.past,
            time.ahead,
            time.delay,
            fires[value].delay,
            tuple(hold(fires[edge.source], edge.reach, fires[value]) for edge in node.edges),
            rate(time, node.macs) if live else 0,
            self.schedule.bytes_of(index),
            tuple(each.name or "output" for each in self.outputs if each.value == value),
            live,
        )

    def _word(self, value: int) -> str:
        """What a value is called: an input by its name, a node by its path."""
        if value < self.base:
            return self.inputs[value].name or "input"
        return self.nodes[value - self.base].path

    def _total(self, rows: tuple[Row, ...]) -> dict[str, Any]:
        field = self.receptive_field
        clip = self.min_frames if isinf(field) else max(int(field), self.min_frames)
        total: dict[str, Any] = {
            "input": _by_name([(each.name, written(each.frame)) for each in self.inputs]),
            "output": _by_name(
                [(each.name, written(self.frames[each.value])) for each in self.outputs]
            ),
            "params": self.parameters,
            "stride": self.stride,
            "receptive_field": field,
            "delay": self.delay,
            "min_frames": self.min_frames,
            "macs": sum(row.macs for row in rows),
            "clip_frames": clip,
            "clip_macs": self.clip_macs(clip),
            "state_bytes": sum(row.state_bytes for row in rows),
        }
        if self.outputs[0].name:
            total["outputs"] = {
                each.name: {
                    "stride": self.times[each.value].stride,
                    "receptive_field": self.times[each.value].receptive_field,
                    "delay": self.times[each.value].delay,
                }
                for each in self.outputs
            }
        if self.rate is not None:
            total["rate"] = self.rate
            for key in ("stride", "receptive_field", "delay"):
                ms = float(total[key]) * 1000 / self.rate
                total[f"{key}_ms"] = None if isinf(ms) else round(ms, 3)
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
            found = Block(path, at, at + 1, self.nodes[at].edges[0].source, self.base + at)
        return self._slice(found)

    def _slice(self, part: Block) -> "Graph":
        def inner(value: int) -> int:
            if value == part.entry:
                return 0
            if not part.start <= value - self.base < part.stop:
                raise ValueError(
                    f"`{part.path}` reads values from outside it and has no numbers of its own"
                )
            return value - self.base - part.start + 1

        nodes = tuple(
            replace(node, edges=tuple(Edge(inner(edge.source), edge.reach) for edge in node.edges))
            for node in self.nodes[part.start : part.stop]
        )
        blocks = tuple(
            replace(
                each,
                start=each.start - part.start,
                stop=each.stop - part.start,
                entry=inner(each.entry),
                exit=inner(each.exit),
            )
            for each in self.blocks
            if part.start <= each.start and each.stop <= part.stop and each.path != part.path
        )
        entry = (Inlet("", self.frames[part.entry]),)
        output = (Outlet("", inner(part.exit)),)
        return Graph(part.path, entry, None, nodes, blocks, output, self.dtype, times_of(nodes))


def written(frame: Frame) -> list[int | str]:
    """A frame as reports have it, time second."""
    return [frame.channels, "T", *frame.space]


def _by_name(entries: list[tuple[str, Any]]) -> Any:
    """One thing that has no name, or several by name."""
    return dict(entries) if entries[0][0] else entries[0][1]


def times_of(nodes: tuple[Node, ...], inputs: int = 1) -> tuple[Time, ...]:
    """The time of every value, the inputs' first."""
    times = [IDENTITY] * inputs
    for node in nodes:
        times.append(join([compose(times[edge.source], edge.reach) for edge in node.edges]))
    return tuple(times)


def _over(node: Node, inputs: list[tuple[Time, ...]]) -> tuple[Time, ...]:
    """How a node sits over each dimension of space, by how its inputs do."""
    here = node.over(len(inputs[0]))
    columns = zip(zip(*inputs, strict=False), here, strict=False)
    return tuple(_widest([compose(axis, own) for axis in column]) for column, own in columns)


def _widest(axes: list[Time]) -> Time:
    """The coarsest of several ways to sit over a dimension."""
    return max(axes, key=lambda axis: (axis.stride, axis.past))
