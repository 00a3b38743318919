"""Where brackets open and close in either form, and where the entries between them end."""

import re

from codsl.source import Source, Span

_BRACKETS = re.compile(r"""[()\[\]{}]|(?:^|\s)#[^\n]*|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
"""What opens and closes, and what may hold such signs for nothing."""
_LINES = re.compile(r"^([ \t]*)([^\s#][^\n]*)", re.MULTILINE)
"""What stands on a line, and how far right it begins."""
_PAIRS = {")": "(", "]": "[", "}": "{"}


def whole_entry(at: Span) -> Span:
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


def closing(text: str, start: int) -> int | None:
    """Where the bracket stands that closes the first one from `start` on."""
    depth = 0
    for found in _BRACKETS.finditer(text, start):
        depth += 1 if found[0] in "([{" else -1 if found[0] in ")]}" else 0
        if found[0] in ")]}" and depth <= 0:
            return found.start() if depth == 0 else None
    return None


def unclosed(source: Source, at: int, part: re.Pattern[str]) -> tuple[Span, Span] | None:
    """The first place up to `at` that looks like a part of its own and stands inside a bracket, and
    that bracket before it."""
    for found in part.finditer(source.text, 0, at):
        bracket = open_bracket(source, found.start())
        if bracket is not None:
            return bracket, source.span(found.start(), found.end())
    return None


def balanced(text: str) -> bool:
    """Whether all brackets of a text close, in the order in which they open."""
    pending: list[str] = []
    for found in _BRACKETS.finditer(text):
        if found[0] in _PAIRS.values():
            pending.append(found[0])
        elif found[0] in _PAIRS and (not pending or pending.pop() != _PAIRS[found[0]]):
            return False
    return not pending


def open_bracket(source: Source, at: int) -> Span | None:
    """The innermost bracket before a place that is not closed before it."""
    pending: list[tuple[str, int]] = []
    for found in _BRACKETS.finditer(source.text, 0, at):
        if found[0] in _PAIRS.values():
            pending.append((found[0], found.start()))
        elif found[0] in _PAIRS and pending and pending[-1][0] == _PAIRS[found[0]]:
            pending.pop()
    return source.span(pending[-1][1], pending[-1][1] + 1) if pending else None


def left(source: Source) -> tuple[Span, Span] | None:
    """The first `{` that is open where a line stands no further right than the one that opens it,
    and the place before that line; None where lines do not tell."""
    pending: list[tuple[Span, int]] = []
    above = 0
    for line in _LINES.finditer(source.text):
        indent, begin = len(line[1]), line.start(2)
        bracket, outer = pending[-1] if pending else (None, -1)
        if bracket and bracket.text == "{" and indent <= outer and line[2][0] not in _PAIRS:
            return (bracket, source.span(begin, begin)) if above > outer else None
        for found in _BRACKETS.finditer(source.text, begin, line.end()):
            if found[0] in _PAIRS.values():
                pending.append((source.span(found.start(), found.end()), indent))
            elif found[0] in _PAIRS and pending and pending[-1][0].text == _PAIRS[found[0]]:
                pending.pop()
        above = indent
    return None
