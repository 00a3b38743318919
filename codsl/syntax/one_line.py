"""The one line that keeps a text from being YAML, and how it is to be written."""

import re
from collections.abc import Callable, Iterator

import yaml

from codsl.diagnostics import Applicability, Edit, Help
from codsl.source import Source, Span
from codsl.syntax import lookalikes
from codsl.syntax.yaml_nodes import Loader

LARGEST = 50_000
"""Characters at most of a file that is read again to see what mends it."""
MOST_COLUMNS = 12
"""Indentations at most that are tried for a line."""

Known = tuple[str, Span, list[Help]]
"""What is said of a break, where, and what mends it."""
Judge = Callable[[str], int]
"""How much is wrong with the structure of a text that is YAML."""

_START = r"[ ]*(?:-[ ]+)*"
_COLON = re.compile(rf"{_START}([$\w.]+)(?P<sign>[ ]*=[ ]*|[ ]+)(?=[^\s:=#][^:=]*$|[\[{{])")
_DASH = re.compile(r"[ ]*(?P<sign>-)(?=[$A-Za-z_])")


def wrong(source: Source, number: int, judge: Judge) -> Known | None:
    """What is wrong with a line or the one before it, where one change makes the text YAML; the
    reader of YAML often stops in the line after the broken one."""
    if len(source.text) > LARGEST or "&" in source.text:
        return None
    lines = [each for each in (number, _before(source, number)) if each]
    for change in (_sign, _colon, _dash):
        for each in lines:
            known = change(source, each)
            if known and reads(_changed(source.text, known[2][0].edits)):
                return known
    return next((found for each in lines if (found := _moved(source, each, judge))), None)


def reads(text: str) -> bool:
    """Whether a text is YAML."""
    try:
        return all(True for _ in yaml.parse(text, Loader=Loader))
    except yaml.YAMLError:
        return False


def _before(source: Source, number: int) -> int:
    """The last line before one in which something stands, or 0."""
    filled = (each for each in range(number - 1, 0, -1) if source.line(each).strip())
    return next(filled, 0)


def _sign(source: Source, number: int) -> Known | None:
    """A line with signs that only look like those of YAML."""
    start, line = source.start(number), source.line(number)
    strange = re.search(r"[^\x00-\x7f]", line)
    meant = lookalikes.plain(strange[0]) if strange else None
    if strange is None or meant is None:
        return None
    at = source.span(start + strange.start(), start + strange.end())
    written = ": " if meant == ":" and not line[strange.end() :].startswith(" ") else meant
    edits = (Edit(at, written),)
    said = [Help(f"write `{meant}`", edits, Applicability.SURE)]
    return f"`{at.text}` only looks like `{meant}`", at, said


def _colon(source: Source, number: int) -> Known | None:
    """A key without the colon behind it."""
    start, line = source.start(number), source.line(number)
    found = _COLON.match(line)
    if found is None:
        return None
    key = source.span(start + found.start(1), start + found.end(1))
    sign = source.span(start + found.start("sign"), start + found.end("sign"))
    help_ = Help(f"write `{key.text}:`", (Edit(sign, ": "),))
    return f"a `:` is missing behind `{key.text}`", key, [help_]


def _dash(source: Source, number: int) -> Known | None:
    """An item without the space behind its dash."""
    found = _DASH.match(source.line(number))
    if found is None:
        return None
    at = source.start(number) + found.end()
    dash = source.span(at - 1, at)
    help_ = Help("put a space behind the `-`", (Edit(source.span(at, at), " "),))
    return "an item has a space behind its `-`", dash, [help_]


def _moved(source: Source, number: int, judge: Judge) -> Known | None:
    """A line, with what belongs to it, that is indented otherwise than its like."""
    block = list(_block(source, number))
    here = _column(source.line(number))
    columns = {_column(source.line(each)) for each in range(1, number) if source.line(each).strip()}
    columns |= {each + 2 for each in columns}
    near = sorted(columns - {here}, key=lambda each: (abs(each - here), each))[:MOST_COLUMNS]
    moved = [(each, _shifted(source, block, each - here)) for each in near]
    sound = [
        (judge(text), each, edits)
        for each, edits in moved
        if reads(text := _changed(source.text, edits))
    ]
    if not sound:
        return None
    _, column, edits = min(sound, key=lambda each: each[0])
    deep = "deeper" if column < here else "less deep"
    first = source.line(number).split()
    word = first[1] if first[0] == "-" and len(first) > 1 else first[0]
    start = source.text.index(word, source.start(number))
    at = source.span(start, start + len(word.rstrip(":")))
    help_ = Help(f"indent it by {column} spaces", edits)
    return f"`{at.text}` is indented {deep} than what it belongs to", at, [help_]


def _block(source: Source, number: int) -> Iterator[int]:
    """A line, and those after it that are indented deeper."""
    here = _column(source.line(number))
    yield number
    for each in range(number + 1, source.text.count("\n") + 2):
        line = source.line(each)
        if line.strip() and _column(line) <= here:
            return
        if line.strip():
            yield each


def _shifted(source: Source, lines: list[int], by: int) -> tuple[Edit, ...]:
    """The edits that indent lines by more, or by less."""
    starts = [source.start(each) for each in lines]
    if by > 0:
        return tuple(Edit(source.span(each, each), " " * by) for each in starts)
    return tuple(Edit(source.span(each, each - by), "") for each in starts)


def _column(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _changed(text: str, edits: tuple[Edit, ...]) -> str:
    for edit in reversed(edits):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return text
