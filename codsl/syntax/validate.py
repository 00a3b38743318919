"""Violations of the structure of a YAML file, as diagnostics at the nodes where they are."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from codsl.diagnostics import Edit, Findings, Help, suggest
from codsl.source import Source, Span
from codsl.syntax.yaml_nodes import entry, span_of

MOST_MISTAKES = 100
"""Violations of the structure that are reported at once."""

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
    validator: Draft202012Validator,
    findings: Findings,
) -> set[int]:
    """Report what stands where it should not; gives the nodes that are not to be read."""
    bad: set[int] = set()
    for error in islice(validator.iter_errors(data), MOST_MISTAKES):
        if _later(error):
            continue
        node = root
        for step in error.absolute_path:
            is_list = isinstance(node, yaml.SequenceNode)
            node = node.value[step] if is_list else entry(node, step)[1]
        _violation(error, node, source, findings, bad)
    return bad


def _later(error: ValidationError) -> bool:
    """Whether a later stage finds the same in better words: what a layer is, and is given."""
    schema: Any = error.schema
    return error.validator in schema.get("x-later", ())


def _violation(
    error: ValidationError, node: yaml.Node, source: Source, findings: Findings, bad: set[int]
) -> None:
    schema: Any = error.schema
    words = schema.get("x-words", {}).get(error.validator)
    value: Any = error.instance
    at = span_of(source, node)
    match error.validator:
        case "type":
            kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            wanted = " or ".join(KINDS[kind] for kind in kinds)
            bad.add(id(node))
            message = words or f"expected {wanted}"
            findings.add("E0201", f"{message}, found {_kind(value)}", at)
        case "additionalProperties":
            known = schema.get("properties", {})
            for key in value:
                if key not in known:
                    where = span_of(source, entry(node, key)[0])
                    findings.add(
                        "E0203", f"unknown key `{key}`", where, helps=_close(key, known, where)
                    )
        case "required":
            missing = [key for key in schema["required"] if key not in value]
            if error.message.startswith(repr(missing[0])):
                bad.add(id(node))
                keys = ", ".join(f"`{key}`" for key in missing)
                findings.add("E0202", f"{keys} must be given here", at)
        case "maxProperties":
            bad.add(id(node))
            split = next((key for key in value if _open(key) or _open(value[key])), None)
            if split is not None:
                findings.add(
                    "E0204",
                    "YAML splits this expression at its comma",
                    at,
                    helps=('put it in quotes: `"$(max(x, 2))"`',),
                )
            else:
                keys = ", ".join(f"`{key}`" for key in value)
                findings.add(
                    "E0204",
                    f"{words}; this one has {keys}",
                    at,
                    helps=("start a line with `-` for each, and indent arguments",),
                )
        case _:
            bad.add(id(node))
            findings.add("E0201", words or str(error.message), at)


def _open(value: object) -> bool:
    """Whether a text is the beginning of an expression that YAML has cut."""
    return (
        isinstance(value, str) and value.startswith("$(") and value.count("(") != value.count(")")
    )


def _close(word: str, known: Iterable[str], at: Span) -> list[Help]:
    return [Help(f"did you mean `{each}`?", (Edit(at, each),)) for each in suggest(word, known)[:1]]
