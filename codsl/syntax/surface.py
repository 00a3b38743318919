"""Which of its two forms a source is written in, and how values and entries are written there."""

import re
from typing import Any

from codsl.source import Source, Span

HEADER = re.compile(r"(?:\s*#[^\n]*\n|\s)*codsl[ \t]+([0-9][\w.]*)")
"""The start of a source of the text form."""

_PLAIN = re.compile(r"[A-Za-z_]\w*")


def is_text(source: Source) -> bool:
    """Whether a source is of the text form."""
    return source.name.endswith(".codsl") or HEADER.match(source.text) is not None


def written(value: Any, source: Source) -> str:
    """A number, a truth value, a word, nothing, or a tuple of such, as `source` would have it."""
    text = is_text(source)
    match value:
        case tuple():
            listed = ", ".join(written(each, source) for each in value)
            return f"({listed}{',' * (len(value) == 1)})" if text else f"[{listed}]"
        case str():
            return value if not text and _PLAIN.fullmatch(value) else f'"{value}"'
        case None:
            return "none" if text else "null"
        case bool():
            return "true" if value else "false"
        case _:
            return f"{value:g}" if isinstance(value, float) else str(value)


def entry(at: Span) -> Span:
    """An entry of a list or a mapping with the comma or the line that goes with it."""
    text, start, end = at.source.text, at.start, at.end
    comma = re.search(r",\s*$", text[:start])
    if comma:
        return Span(at.source, comma.start(), end)
    if comma := re.match(r"\s*,[ ]*", text[end:]):
        return Span(at.source, start, end + comma.end())
    line = re.search(r"(?:^|\n)[ ]*$", text[:start])
    rest = re.match(r"[ ]*(?:#[^\n]*)?(?=\n|$)", text[end:])
    if line and rest:
        return Span(at.source, line.start(), end + rest.end())
    return at
