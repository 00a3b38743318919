"""What can be written at the cursor: layers, arguments, values and names, in either surface."""

from collections.abc import Iterator
from dataclasses import dataclass

from codsl.editor import describe, names, text_cursor, yaml_cursor
from codsl.editor.cursor import VARIANT, Cursor, Place
from codsl.editor.reading import Reading
from codsl.layers.arguments import Boolean
from codsl.layers.row import Layer, arguments
from codsl.layers.table import table
from codsl.spec.arithmetic import FUNCTIONS
from codsl.spec.joins import CHOICES
from codsl.syntax.structure import TOP
from codsl.syntax.surface import is_text
from codsl.syntax.words import CONSTRUCTS, POSITIONAL, TYPES

TEXT_BLOCKS = {
    "residual": "residual {\n  $0\n}",
    "parallel": "parallel {\n  ${1:near} { $2 }\n  ${3:far} { $4 }\n}",
    "join": "join from ${1:near}, ${2:far}",
    "per_frame": "per_frame {\n  $0\n}",
    "when": "when ${1:true} {\n  $0\n}",
    "let": "let ${1:name} = $0",
}
TEXT_SECTIONS = {
    "network": "network ${1:name} {\n  input (${2:3}, T, ${3:160}, ${4:160})\n  $0\n}",
    "template": "template ${1:unit}(${2:out: int}) {\n  $0\n}",
    "variant": "variant ${1:name} { $0 }",
    "weights": 'weights "${1:name}" {\n  "$2" -> "$3"\n}',
    "import": 'import "./${1:blocks}.codsl" as ${1:blocks}',
    "doc": 'doc "$0"',
}
YAML_BLOCKS = {
    "residual": "residual:\n    layers:\n      - $0",
    "parallel": "parallel:\n    branches:\n      ${1:near}: [$2]\n      ${3:far}: [$4]",
    "join": "join: {from: [${1:near}, ${2:far}]}",
    "per_frame": "per_frame:\n    layers:\n      - $0",
    "sequential": "sequential:\n    layers:\n      - $0",
    "when": "when:\n    test: ${1:true}\n    layers:\n      - $0",
    "let": "let: {${1:name}: $0}",
    "repeat": "repeat: {name: ${1:block}, index: i, range: [1, ${2:4}], layer: $0}",
}


@dataclass(frozen=True)
class Offer:
    """Something that can be written: its label, what kind of thing it is, what is put in (`$1` is
    where one goes on), and what it is, in Markdown."""

    label: str
    kind: str
    insert: str
    detail: str = ""
    about: str = ""


@dataclass(frozen=True)
class Offers:
    """All that can be written instead of the characters from `start` to the cursor."""

    start: int
    offers: tuple[Offer, ...]


def offers(reading: Reading, offset: int) -> Offers:
    """What can be written at an offset."""
    text = reading.source.text
    inside = is_text(reading.source)
    at = (text_cursor if inside else yaml_cursor).cursor(text, offset)
    found = {each.label: each for each in _offers(reading, at, inside)}
    return Offers(at.start, tuple(found.values()))


def _offers(reading: Reading, at: Cursor, text: bool) -> Iterator[Offer]:
    match at.place:
        case Place.SECTION:
            yield from _sections(at, text)
        case Place.LAYER:
            yield from _layers(reading, at, text)
        case Place.ARGUMENT:
            yield from _arguments(reading, at, text)
            if text and at.owner not in (*CONSTRUCTS, VARIANT):
                yield from _names(reading, at, text)
        case Place.VALUE:
            yield from _words(at, text)
            if not at.quoted:
                yield from _names(reading, at, text)
        case Place.SOURCE:
            yield Offer("input", "name", "input", "the network's input")
            for name in names.values_of(reading.document, at.template):
                yield Offer(name, "name", name)
        case Place.TYPE:
            for name in sorted(TYPES):
                yield Offer(name, "type", name)


def _sections(at: Cursor, text: bool) -> Iterator[Offer]:
    if text:
        for word, insert in TEXT_SECTIONS.items():
            yield Offer(word, "word", insert)
        return
    for word in TOP:
        if word not in at.given:
            yield Offer(word, "word", f"{word}: $0", about=describe.section(word))


