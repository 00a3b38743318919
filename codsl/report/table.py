"""How a report looks in a terminal: blocks with their sums, and the layers below them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from codsl.diagnostics import escape
from codsl.graph.report import COLUMNS, Report, Row, amount
from codsl.report.picture import INDENTED
from codsl.report.tree import Entry, tree

GAP = 2
"""Blanks between two columns."""

SUMMED = {"params": "params", "MACs": "macs", "state": "state_bytes"}
"""The columns that add up over a block, and what they show."""

DISPENSABLE = ("stride", "params", "holds", "MACs", "shape", "state", "field")
"""What is left out where there is no room, the first first."""


@dataclass(frozen=True)
class Line:
    """A block or a layer: its own name, how deep it lies, and what the columns say of it."""

    depth: int
    name: str
    cells: dict[str, str]
    block: bool = False

    def title(self, typed: bool) -> Text:
        """The name, indented; with the type behind it where that says more and `typed` asks."""
        text = Text("  " * min(self.depth, INDENTED))
        text.append(escape(self.name), "bold" if self.block else "")
        kind = escape(self.cells.get("type", ""))
        if typed and kind and escape(self.name).partition("[")[0] != kind:
            text.append(f" {kind}", "cyan")
        return text


def show(report: Report, console: Console) -> None:
    """Print a report: its table as wide as the console allows, then the totals."""
    lines = list(outline(report))
    shown, left_out = fitting(lines, console.width)
    console.print(Text(escape(report.name), "bold"))
    console.print()
    console.print(table(lines, shown))
    console.print()
    if left_out:
        words = f"no room here for {', '.join(left_out)}: a wider window or --json shows all"
        console.print(Text(words, "dim"))
        console.print()
    console.print(totals(report))


def table(lines: Sequence[Line], columns: Sequence[str]) -> Table:
    """The lines as a Rich table with these columns."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for column in columns:
        left = column in ("path", "type", "shape")
        made.add_column(
            column,
            justify="left" if left else "right",
            overflow="fold",
            no_wrap=column != "path",
            style="cyan" if column == "type" else None,
        )
    typed = "type" not in columns
    for line in lines:
        style = "dim" if line.block else ""
        cells = [Text(escape(line.cells.get(column, "")), style) for column in columns[1:]]
        made.add_row(line.title(typed), *cells)
    return made


def totals(report: Report) -> Table:
    """The whole network, in words and figures."""
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for word, figure in report.summary():
        grid.add_row(Text(escape(word)), Text(escape(figure)))
    return grid


def outline(report: Report) -> Iterator[Line]:
    """The layers in order, each block named above its own."""
    yield from _lines(report, report.cells(), tree(report.nodes, gather=False), 0)


def _lines(
    report: Report, cells: Sequence[tuple[str, ...]], entries: Sequence[Entry], depth: int
) -> Iterator[Line]:
    for entry in entries:
        if entry.folds:
            inside = [report.nodes[node] for node in entry.nodes]
            yield Line(depth, entry.name, _sums(inside), block=True)
            yield from _lines(report, cells, entry.parts, depth + 1)
        else:
            own = dict(zip(COLUMNS, cells[entry.nodes[0]], strict=True))
            yield Line(depth, entry.name, own)


def fitting(lines: Sequence[Line], width: int) -> tuple[list[str], list[str]]:
    """The columns that fit into `width`, and those that do not.

    First the type moves behind the name, then columns that say nothing go, then those that one
    can do without.
    """
    shown = list(COLUMNS)
    if _width(lines, shown) <= width:
        return shown, []
    shown.remove("type")
    for column in [each for each in ("holds", "stride") if _silent(lines, each)]:
        if _width(lines, shown) > width:
            shown.remove(column)
    left_out = []
    for column in DISPENSABLE:
        if column in shown and _width(lines, shown) > width:
            shown.remove(column)
            left_out.append(column)
    return shown, left_out


def _width(lines: Sequence[Line], columns: Sequence[str]) -> int:
    """Characters that a table with these columns takes."""
    typed = "type" not in columns
    widths = [max((line.title(typed).cell_len for line in lines), default=0)]
    for column in columns[1:]:
        cells = (cell_len(escape(line.cells.get(column, ""))) for line in lines)
        widths.append(max(len(column), *cells))
    return sum(widths) + GAP * (len(widths) - 1)


def _silent(lines: Sequence[Line], column: str) -> bool:
    """Whether a column says of every layer what can be taken for granted."""
    return {line.cells[column] for line in lines if not line.block} <= {"", "1"}


def _sums(rows: Sequence[Row]) -> dict[str, str]:
    """What the layers of a block come to."""
    return {
        column: amount(sum(getattr(row, field) for row in rows), "B" if column == "state" else "")
        for column, field in SUMMED.items()
    }
