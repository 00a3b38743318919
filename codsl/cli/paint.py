"""The colours of a diagnostic in a terminal; without them it is the same, letter by letter."""

import os
import re
from collections.abc import Iterator
from typing import TextIO

RED, YELLOW, BLUE, CYAN, BOLD = "1;31", "1;33", "1;34", "1;36", "1"

_HEAD = re.compile(r"(?P<kind>error|warning)(?P<code>\[\w+\])?(?P<message>.*)")
_GUTTER = re.compile(r"(?P<gutter> *\d* \|)(?P<rest>.*)")
_TOLD = re.compile(r"(?P<sign> *= )(?P<kind>note|help)(?P<text>:.*)")
_MARKS = re.compile(r"\^+|-+")


def wanted(stream: TextIO) -> bool:
    """Whether a stream takes colours: a terminal does, unless `NO_COLOR` or `TERM=dumb` says
    otherwise; with `FORCE_COLOR` all do."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def painted(rendered: str) -> str:
    """A rendered diagnostic in colours: the culprit as severe as it is, the rest in blue."""
    head, *lines = rendered.split("\n")
    match = _HEAD.fullmatch(head)
    if match is None:
        return rendered
    severe = RED if match["kind"] == "error" else YELLOW
    first = _in(severe, match["kind"] + (match["code"] or "")) + _in(BOLD, match["message"])
    return "\n".join([first, *_lines(lines, severe)])


def _lines(lines: list[str], severe: str) -> Iterator[str]:
    """The lines below the first. A row of marks has no number before the bar, and what is said
    below one stands under its mark."""
    marks = ""
    for line in lines:
        if line.lstrip(" ").startswith("-->"):
            arrow, place = line.split("-->", 1)
            yield f"{arrow}{_in(BLUE, '-->')}{place}"
        elif told := _TOLD.fullmatch(line):
            colour = CYAN if told["kind"] == "help" else BOLD
            yield _in(BLUE, told["sign"]) + _in(colour, told["kind"]) + told["text"]
        elif (row := _GUTTER.fullmatch(line)) is None:
            yield line
        elif row["gutter"].strip(" |"):
            marks = ""
            yield _in(BLUE, row["gutter"]) + row["rest"]
        else:
            said, marks = (_beside if not marks else _below)(row["rest"], marks, severe)
            yield _in(BLUE, row["gutter"]) + said


def _beside(rest: str, _: str, severe: str) -> tuple[str, str]:
    """The row of marks, and what is said beside the last of them in its colour."""
    marks = re.match(r"[ ^-]*", rest)
    row = marks[0] if marks else ""
    text = rest[len(row) :]
    last = row.rstrip(" ")[-1:]
    coloured = _MARKS.sub(lambda mark: _in(_colour(mark[0][0], severe), mark[0]), row)
    return coloured + _in(_colour(last, severe), text), row


def _below(rest: str, marks: str, severe: str) -> tuple[str, str]:
    """What is said of a mark further left, under it."""
    text = rest.lstrip(" ")
    column = len(rest) - len(text)
    return rest[:column] + _in(_colour(marks[column : column + 1], severe), text), marks


def _colour(mark: str, severe: str) -> str:
    return severe if mark == "^" else BLUE


def _in(colour: str, text: str) -> str:
    return f"\033[{colour}m{text}\033[0m" if text.strip() else text
