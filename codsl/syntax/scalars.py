"""Where the characters of a YAML scalar stand, from which escapes and folded lines are gone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import yaml

from codsl.source import Span

_ANCHOR = re.compile(r"(?:&\S+\s+)?")
_GAP = re.compile(r"\s*")
_ESCAPED_GAP = re.compile(r"(?:\s|\\[\s_ntvfrNLP])*")
_BLANK = re.compile(r"\s")
_ESCAPED_BLANK = re.compile(r"(?:\\\r?\n[ \t]*)*(?:\s|\\[ \tntvfrNLP_])")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([\"\\/]))")


@final
@dataclass(frozen=True)
class Written:
    """The text of a scalar at `at`: where each of its characters starts and ends, or nothing where
    that is not known."""

    at: Span
    places: Sequence[tuple[int, int]]

    def span(self, start: int, end: int) -> Span:
        """Where a stretch of the text stands; the whole scalar, which no edit may touch, where that
        is not known."""
        if not self.places:
            return replace(self.at, barred="")
        begins = self.places[start][0] if start < len(self.places) else self.places[-1][1]
        ends = self.places[end - 1][1] if end > start else begins
        quote = self.at.source.text[self.at.end - 1]
        barred = quote if quote in ("'", '"') else None
        return replace(self.at, start=begins, end=ends, barred=barred)


def behind(node: yaml.ScalarNode, at: Span, skipped: int) -> Written:
    """What a scalar says behind its first characters."""
    found = [(at.start + start, at.start + end) for start, end in _places(node, at.text)]
    return Written(at, found[skipped:])


def _places(node: yaml.ScalarNode, text: str) -> list[tuple[int, int]]:
    """Where each character of a scalar stands in what is written; none where one is not found.

    How lines are folded does not matter: white space is where its neighbours leave room for it.
    """
    style, value = str(node.style or ""), str(node.value)
    if (found := text.rfind(value)) >= 0:
        return [(at, at + 1) for at in range(found, found + len(value))]
    at = _after(_ANCHOR, text, 0)
    at = text.find("\n", at) if style in ("|", ">") else at + len(style)
    places: list[tuple[int, int]] = []
    for char in value:
        if char.isspace():
            start, at = at, _after(_ESCAPED_BLANK if style == '"' else _BLANK, text, at)
        else:
            start = _after(_ESCAPED_GAP if style == '"' else _GAP, text, at)
            at = start + _length(char, text, start, style)
            if at == start:
                return []
        places.append((start, at))
    return places


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where a pattern that begins at a place ends; there where it does not."""
    found = pattern.match(text, at)
    return found.end() if found else at


def _length(char: str, text: str, at: int, style: str) -> int:
    """How many characters stand for one here; 0 where others do."""
    if style == "'" and char == "'":
        return 2 if text.startswith("''", at) else 0
    if style == '"' and (escape := _ESCAPE.match(text, at)):
        code, literal = escape[1] or escape[2] or escape[3], escape[4]
        same = literal == char if literal else int(code, 16) == ord(char)
        return len(escape[0]) if same else 0
    return 1 if text.startswith(char, at) else 0
