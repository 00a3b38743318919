"""What is shown of a layer or a folded block: its window, what it adds to it, and its cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from codsl.graph.report import Report, Row
from codsl.report.tree import Entry


@dataclass(frozen=True)
class Window:
    """What an output sees around its own frame, and how much later than that it is computed."""

    past: float = 0
    ahead: int = 0
    fires: int = 0


@dataclass(frozen=True)
class View:
    """A row of the picture. `before` is the window of what it reads, so that one sees what it adds;
    `holds` are the frames that its inputs wait, `strides` those of what it gives."""

    path: str
    name: str
    type: str
    shape: tuple[int | str, ...]
    window: Window
    before: Window
    stride: int | Fraction
    stride_before: int | Fraction
    holds: tuple[int, ...]
    params: int
    macs: float
    state_bytes: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layers: int
    live: bool


@dataclass(frozen=True)
class Views:
    """The layers of a report, seen one by one or a block at a time."""

    report: Report

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each layer, by its path."""
        return {row.path: number for number, row in enumerate(self.report.nodes)}

    @cached_property
    def inputs(self) -> Mapping[str, Sequence[int | str]]:
        """The shapes of what enters the network, by name."""
        shapes = self.report.total["input"]
        return shapes if isinstance(shapes, dict) else {"input": shapes}

    @cached_property
    def _readers(self) -> Mapping[int, int]:
        """The last layer that reads each layer."""
        return {
            self.numbers[name]: number
            for number, row in enumerate(self.report.nodes)
            for name in row.inputs
            if name in self.numbers
        }

    def reads(self, nodes: range) -> list[str]:
        """What these layers read from outside them, in the order read, each once."""
        rows = self.report.nodes
        found = (name for node in nodes for name in rows[node].inputs)
        return list(dict.fromkeys(each for each in found if self.numbers.get(each) not in nodes))

    def exits(self, nodes: range) -> list[Row]:
        """The layers among these that others read, or that are outputs; else the last."""
        rows = self.report.nodes
        found = [
            rows[node]
            for node in nodes
            if rows[node].outputs or self._readers.get(node, -1) >= nodes.stop
        ]
        return found or [rows[nodes[-1]]]

    def view(self, entry: Entry) -> View:
        """What is shown of a layer, or of a block while it is folded: of several values that leave
        it the widest window, and the shape of the last."""
        rows = [self.report.nodes[node] for node in entry.nodes]
        exits, reads = self.exits(entry.nodes), self.reads(entry.nodes)
        sources = [self.report.nodes[self.numbers[each]] for each in reads if each in self.numbers]
        last = exits[-1]
        return View(
            entry.path,
            entry.name,
            "" if entry.folds else last.type,
            last.shape,
            _widest(exits),
            _widest(sources),
            last.stride,
            max((each.stride for each in sources), default=1),
            () if entry.folds else last.holds,
            sum(row.params for row in rows),
            sum(row.macs for row in rows),
            sum(row.state_bytes for row in rows),
            tuple(reads),
            tuple(name for row in rows for name in row.outputs),
            len(rows),
            any(row.live for row in rows),
        )


def _widest(rows: Sequence[Row]) -> Window:
    """The window that holds those of all; that of a frame where there is none."""
    return Window(
        max((row.past for row in rows), default=0),
        max((row.ahead for row in rows), default=0),
        max((row.fires for row in rows), default=0),
    )