def _layers(reading: Reading, at: Cursor, text: bool) -> Iterator[Offer]:
    for name, template in names.templates(reading.document).items():
        needed = [each.name.text for each in template.parameters if each.default is None]
        word = name if text else f"${name}"
        yield Offer(
            word, "template", _call(word, needed, text), "template", describe.template(template)
        )
    for parameter in names.parameters(reading.document, at.template):
        if parameter.type and parameter.type.text == "layer":
            word = parameter.name.text if text else f"${parameter.name.text}"
            yield Offer(word, "name", _plain(word), "parameter")
    for word, insert in (TEXT_BLOCKS if text else YAML_BLOCKS).items():
        yield Offer(word, "word", insert, about=describe.construct(word))
    for name, row in table().items():
        needed = [each.name for each in arguments(row) if each.required]
        yield Offer(name, "layer", _call(name, needed, text), about=describe.layer(row))


def _call(word: str, needed: list[str], text: bool) -> str:
    """A layer with a hole for each argument that it needs."""
    if not needed:
        return _plain(word)
    holes = [f"${{{number}:{name}}}" for number, name in enumerate(needed, 1)]
    if text:
        known = table().get(word)
        named = [
            hole if known else f"{name}={hole}" for name, hole in zip(needed, holes, strict=True)
        ]
        return f"{word}({', '.join(named)})"
    inner = ", ".join(f"{name}: {hole}" for name, hole in zip(needed, holes, strict=True))
    return f"{_plain(word)}: {{{inner}}}"


def _plain(word: str) -> str:
    """A word as it is, in the language of snippets."""
    return word.replace("$", "\\$")


def _arguments(reading: Reading, at: Cursor, text: bool) -> Iterator[Offer]:
    sign = ": " if not text else " = " if at.owner == VARIANT else "="
    for name, detail, about in _taken(reading, at.owner, text):
        if name not in at.given:
            yield Offer(name, "argument", f"{name}{sign}$0", detail, about)


def _taken(reading: Reading, owner: str, text: bool) -> Iterator[tuple[str, str, str]]:
    """The arguments of a layer, a template or a construct: name, default and meaning."""
    if row := describe.row_of(owner):
        for each in arguments(row):
            yield each.name, "needed" if each.required else "", describe.argument(row, each.name)
    elif template := names.templates(reading.document).get(owner.removeprefix("$")):
        for parameter in template.parameters:
            yield parameter.name.text, describe.parameter(parameter), ""
    elif owner == VARIANT:
        for parameter in names.parameters(reading.document, ""):
            yield parameter.name.text, describe.parameter(parameter), ""
        return
    elif owner in CONSTRUCTS:
        known = describe.keys_of(owner)
        for name, about in known.items():
            if not text or name in POSITIONAL.get(owner, ()):
                yield name, "", about
        return
    else:
        return
    if not text:
        for name in ("name", "from"):
            yield name, "", describe.keys_of("sequential")[name]


def _words(at: Cursor, text: bool) -> Iterator[Offer]:
    """The words that an argument can be."""
    quoted = text and not at.quoted
    if at.owner in CONSTRUCTS:
        for word in CHOICES.get(at.argument, ()):
            yield Offer(word, "value", f'"{word}"' if quoted else word)
    elif row := describe.row_of(at.owner):
        for word in _choices(row, at.argument):
            yield Offer(word, "value", f'"{word}"' if quoted else word)
        if not at.quoted and _is_flag(row, at.argument):
            yield Offer("true", "value", "true")
            yield Offer("false", "value", "false")


def _choices(row: type[Layer], argument: str) -> list[str]:
    known = (each for each in arguments(row) if each.name == argument)
    examples = next((each.kind.schema(row.rank).get("examples", ()) for each in known), ())
    return [each for each in examples if isinstance(each, str)]


def _is_flag(row: type[Layer], argument: str) -> bool:
    return any(each.name == argument and isinstance(each.kind, Boolean) for each in arguments(row))


def _names(reading: Reading, at: Cursor, text: bool) -> Iterator[Offer]:
    """What has a value here."""
    sign = "" if text else "$"
    for parameter in names.parameters(reading.document, at.template):
        word = f"{sign}{parameter.name.text}"
        yield Offer(word, "name", _plain(word), describe.parameter(parameter))
    for name in (*names.locals_of(reading.document, at.template), "in_channels"):
        yield Offer(f"{sign}{name}", "name", _plain(f"{sign}{name}"))
    if text:
        for name in FUNCTIONS:
            yield Offer(name, "function", f"{name}($0)")
