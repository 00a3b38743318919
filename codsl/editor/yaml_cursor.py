"""Where the cursor stands in YAML: told by indentation, keys and brackets before it, no parser."""

import re
from dataclasses import dataclass, field

from codsl.editor.cursor import VARIANT, Cursor, Place

_WORD = re.compile(r"[$A-Za-z_][\w.]*\Z")
_KEY = re.compile(r"\"?([$A-Za-z_][\w.-]*)\"?[ \t]*:(?=\s|\Z)")
_TOKEN = re.compile(r"\s#.*|'[^']*'?|\"(?:[^\"\\]|\\.)*\"?|[$\w.-]+[ \t]*:(?=\s|\Z)|[$\w.-]+|\S")
_STATEMENTS = ("layers", "shortcut", "else")


@dataclass
class _Level:
    """A mapping that is open: its indentation, its key, the keys in it, and the one at hand.

    A list has the key `-`; what is in brackets is deeper than any indentation.
    """

    indent: float
    key: str
    given: set[str] = field(default_factory=set)
    current: str = ""


FLOW = float("inf")


def cursor(text: str, offset: int) -> Cursor:
    """The place of an offset in a source in YAML."""
    word = _WORD.search(text, 0, offset)
    start = word.start() if word else offset
    levels = [_Level(-1, "")]
    lines = text[:start].split("\n")
    for line in lines[:-1]:
        _take(line, levels)
    last = lines[-1]
    if re.search(r"(\A|\s)#", last):
        return Cursor(Place.NOTHING, start)
    if levels[-1].indent is not FLOW and not last.strip(" -"):
        item = "-" in last
        indent = len(last.rstrip(" ")) - 1 if item else len(last)
        _leave(levels, indent, item)
        if item:
            levels.append(_Level(indent, "-"))
        return _placed(levels, start, fresh=True)
    _take(last, levels)
    return _placed(levels, start, fresh=False)


def _leave(levels: list[_Level], indent: int, item: bool) -> None:
    """Close what a line of this indentation is not in; a list may stand as deep as its key."""
    while len(levels) > 1 and levels[-1].indent >= indent:
        if item and levels[-1].indent == indent and levels[-1].key != "-":
            return
        levels.pop()


def _take(line: str, levels: list[_Level]) -> None:
    """Read a line, as far as it goes."""
    at = len(line) - len(line.lstrip(" "))
    if not line.strip() or line.lstrip().startswith("#"):
        return
    if levels[-1].indent is not FLOW:
        while re.match(r"-(\s|\Z)", line[at:]):
            _leave(levels, at, item=True)
            levels.append(_Level(at, "-"))
            at += 1 + len(line[at + 1 :]) - len(line[at + 1 :].lstrip(" "))
        if key := _KEY.match(line, at):
            _leave(levels, at, item=False)
            _name(levels, key[1])
            levels.append(_Level(at, key[1]))
            at = key.end()
    for token in _TOKEN.findall(line[at:]):
        _in_flow(token, levels)


def _in_flow(token: str, levels: list[_Level]) -> None:
    top = levels[-1]
    if token in ("{", "["):
        key = top.current if top.indent is FLOW else top.key
        levels.append(
            _Level(FLOW, key if token == "{" else "-", current="" if token == "{" else key)
        )
    elif token in ("}", "]") and top.indent is FLOW:
        levels.pop()
    elif token == "," and top.indent is FLOW and top.key != "-":
        top.current = ""
    elif token.endswith(":") and top.indent is FLOW:
        _name(levels, token[:-1].strip(" \"'"))


def _name(levels: list[_Level], key: str) -> None:
    levels[-1].given.add(key)
    levels[-1].current = key


def _placed(levels: list[_Level], start: int, fresh: bool) -> Cursor:
    keys = [level.key for level in levels if level.key != "-"]
    template = keys[2] if len(keys) > 2 and keys[1] == "templates" else ""
    top = levels[-1]

    def at(place: Place, level: _Level, argument: str = "") -> Cursor:
        return Cursor(place, start, level.key, argument, frozenset(level.given), template)

    if keys[1:2] == ["variants"] and len(keys) > 2:
        written = top.current if top.indent is FLOW else len(keys) > 3
        given = frozenset(top.given)
        return Cursor(Place.NOTHING if written else Place.ARGUMENT, start, VARIANT, "", given)
    if top.key == "-":
        inner = top.current or (levels[-2].key if len(levels) > 1 else "")
        if inner in _STATEMENTS or "branches" in keys[-2:]:
            return at(Place.LAYER, top)
        if inner in ("from", "outputs"):
            return at(Place.SOURCE, top)
        owner = next((each for each in reversed(levels[:-1]) if each.key not in ("-", inner)), top)
        return at(Place.VALUE, owner, inner)
    if top.indent is FLOW and not top.current:
        return at(Place.ARGUMENT, top)
    if fresh and top.indent is not FLOW:
        return at(Place.SECTION if len(levels) == 1 else _under(top), top)
    outer = next((each for each in reversed(levels[:-1]) if each.key != "-"), levels[0])
    owner, key = (top, top.current) if top.indent is FLOW else (outer, top.key)
    if key == "type" and "params" in keys:
        return at(Place.TYPE, owner)
    if key in ("from", "outputs"):
        return at(Place.SOURCE, owner)
    return at(Place.LAYER if key == "layer" else Place.VALUE, owner, key)


def _under(level: _Level) -> Place:
    """What a fresh line below a key begins with."""
    if level.key == "layer":
        return Place.LAYER
    return Place.NOTHING if level.key in ("params", "variants", "templates") else Place.ARGUMENT
