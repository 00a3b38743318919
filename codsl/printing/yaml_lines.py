"""The YAML form as `codsl fmt` writes it: from an outline to lines."""

from dataclasses import replace
from typing import TypeGuard, final

from codsl.printing.layout import Layout
from codsl.printing.lines import INDENT, Line, fits
from codsl.printing.outline import (
    Entry,
    Group,
    Leaf,
    Outline,
    Space,
    Style,
    flow,
    flow_entry,
    holds_mapping,
)

MOST = 2
"""Lines of a mapping in brackets at most; one that needs more has an entry a line."""


def yaml_lines(outline: Group, layout: Layout) -> list[Line]:
    """The lines of a file."""
    printer = _Printer(layout)
    written = {each.key: printer.written(each, 0, apart=True) for each in outline.entries}
    if layout.headline:
        keys = {key.block: key for key in written if key}
        params = keys.get("params")
        short = params is not None and len(written[params]) == 1
        lines = written[params if short else keys["name"]]
        lines[-1] = replace(lines[-1], comment=layout.headline)
    lines = [line for each in written.values() for line in each]
    for remark in layout.margins.end:
        lines += [*[Line()] * remark.blank, Line(0, remark.text)]
    return lines


@final
class _Printer:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._margins = layout.margins

    def written(self, entry: Entry, indent: int, apart: bool) -> list[Line]:
        """An entry on lines of its own; `apart` says whether anything stands above it."""
        lines = self._keyed(entry, indent) if entry.key else self._item(entry, indent)
        if entry.at is not None:
            headed = lines[0].code.endswith(":") and entry.key is None
            if headed or (isinstance(entry.value, Leaf) and entry.value.below):
                said = self._margins.beside.pop(entry.at, "")
                lines[0] = replace(lines[0], comment=said or lines[0].comment)
            tight = entry.space is not Space.FREE and not (entry.space is Space.KEPT and apart)
            spaced = entry.space is not Space.NEVER
            lines = self._layout.dressed(entry.at, lines, first=tight, spaced=spaced)
        return [*[Line()] * (entry.space is Space.APART and apart), *lines]

    def _entries(self, group: Group, indent: int) -> list[Line]:
        """A collection with an entry a line."""
        lines: list[Line] = []
        for each in group.entries:
            lines += self.written(each, indent, apart=bool(lines))
        return lines

    def _keyed(self, entry: Entry, indent: int) -> list[Line]:
        key, value = f"{entry.key.block}:" if entry.key else "", entry.value
        if isinstance(value, Leaf):
            below = [Line(indent + INDENT, each) for each in value.below]
            if not fits(indent, f"{key} {value.block}") and fits(indent + INDENT, value.block):
                return [Line(indent, key), Line(indent + INDENT, value.block)]
            return [Line(indent, f"{key} {value.block}"), *below]
        if (lines := self._in_brackets(value, indent, f"{key} ")) is not None:
            return lines
        return [Line(indent, key, self._headline(value)), *self._entries(value, indent + INDENT)]

    def _item(self, entry: Entry, indent: int) -> list[Line]:
        value = entry.value
        if isinstance(value, Leaf):
            return [Line(indent, f"- {value.block}")]
        if (lines := self._in_brackets(value, indent, "- ")) is not None:
            return lines
        headline, lines = self._headline(value), self._entries(value, indent + INDENT)
        if headline or lines[0].code.startswith("#"):
            return [Line(indent, "-", headline), *lines]
        return [replace(lines[0], indent=indent, code=f"- {lines[0].code}"), *lines[1:]]

    def _headline(self, group: Group) -> str:
        return self._margins.headline(each.at for each in group.entries if each.at is not None)

    def _in_brackets(self, group: Group, indent: int, before: str) -> list[Line] | None:
        """A collection in brackets, if that is how it reads best."""
        if group.style is Style.FLOW or not group.entries:
            return _hung(group, indent, before)
        if group.style is Style.BLOCK or not self._is_quiet(group):
            return None
        lines = _hung(group, indent, before)
        if len(lines) == 1:
            return lines
        if any(holds_mapping(each.value) for each in group.entries):
            return None
        short = len(lines) <= MOST and all(fits(0, str(line)) for line in lines)
        return lines if short or not group.is_mapping else None

    def _is_quiet(self, group: Group) -> bool:
        """Whether nothing is said inside a collection."""
        margins = self._margins
        return not any(
            margins.says(each.at) or (each.space is Space.KEPT and each.at in margins.spaced)
            for each in group.all()
            if each.at is not None
        )


def _hung(group: Group, indent: int, before: str) -> list[Line]:
    """A collection in brackets behind a key, whose entries fill as many lines as it takes."""
    (_, first), *others = _filled(group, indent + len(before), "")
    return [Line(indent, f"{before}{first}"), *(Line(at, code) for at, code in others)]


def _filled(group: Group, column: int, after: str) -> list[tuple[int, str]]:
    """Lines of a collection, each with its column; items that hold lists of lists have a line."""
    whole = f"{flow(group)}{after}"
    if fits(column, whole) or not group.entries:
        return [(column, whole)]
    deep = not group.is_mapping and any(map(_is_deep, group.entries))
    opening, closing = "{}" if group.is_mapping else "[]"
    lines = [(column, opening)]
    for entry in group.entries:
        end = "," if entry is not group.entries[-1] else f"{closing}{after}"
        at, line = lines[-1]
        if line != opening:
            goes_on = not deep and fits(at, f"{line} {flow_entry(entry)}{end}")
            at, line = lines.pop() if goes_on else (column + 1, "")
            line += " " if line else ""
        else:
            lines.pop()
        line += f"{entry.key.flow}: " if entry.key else ""
        if isinstance(entry.value, Leaf):
            lines.append((at, f"{line}{entry.value.flow}{end}"))
        else:
            (_, first), *others = _filled(entry.value, at + len(line), end)
            lines += [(at, f"{line}{first}"), *others]
    return lines


def _is_deep(entry: Entry) -> bool:
    """Whether this is a list of lists."""
    return _is_list(entry.value) and any(_is_list(each.value) for each in entry.value.entries)


def _is_list(node: Outline) -> TypeGuard[Group]:
    return isinstance(node, Group) and not node.is_mapping
