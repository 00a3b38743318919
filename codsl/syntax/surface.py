"""Which of its two forms a source is written in, and how a value is written there."""

import re
from typing import Any

from codsl.source import Source

HEADER = re.compile(r"(?:\s*#[^\n]*\n|\s)*codsl[ \t]+([0-9][\w.]*)")
"""The start of a source of the text form."""

TEXT_FORM = re.compile(r"^[ \t]*(network|template)\b.*\{", re.MULTILINE)
"""What only the text form has."""

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
