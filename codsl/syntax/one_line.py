"""The one line that keeps a text from being YAML, and how it is to be written."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile

import yaml

from codsl.diagnostics import Applicability, Edit, Help
from codsl.source import Source, Span
from codsl.syntax import lookalikes
from codsl.syntax.yaml_nodes import Loader

LARGEST = 50_000
"""Characters at most of a file that is read again to see what mends it."""
MOST_COLUMNS = 5
"""Indentations at most that are tried for a line."""
AROUND = 12
"""Lines before and after one that say where it may begin."""

Known = tuple[str, Span, list[Help]]
"""What is said of a break, where, and what mends it."""
Judge = Callable[[str], int | None]
"""How much is wrong with the structure of a text; None where it is no YAML after all."""

_START = r"[ ]*(?:-[ ]+)*"
_COLON = re.compile(rf"{_START}([$\w.]+)(?P<sign>[ ]*=[ ]*|[ ]+)(?=[^\s:=#][^:=]*$|[\[{{])")
_DASH = re.compile(r"[ ]*(?P<sign>-)(?=[$A-Za-z_])")


def wrong(source: Source, number: int, judge: Judge) -> Known | None:
    """What is wrong with a line or the one before it, where one change makes the text YAML; the
    reader of YAML often stops in the line after the broken one."""
    if len(source.text) > LARGEST or "&" in source.text:
        return None
    lines = [
        each for each in (number, _before(source, number)) if each and source.line(each).strip()
    ]
    for change in (_sign, _colon, _dash):
        for each in lines:
            known = change(source, each)
            if known and reads(_changed(source.text, known[2][0].edits)):
                return known
    return _moved(source, lines, judge)


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


@dataclass(frozen=True)
class _Move:
    """A line at another column, perhaps as an item, and with what belongs to it or alone."""

    number: int
    column: int
    distance: int
    edits: tuple[Edit, ...]
    itemised: bool = False


def _moved(source: Source, lines: list[int], judge: Judge) -> Known | None:
    """The line that is indented otherwise than its like, or lacks its dash: of all moves that make
    the text YAML the one after which the least is wrong with it."""
    sound: list[tuple[int, bool, int, _Move]] = []
    for move in (each for number in lines for each in _moves(source, number)):
        text = _changed(source.text, move.edits)
        left = judge(text) if reads(text) else None
        if left is not None:
            sound.append((left, move.itemised, move.distance, move))
    if not sound:
        return None
    move = min(sound, key=lambda each: each[:3])[3]
    line = source.line(move.number)
    words = line.split()
    word = words[1] if words[0] == "-" and len(words) > 1 else words[0]
    start = source.text.index(word, source.start(move.number))
    at = source.span(start, start + len(word.rstrip(":")))
    if move.itemised:
        said = f"`{at.text}` is to be an item, behind a `-`"
        return said, at, [Help(f"put a `-` before it, {move.column} spaces in", move.edits)]
    deep = "deeper" if move.column < _column(line) else "less deep"
    said = f"`{at.text}` is indented {deep} than what it belongs to"
    return said, at, [Help(f"indent it by {move.column} spaces", move.edits)]


def _moves(source: Source, number: int) -> Iterator[_Move]:
    """A line moved to where those around it begin, and made an item where those before it are."""
    here, start = _column(source.line(number)), source.start(number)
    last = source.text.count("\n") + 1
    around = range(max(1, number - AROUND), min(last, number + AROUND) + 1)
    beside = [source.line(each) for each in around if source.line(each).strip()]
    columns = {_column(line) + more for line in beside for more in (0, 2)} - {here}
    block = list(_block(source, number))
    for column in sorted(columns, key=lambda each: (abs(each - here), each))[:MOST_COLUMNS]:
        own = _deeper(source, block, column)
        by = column - here
        for lines in {len(each): each for each in (block, own, block[:1])}.values():
            yield _Move(number, column, abs(by), _shifted(source, lines, by))
    dashes = {_column(line) for line in beside if line.lstrip().startswith("- ")}
    if not source.line(number).lstrip().startswith("-"):
        for column in sorted(dashes, key=lambda each: abs(each - here))[:MOST_COLUMNS]:
            edit = Edit(source.span(start, start + here), " " * column + "- ")
            yield _Move(number, column, abs(column + 2 - here), (edit,), itemised=True)


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


def _deeper(source: Source, block: list[int], column: int) -> list[int]:
    """The first line of a block, and those after it as long as they are deeper than a column."""
    return [block[0], *takewhile(lambda each: _column(source.line(each)) > column, block[1:])]


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
