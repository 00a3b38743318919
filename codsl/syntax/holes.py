"""Patterns with holes in YAML, whose braces begin a mapping there: what to write instead."""

import re

from codsl.diagnostics import Applicability, Edit, Help
from codsl.source import Source, Span

_HOLE = r"\{\s*\w*\s*(?::\s*\w+\s*)?(?:[+-]\s*\d+\s*)?\}"
_PLAIN = r"[^\s\[\]{},\"'#:$]"
_QUOTED = r"\"[^\"\n]*\"|'[^'\n]*'"
_WORD = rf"{_PLAIN}*(?:{_HOLE}{_PLAIN}*)+|rows\[\d*:\d*\]"
_WORDS = re.compile(rf"{_QUOTED}|(?P<word>{_WORD})")
_SECTION = re.compile(r"^weights\s*:", re.MULTILINE)


def whole(at: Span) -> list[Help]:
    """The remedy where a hole stands alone, and has become a mapping."""
    return [_quote(at)] if re.fullmatch(_HOLE, at.text) and _in_weights(at) else []


def beside(source: Source, at: Span) -> list[Help]:
    """The remedy where a line of the weights breaks at a hole: all its patterns in quotes."""
    if not _in_weights(at):
        return []
    start = at.start - at.column + 1
    line = source.line(at.line)
    words = [found for found in _WORDS.finditer(line) if found["word"]]
    if not any(each.start() <= at.start - start <= each.end() for each in words):
        return []
    first, last = words[0].start(), words[-1].end()
    return [_quote(source.span(start + first, start + last))]


def _in_weights(at: Span) -> bool:
    return _SECTION.search(at.source.text, 0, at.start) is not None


def _quote(at: Span) -> Help:
    written = _WORDS.sub(lambda found: f'"{found[0]}"' if found["word"] else found[0], at.text)
    said = f"braces and brackets ask for quotes in YAML: `{written}`"
    return Help(said, (Edit(at, written),), Applicability.SURE)
