"""Expressions that YAML has cut at their commas, found and put together again.

In flow style `{a: $(max(x, 2))}` is read as the two entries `a: $(max(x` and `2))`.
"""

import re
from typing import Any

import yaml

from codsl.diagnostics import Applicability, Edit, Findings, Help
from codsl.source import Source, Span

_BRACKET = re.compile(r"[()\n]")


def mend(node: yaml.Node, source: Source, findings: Findings) -> None:
    """Report the expressions that are cut in a collection, and give it their whole texts."""
    if not isinstance(node, yaml.CollectionNode) or not any(map(_is_cut, node.value)):
        return
    entries: list[Any] = []
    end = 0
    for entry in node.value:
        value = _value(entry)
        start = entry[0] if isinstance(entry, tuple) else entry
        if start.start_mark.index < end:
            continue
        whole = _whole(value, source, findings) if _is_cut(entry) else None
        if whole is not None:
            end = whole.end
            value = _scalar(value, whole)
        entries.append((entry[0], value) if isinstance(entry, tuple) else value)
    node.value[:] = entries


def _value(entry: Any) -> yaml.Node:
    """The value of a mapping's entry, or the item of a list itself."""
    return entry[1] if isinstance(entry, tuple) else entry  # type: ignore[no-any-return]


def _is_cut(entry: Any) -> bool:
    """Whether this is the beginning of an expression, and not all of it."""
    node = _value(entry)
    return (
        isinstance(node, yaml.ScalarNode)
        and not node.style
        and node.value.startswith(("$(", "("))
        and node.value.count("(") > node.value.count(")")
    )


def _whole(node: yaml.Node, source: Source, findings: Findings) -> Span | None:
    """The place of the whole expression of which `node` is the beginning, once it is reported."""
    start = node.start_mark.index
    end = _closing(source.text, start)
    if end is None or end <= node.end_mark.index or "," not in source.text[start:end]:
        return None
    whole = source.span(start, end)
    if whole.text.startswith("("):
        return whole
    findings.add(
        "E0204",
        "YAML splits this expression at its comma",
        whole,
        notes=("inside `{...}` and `[...]` a comma separates entries, unless it is in quotes",),
        helps=(_sure(f'put it in quotes: `"{whole.text}"`', whole, f'"{whole.text}"'),),
    )
    return whole


def round_tuple(whole: Span, findings: Findings) -> None:
    """Report a tuple that is written as Python has it."""
    listed = f"[{whole.text[1:-1].rstrip(', ')}]"
    findings.add(
        "E0204",
        "in YAML a tuple is a list",
        whole,
        helps=(_sure(f"write `{listed}`", whole, listed),),
    )


def _sure(said: str, at: Span, written: str) -> Help:
    return Help(said, (Edit(at, written),), Applicability.SURE)


def _closing(text: str, start: int) -> int | None:
    """Behind the bracket that closes the first one after `start`, on the same line."""
    depth = 0
    for bracket in _BRACKET.finditer(text, start):
        if bracket[0] == "\n":
            return None
        depth += 1 if bracket[0] == "(" else -1
        if not depth:
            return bracket.end()
    return None


def _scalar(node: yaml.Node, whole: Span) -> yaml.ScalarNode:
    mark = node.start_mark
    end = yaml.Mark(mark.name, whole.end, mark.line, mark.column, None, 0)
    return yaml.ScalarNode(node.tag, whole.text, mark, end, style=None)
