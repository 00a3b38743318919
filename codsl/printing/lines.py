"""Lines of a file that is being written, with the comments at their ends."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import final

WIDTH = 100
"""Columns of a line, but for comments, and for what no rule can break."""
INDENT = 2
"""Columns that what is inside stands further right."""
GAP = 2
"""Spaces before a comment."""


@final
@dataclass(frozen=True)
class Line:
    """What stands on a line behind so many spaces, and the comment at its end."""

    indent: int = 0
    code: str = ""
    comment: str = ""

    def __str__(self) -> str:
        return f"{' ' * self.indent}{self.code}".rstrip()


def fits(indent: int, code: str) -> bool:
    """Whether a line has room for this."""
    return indent + len(code) <= WIDTH


def filled(items: Iterable[str], indent: int) -> list[Line]:
    """Items with commas between them, as many on a line as there is room for."""
    lines: list[str] = []
    for item in items:
        if lines and fits(indent, f"{lines[-1]}, {item},"):
            lines[-1] += f", {item}"
        else:
            lines.append(item)
    last = len(lines) - 1
    return [Line(indent, each + ("," if at < last else "")) for at, each in enumerate(lines)]


def text(lines: Iterable[Line]) -> str:
    """The text of lines; comments at the ends of neighbours stand below one another."""
    shown: list[str] = []
    for _, group in groupby(enumerate(lines), lambda each: _kind(*each)):
        shown += _aligned([line for _, line in group])
    return "".join(f"{line}\n" for line in shown)


def _kind(number: int, line: Line) -> int:
    """What is the same for neighbours whose comments are aligned; a bracket has no neighbours."""
    return -1 - line.indent if line.comment and line.code[0] not in ")}" else number


def _aligned(lines: Sequence[Line]) -> Iterator[str]:
    column = max(len(str(line)) for line in lines) + GAP
    if any(column + len(line.comment) > WIDTH for line in lines):
        column = 0
    for line in lines:
        code = str(line)
        gap = " " * max(GAP, column - len(code)) if line.comment else ""
        yield f"{code}{gap}{line.comment}"
