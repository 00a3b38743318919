"""Where a remedy is written: into an argument, behind the last one, or around the layer."""

import re
from collections.abc import Mapping
from typing import Any

from codsl.diagnostics import Edit
from codsl.layers.mistake import Change, Give, Omit, Precede, Use
from codsl.source import Span
from codsl.spec.spec import Origin
from codsl.syntax.brackets import closing, whole_entry
from codsl.syntax.surface import is_text, written

_BLOCK = re.compile(r":[ ]*(?:#[^\n]*)?\n(?:[ ]*(?:#[^\n]*)?\n)*(?P<indent>[ ]*)(?=\S)")
"""Behind the key of a YAML mapping in lines of their own, up to its first."""
_ITEM = re.compile(r"(?P<indent>[ ]*)(?:-[ ]+)*(?=-[ ]+$)")
"""Before the last dash of a YAML item that begins on its line."""
_LINE = re.compile(r"(?P<indent>[ \t]*)(?:\w+[ ]*=[ ]*)?$")
"""Before a layer of the text form that begins on its line."""

_CODE = re.compile(r"""\s#[^\n]*|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\S""")
"""Signs and texts, and comments."""


def edits_of(change: Change | None, argument: str | None, origin: Origin) -> tuple[Edit, ...]:
    """The edits that carry out a change of a layer; none where the text gives no hold for it."""
    match change:
        case Give(value, name):
            return _given(origin, name or argument or "", value)
        case Omit():
            return _omitted(origin, argument or "")
        case Use(layer):
            named = origin.type and origin.span.text == origin.type
            return (Edit(origin.span, layer),) if named else ()
        case Precede(layer):
            return _preceded(origin, layer)
        case None:
            return ()


def _given(origin: Origin, name: str, value: Any) -> tuple[Edit, ...]:
    """Another value where an argument's is written: here, or where a name got it that stands
    here; added where there is none."""
    span = origin.arguments.get(name)
    if span is None:
        return added(origin, {name: value})
    at = origin.roots.get(name) or (None if origin.uses else span)
    return (Edit(at, written(value, at.source)),) if at else ()


def _omitted(origin: Origin, name: str) -> tuple[Edit, ...]:
    """An argument that is given by name, with its comma or its line, left out."""
    value = origin.arguments.get(name)
    key = value and re.search(rf"\b{re.escape(name)}[ ]*[:=][ ]*$", _before(value))
    if value is None or not key:
        return ()
    start = value.start - len(key[0])
    return (Edit(whole_entry(Span(value.source, start, value.end)), ""),)


def _preceded(origin: Origin, layer: str) -> tuple[Edit, ...]:
    """A layer of its own before this one, unless this one says where it reads from."""
    source, at = origin.span.source, origin.span.start
    line = _before(origin.span).rpartition("\n")[2]
    if origin.sourced:
        return ()
    if is_text(source):
        place = _LINE.fullmatch(line)
        start, text = (place.end("indent"), f"{layer}\n{place['indent']}") if place else (-1, "")
    elif place := _ITEM.match(line):
        start = place.end()
        text = f"- {layer}\n{' ' * start}"
    else:
        flow = line.rstrip(" {").endswith(("[", ","))
        start, text = (len(line.rstrip(" {")), f" {layer},") if flow else (-1, "")
        text = text.lstrip() + " " if line.rstrip(" {").endswith("[") else text
    if start < 0:
        return ()
    begin = at - len(line) + start
    return (Edit(source.span(begin, begin), text),)


def added(origin: Origin, values: Mapping[str, Any]) -> tuple[Edit, ...]:
    """The edit that gives a layer or a construct more arguments, behind those that it has."""
    source, at = origin.span.source, origin.span.end
    sign = "=" if is_text(source) else ": "
    given = [f"{name}{sign}{written(value, source)}" for name, value in values.items()]
    place = (_place_in_text if is_text(source) else _place_in_yaml)(origin, given)
    if place is None:
        return ()
    start, more = place
    return (Edit(source.span(at + start, at + start), more),)


def _place_in_text(origin: Origin, given: list[str]) -> tuple[int, str] | None:
    """Where arguments go, counted from the end of the word, and what is written there."""
    after = origin.span.source.text[origin.span.end :]
    if after.startswith("("):
        return _inside(after, 0, given)
    if re.match(r"[ ]*\{", after) or _alone(origin):
        return 0, f"({', '.join(given)})"
    return None


def _place_in_yaml(origin: Origin, given: list[str]) -> tuple[int, str] | None:
    after = origin.span.source.text[origin.span.end :]
    if given[0].startswith("name:") and (named := re.match(r":[ ]*\{[ ]*(?=[^} ])", after)):
        return named.end(), f"{given[0]}, "
    if flow := re.match(r":[ ]*(?=\{)", after):
        return _inside(after, flow.end(), given)
    if block := _BLOCK.match(after):
        lines = "".join(f"{each}\n{block['indent']}" for each in given)
        return block.end(), lines
    if re.match(r"[ ]*(?:#[^\n]*)?(?:\n|$|[,\]}])", after) and _alone(origin):
        return 0, f": {{{', '.join(given)}}}"
    return None


def _inside(text: str, start: int, given: list[str]) -> tuple[int, str] | None:
    """Behind what stands between the bracket at `start` and the one that closes it."""
    end = closing(text, start)
    if end is None:
        return None
    written = [each for each in _CODE.finditer(text, start, end) if "#" not in each[0][:2]]
    behind = written[-1].end()
    between = {text[start]: "", ",": " "}.get(written[-1][0][-1], ", ")
    return behind, f"{between}{', '.join(given)}"


def reading_from(at: Span, name: str) -> tuple[Edit, ...]:
    """`from` and a name for the layer or the block whose word stands at `at`."""
    text = at.source.text
    if not is_text(at.source):
        return added(Origin(at, type=at.text), {"from": name})
    start = at.start if at.text == "{" else at.end
    opens = re.match(r"\s*[({]", text[start:])
    end = closing(text, start) if opens else None
    behind = at.end if end is None else end + 1
    if end is not None and text[end] == ")" and re.match(r"\s*\{", text[behind:]):
        end = closing(text, behind)
        behind = behind if end is None else end + 1
    return (Edit(at.source.span(behind, behind), f" from {name}"),)


def raw_key(origin: Origin, key: str, text: str) -> tuple[Edit, ...]:
    """One more key as the first of a YAML mapping in lines of its own, its value as it stands."""
    source, at = origin.span.source, origin.span.end
    block = _BLOCK.match(source.text[at:])
    if not block:
        return ()
    start = at + block.end()
    return (Edit(source.span(start, start), f"{key}: {text}\n{block['indent']}"),)


def named(at: Span, name: str) -> tuple[Edit, ...]:
    """A name for the layer or the use of a template whose word stands at `at`."""
    if not is_text(at.source):
        return added(Origin(at, type=at.text), {"name": name})
    line = _before(at).rpartition("\n")[2]
    begins = not line.strip() or line.rstrip().endswith(("{", "}"))
    return (Edit(at.source.span(at.start, at.start), f"{name} = "),) if begins else ()


def _alone(origin: Origin) -> bool:
    """Whether a layer is written by its own name, not by that of a parameter."""
    return bool(origin.type) and origin.span.text == origin.type


def _before(at: Span) -> str:
    return at.source.text[max(0, at.start - 2000) : at.start]
