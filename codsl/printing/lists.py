"""Lists of the text form that may take several lines: arguments, parameters, tuples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from codsl.printing.anchors import arguments, parameters, start, value
from codsl.printing.expressions import Writer
from codsl.printing.layout import Layout
from codsl.printing.lines import INDENT, Line, filled, fits
from codsl.syntax import tree


@final
@dataclass(frozen=True)
class Entry:
    """One of a list: what stands before its value, the value, and where it starts."""

    before: str
    value: tree.Expression | None
    at: int


@final
class Lists:
    """Writes lists: on one line; else what is in the brackets on one; else an entry a line."""

    def __init__(self, writer: Writer, layout: Layout) -> None:
        self._writer = writer
        self._layout = layout
        self._margins = layout.margins

    def arguments(
        self, head: str, kind: str, given: Sequence[tree.Argument], tail: str, indent: int
    ) -> list[Line]:
        """Arguments in brackets between `head` and `tail`; no brackets where there are none."""
        keyed = self._writer.keyed(kind, given)
        entries = [Entry(key, each.value, start(each)) for key, each in keyed]
        quiet = self._margins.quiet(arguments(given))
        head, tail = (f"{head}(", f"){tail}") if given else (head, tail)
        return self._listed(head, entries, tail, indent, quiet)

    def parameters(
        self, head: str, given: Sequence[tree.Parameter], tail: str, indent: int
    ) -> list[Line]:
        """Parameters in brackets; no brackets where there are none."""
        entries = [Entry(_declared(each), each.default, start(each)) for each in given]
        quiet = self._margins.quiet(parameters(given))
        head, tail = (f"{head}(", f"){tail}") if given else (head, tail)
        return self._listed(head, entries, tail, indent, quiet, spaced=True)

    def value(
        self, before: str, given: tree.Expression | None, after: str, indent: int
    ) -> list[Line]:
        """A value between what stands before and after it."""
        match given:
            case tree.Tuple(items) if items:
                return self._tuple(f"{before}(", given, f"){after}", indent)
            case tree.Call(function, arguments) if arguments:
                head = f"{before}{function.text}"
                return self.arguments(head, function.text, arguments, after, indent)
        written = self._writer.expression(given) if given else ""
        return [Line(indent, f"{before}{written}{after}")]

    def entries(
        self, entries: Sequence[Entry], indent: int, spaced: bool = False, last: str = ""
    ) -> list[Line]:
        """An entry a line, or more lines, with commas between them and `last` at the end."""
        lines: list[Line] = []
        for number, each in enumerate(entries, 1):
            comma = "," if number < len(entries) else last
            written = self.value(each.before, each.value, comma, indent)
            lines += self._layout.dressed(each.at, written, first=number == 1, spaced=spaced)
        return lines

    def _listed(
        self,
        head: str,
        entries: Sequence[Entry],
        tail: str,
        indent: int,
        quiet: bool,
        spaced: bool = False,
    ) -> list[Line]:
        inner = ", ".join(map(self._flat, entries))
        if quiet and (fits(indent, f"{head}{inner}{tail}") or not entries):
            return [Line(indent, f"{head}{inner}{tail}")]
        opening = Line(indent, head, self._margins.headline(each.at for each in entries))
        if quiet and fits(indent + INDENT, inner):
            return [opening, Line(indent + INDENT, inner), Line(indent, tail)]
        return [opening, *self.entries(entries, indent + INDENT, spaced), Line(indent, tail)]

    def _tuple(self, head: str, node: tree.Tuple, tail: str, indent: int) -> list[Line]:
        """A tuple; its items fill the lines, but for those that hold tuples of tuples."""
        written = self._writer.expression(node)[1:-1]
        if self._margins.quiet(value(node)) and fits(indent, f"{head}{written}{tail}"):
            return [Line(indent, f"{head}{written}{tail}")]
        entries = [Entry("", each, start(each)) for each in node.items]
        opening = Line(indent, head, self._margins.headline(each.at for each in entries))
        if self._is_plain(node, indent + INDENT):
            items = [self._flat(each) for each in entries]
            inner = filled([*items[:-1], f"{items[-1]}{',' * (len(items) == 1)}"], indent + INDENT)
        else:
            inner = self.entries(entries, indent + INDENT, last="," * (len(entries) == 1))
        return [opening, *inner, Line(indent, tail)]

    def _is_plain(self, node: tree.Tuple, indent: int) -> bool:
        """Whether the items of a tuple fill lines well, and nothing is said of any."""
        return not any(
            self._margins.says(start(each), but_opening=True)
            or not self._margins.quiet(value(each))
            or _is_deep(each)
            or not fits(indent, self._writer.expression(each))
            for each in node.items
        )

    def _flat(self, entry: Entry) -> str:
        written = self._writer.expression(entry.value) if entry.value else ""
        return f"{entry.before}{written}"


def _declared(parameter: tree.Parameter) -> str:
    """A parameter up to its default."""
    kind = f": {parameter.type.text}" if parameter.type else ""
    default = " = " if parameter.default is not None else ""
    return f"{parameter.name.text}{kind}{default}"


def _is_deep(node: tree.Expression) -> bool:
    """Whether a tuple holds tuples."""
    return isinstance(node, tree.Tuple) and any(isinstance(each, tree.Tuple) for each in node.items)
