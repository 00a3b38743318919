"""Violations of the structure of a YAML file, as diagnostics at the nodes where they are."""

from collections.abc import Iterable
from typing import Any

import yaml
from jsonschema.exceptions import ValidationError

from codsl.diagnostics import Applicability, Edit, Findings, Help, did_you_mean, suggest
from codsl.source import Source, Span
from codsl.syntax import holes
from codsl.syntax.reshape import reshaped
from codsl.syntax.validator import Validator
from codsl.syntax.yaml_nodes import entry, span_of

KINDS = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "string": "a word",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return KINDS["boolean"]
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return KINDS[names.get(type(value), "null")]


def validate(
    source: Source,
    root: yaml.Node,
    data: Any,
    validator: Validator,
    findings: Findings,
) -> set[int]:
    """Report what stands where it should not; gives the nodes that are not to be read."""
    bad: set[int] = set()
    lacking: list[str] = []
    for error in validator.errors(data):
        if error.validator == "required" and not error.absolute_path:
            lacking += [key for key in _lacking(error) if key not in lacking]
            continue
        node = root
        for step in error.absolute_path:
            is_list = isinstance(node, yaml.SequenceNode)
            node = node.value[step] if is_list else entry(node, step)[1]
        _violation(error, node, source, findings, bad)
    if lacking:
        _missing(lacking, span_of(source, root), findings)
    bad.discard(id(root))
    return bad


def _violation(
    error: ValidationError, node: yaml.Node, source: Source, findings: Findings, bad: set[int]
) -> None:
    """Report one violation; what is violated by more than a key of it is not to be read."""
    schema: Any = error.schema
    words = schema.get("x-words", {}).get(error.validator)
    value: Any = error.instance
    at = span_of(source, node)
    if isinstance(node, yaml.MappingNode) and isinstance(value, str):
        key = span_of(source, entry(node, value)[0])
        findings.add("E0201", words or str(error.message), key)
        return
    bad.add(id(node))
    match error.validator:
        case "additionalProperties":
            known = schema.get("properties", {})
            exchanged = _exchanged(value, schema)
            for key in value:
                if key not in known:
                    key_at = span_of(source, entry(node, key)[0])
                    helps = did_you_mean(key, known, key_at)
                    if not helps and key in exchanged:
                        said = f"`{exchanged[key]}` is missing here: is it that?"
                        helps = [Help(said, (Edit(key_at, exchanged[key]),))]
                    findings.add("E0203", f"unknown key `{key}`", key_at, helps=helps)
        case "required":
            missing = _lacking(error)
            if missing and error.message.startswith(repr(missing[0])):
                _missing(missing, at, findings)
        case "maxProperties":
            _several(value, node, at, findings)
        case "enum":
            helps = did_you_mean(str(value), schema["enum"], at.within(str(value))) or [
                _listed(schema["enum"])
            ]
            findings.add("E0201", words or f"`{value}` cannot stand here", at, helps=helps)
        case _:
            helps = holes.whole(at) if schema.get("type") == "string" else []
            helps = helps or reshaped(schema, node, at)
            findings.add("E0201", _told(error, words), at, helps=helps)


def _told(error: ValidationError, words: str | None) -> str:
    """What to say of a value that is of another kind or size than its schema asks for."""
    schema: Any = error.schema
    value: Any = error.instance
    match error.validator:
        case "type":
            kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            wanted = " or ".join(KINDS[kind] for kind in kinds)
            return f"{words or f'expected {wanted}'}, found {_kind(value)}"
        case "minItems" | "maxItems":
            bound = schema[str(error.validator)]
            most = "at least" if error.validator == "minItems" else "at most"
            entries = "1 entry" if bound == 1 else f"{bound} entries"
            return words or f"expected {most} {entries}, found {len(value)}"
        case _:
            return words or str(error.message)


def _listed(words: Iterable[str]) -> Help:
    return Help("expected one of " + ", ".join(f"`{word}`" for word in words))


def _several(value: dict[str, Any], node: yaml.Node, at: Span, findings: Findings) -> None:
    """Report an item that holds several layers, or a layer whose arguments stand beside it."""
    first, *others = value
    keys = ", ".join(f"`{key}`" for key in others)
    if value[first] is None:
        message = f"{keys} {'stands' if len(others) == 1 else 'stand'} beside `{first}`, not inside"
        edits = _indented(node, at)
        said = f"indent what belongs to `{first}` by two more spaces"
        helps: list[Help | str] = [Help(said, edits, Applicability.SURE)]
    else:
        message = f"an item is one layer; this one holds {keys} beside `{first}`"
        helps = ["start each with a `-`"]
    findings.add("E0204", message, at, helps=helps)


def _indented(node: yaml.Node, at: Span) -> tuple[Edit, ...]:
    """Two more spaces for each line of a mapping but that of its first key."""
    source = at.source
    _, last = node.value[-1]
    end = int(last.end_mark.index)
    lines = len(source.text[:end].rstrip().split("\n"))
    first = source.position(int(node.value[1][0].start_mark.index))[0]
    filled = (each for each in range(first, lines + 1) if source.line(each).strip())
    starts = (source.start(number) for number in filled)
    return tuple(Edit(source.span(start, start), "  ") for start in starts)


def _lacking(error: ValidationError) -> list[str]:
    """What must be there and is not, in no other spelling either."""
    schema: Any = error.schema
    value: Any = error.instance
    if _exchanged(value, schema):
        return []
    return [key for key in schema["required"] if not _meant(key, value, schema)]


def _exchanged(value: dict[str, Any], schema: Any) -> dict[str, str]:
    """The one key too many, and the one that is missing instead."""
    known = schema.get("properties", {})
    others = [each for each in value if each not in known]
    missing = [each for each in schema.get("required", ()) if each not in value]
    return {others[0]: missing[0]} if len(others) == len(missing) == 1 else {}


def _missing(keys: list[str], at: Span, findings: Findings) -> None:
    listed = ", ".join(f"`{key}`" for key in keys)
    verb = "is" if len(keys) == 1 else "are"
    findings.add("E0202", f"{listed} {verb} missing here", at, helps=_sample(keys))


def _meant(key: str, value: dict[str, Any], schema: Any) -> bool:
    """Whether a key that must stand here does, or is what another one was to be."""
    known = schema.get("properties", {})
    others = [other for other in value if other not in known]
    return key in value or any(key in suggest(other, known)[:2] for other in others)


def _sample(missing: list[str]) -> list[str]:
    """How the parts that every file has are written."""
    samples = {
        "codsl": "the first line is `codsl: 1`",
        "input": "say what a frame is: `input: [3, T, 160, 160]`",
        "layers": "say what the network is made of: `layers: [relu]`",
    }
    return [samples[key] for key in missing if key in samples]
