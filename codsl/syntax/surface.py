"""Which of its two forms a source is written in, and how a value is written there."""

import re
from enum import StrEnum
from typing import Any

from codsl.source import Source

MARK = "\ufeff"
"""What some editors put at the start of a file."""

GAP = r"(?:\s++|#[^\n]*+\n)*+"
"""What may stand between words; it is never read in a second way, for these are many."""

HEADER = re.compile(rf"{GAP}(?P<word>codsl){GAP}(?P<version>[0-9][\w.]*)")
"""The start of a source of the text form."""

TEXT_FORM = re.compile(r"^[ \t]*(network|template)[ \t]+.*\{", re.MULTILINE)
"""What only the text form has."""

_PLAIN = re.compile(r"[A-Za-z_]\w*")


class Surface(StrEnum):
    """A way to write a spec."""

    TEXT = "text"
    YAML = "yaml"

    @property
    def other(self) -> "Surface":
        """The other one."""
        return Surface.YAML if self is Surface.TEXT else Surface.TEXT

    @property
    def words(self) -> str:
        """What it is called in a sentence."""
        return "the text form" if self is Surface.TEXT else "YAML"


def surface(source: Source) -> Surface:
    """What a source is written in: a text that starts with `codsl 1` is of the text form."""
    return Surface.TEXT if is_text(source) else Surface.YAML


def is_text(source: Source) -> bool:
    """Whether a source is of the text form."""
    if source.name.endswith(".codsl"):
        return True
    return HEADER.match(source.text.removeprefix(MARK)) is not None


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
