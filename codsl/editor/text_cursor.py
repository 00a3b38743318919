"""Where the cursor stands in the text form: told by brackets and words before it, no parser."""

import re
from dataclasses import dataclass, field

from codsl.editor.cursor import VARIANT, Cursor, Place

_WORD = re.compile(r"[A-Za-z_][\w.]*\Z")
_TOKEN = re.compile(
    r'#[^\n]*|"(?:[^"\\\n]|\\.)*"?|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|[0-9][\w.]*|[=!<>]=|\n|\S'
)
_PAIRS = {"(": ")", "{": "}", "[": "]"}
_DEFINED = ("template", "network", "variant", "weights")
_SETTLED = ("when", "let", "input", "inputs")
"""What begins a line on which values stand, no layers."""


@dataclass
class _Frame:
    """A bracket that is open, whose it is, and what was written in it."""

    bracket: str
    owner: str
    given: set[str] = field(default_factory=set)
    argument: str = ""


@dataclass
class _Scan:
    """What was read before the cursor."""

    frames: list[_Frame] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    last: str = ""
    section: tuple[str, str] = ("", "")

    def take(self, token: str) -> None:
        """Read one more token."""
        if token == "\n":
            self.line.clear()
            return
        top = self.frames[-1] if self.frames else None
        if token in _PAIRS:
            self.frames.append(_Frame(token, self._owner(token)))
        elif token in _PAIRS.values():
            while self.frames and _PAIRS[self.frames.pop().bracket] != token:
                pass
        elif top and token == "=" and self.last.isidentifier():
            top.argument = self.last
            top.given.add(self.last)
        elif top and token == ",":
            top.argument = ""
        if not self.frames and self.last in _DEFINED:
            self.section = (self.last, token)
        self.line.append(token)
        self.last = token

    def _owner(self, bracket: str) -> str:
        if bracket == "{":
            return self.section[0] if not self.frames else ""
        if not self.frames and self.last == self.section[1]:
            return self.section[0]
        return self.last if self.last.replace(".", "").replace("_", "").isalnum() else ""


def cursor(text: str, offset: int) -> Cursor:
    """The place of an offset in a source of the text form."""
    word = _WORD.search(text, 0, offset)
    start = word.start() if word else offset
    scan = _Scan()
    for match in _TOKEN.finditer(text, 0, start):
        token = match[0]
        if token.startswith("#"):
            if match.end() == start:
                return Cursor(Place.NOTHING, start)
            continue
        if token[0] == '"' and match.end() == start and (len(token) < 2 or token[-1] != '"'):
            return _within_quotes(scan, match.start() + 1)
        scan.take(token)
    return _placed(scan, start)


def _within_quotes(scan: _Scan, start: int) -> Cursor:
    frame = scan.frames[-1] if scan.frames else _Frame("", "")
    place = Place.VALUE if frame.bracket == "(" else Place.NOTHING
    argument = frame.argument or ("aggregation" if scan.last == "(" else "")
    return Cursor(place, start, frame.owner, argument, quoted=True)


def _placed(scan: _Scan, start: int) -> Cursor:
    template = scan.section[1] if scan.section[0] == "template" else ""

    def at(place: Place, frame: _Frame | None = None) -> Cursor:
        if frame is None:
            return Cursor(place, start, template=template)
        given = frozenset(frame.given)
        return Cursor(place, start, frame.owner, frame.argument, given, template)

    if not scan.frames:
        fresh = scan.last not in (*_DEFINED, "codsl", "import", "doc") and not scan.line
        return at(Place.SECTION if fresh else Place.NOTHING)
    top = scan.frames[-1]
    if top.bracket == "(" and top.owner in _DEFINED:
        return at(Place.TYPE if scan.last == ":" else Place.NOTHING)
    if top.bracket == "(" and scan.last in ("(", ",") and top.owner not in ("", *_SETTLED):
        return at(Place.ARGUMENT, top)
    if top.bracket in "([":
        return at(Place.VALUE, top)
    if top.owner == VARIANT:
        return at(Place.NOTHING) if scan.last == "=" else at(Place.ARGUMENT, top)
    if top.owner == "weights":
        return at(Place.NOTHING)
    if "from" in scan.line and scan.last in ("from", ","):
        return at(Place.SOURCE)
    settled = scan.line and scan.line[0] in _SETTLED and scan.last not in ("{", "}")
    return at(Place.VALUE if settled else Place.LAYER)
