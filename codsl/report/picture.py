"""What a picture of a report consists of, however it is written: rows, a time axis, wires."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from codsl.diagnostics import plural
from codsl.graph.report import Report, amount
from codsl.report.axis import Axis, axis
from codsl.report.marks import Gutter, tiled
from codsl.report.tree import Entry, height, levels, tree
from codsl.report.view import View, Views
from codsl.report.wires import Line, Wiring, wiring

INDENTED = 8
"""Levels that are set apart by indentation at most."""

MOST = 32
"""Rows that are shown at first, at most, as long as there is something to fold."""


@dataclass(frozen=True)
class Shown:
    """A line, folded or not, and what is shown of it."""

    line: Line
    view: View
    open: bool

    @property
    def last(self) -> int:
        """The last line that the row stands for."""
        return self.line.number if self.open else self.line.last

    @property
    def dot(self) -> str:
        """The kind of its dot."""
        if self.line.entry.folds:
            return "open" if self.open else "block"
        return "" if self.view.live else "open"

    @property
    def kind(self) -> str:
        """What stands behind the name, where that says more."""
        if self.line.entry.folds:
            return plural(self.view.layers, "layer")
        return "" if self.view.name.partition("[")[0] == self.view.type else self.view.type

    @property
    def role(self) -> str:
        """Which outputs of the network it is."""
        return f"\u2192 {', '.join(self.view.outputs)}" if self.view.outputs else ""


@dataclass(frozen=True)
class Picture:
    """A report with its layers in a tree; `depth` levels of blocks are unfolded at first."""

    report: Report
    depth: int

    @cached_property
    def views(self) -> Views:
        """What is shown of each layer or block."""
        return Views(self.report)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The layers as a tree."""
        return tree(self.report.nodes)

    @cached_property
    def wiring(self) -> Wiring:
        """The wires beside the rows."""
        return wiring(self.views, self.entries)

    @cached_property
    def gutter(self) -> Gutter:
        """The place of the wires."""
        return Gutter(self.wiring)

    @cached_property
    def all(self) -> tuple[View, ...]:
        """What is shown of each line."""
        return tuple(self.views.view(line.entry) for line in self.wiring.lines)

    @cached_property
    def axis(self) -> Axis:
        """The time axis, on which the windows of all layers fit."""
        return axis([view.window for view in self.all])

    @property
    def caption(self) -> str:
        """What the time axis counts."""
        rate = self.report.total.get("rate")
        pace = f", {rate:g} a second" if rate else ""
        scale = " (logarithmic)" if self.axis.log else ""
        return f"input frames before and after an output's own{pace}{scale}"

    @cached_property
    def strides(self) -> list[int]:
        """The strides whose items are seen as tiles."""
        return sorted({int(view.stride) for view in self.all if tiled(view.stride)} | {1})

    def rows(self) -> Iterator[Shown]:
        """The rows that are shown at first."""
        hidden = -1
        for line, view in zip(self.wiring.lines, self.all, strict=True):
            if line.number > hidden:
                shown = self.shown(line, view)
                if not shown.open:
                    hidden = line.last
                yield shown

    def shown(self, line: Line, view: View) -> Shown:
        """A line as it is shown at first."""
        return Shown(line, view, line.entry.folds and line.depth < self.depth)

    def shares(self, view: View) -> tuple[float, float]:
        """The parts, of the most that a row of the first level has, of its MACs and its state."""
        return _part(view.macs, self._most[0]), _part(view.state_bytes, self._most[1])

    @cached_property
    def _most(self) -> tuple[float, float]:
        top = [
            view for line, view in zip(self.wiring.lines, self.all, strict=True) if line.depth == 0
        ]
        return max(view.macs for view in top), max(view.state_bytes for view in top)

    def costs(self, view: View) -> tuple[str, str]:
        """The MACs and the state in figures."""
        macs, state = amount(view.macs), amount(view.state_bytes, "B")
        return macs if view.macs else "", state if view.state_bytes else ""


def picture(report: Report, depth: int | None = None) -> Picture:
    """A picture of a report.

    `depth` levels of blocks are unfolded; left out, as many as fit well on a screen.
    """
    entries = tree(report.nodes)
    deepest = levels(entries)
    if depth is None:
        fitting = [each for each in range(deepest + 1) if height(entries, each) <= MOST]
        depth = max(fitting, default=0)
    return Picture(report, min(depth, deepest))


def _part(value: float, most: float) -> float:
    return value / most if most else 0.0
