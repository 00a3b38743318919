"""The JSON Schema of spec files, generated from the table; draft 2020-12."""

from collections.abc import Mapping
from dataclasses import MISSING
from inspect import cleandoc
from typing import Any

from codsl.layers.row import Layer, arguments
from codsl.spec.glossary import meaning
from codsl.syntax.structure import COMMON, structure

Rows = Mapping[str, type[Layer]]
TITLE = "codsl, version 1"
LATER = {
    "x-later": [
        "type",
        "pattern",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "required",
        "additionalProperties",
    ]
}


def schema(rows: Rows) -> dict[str, Any]:
    """The schema of files that use these layers, as plain data."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": TITLE,
        **structure({name: _layer(row) for name, row in rows.items()}),
    }


def _layer(row: type[Layer]) -> dict[str, Any]:
    known = arguments(row)
    properties: dict[str, Any] = {}
    for argument in known:
        entry = _later(argument.kind.schema(row.rank))
        if meant := meaning(row, argument.name):
            entry["description"] = meant
        if argument.default is not MISSING and argument.default is not None:
            entry["default"] = argument.default
        properties[argument.name] = entry
    required = [argument.name for argument in known if argument.required]
    first = next((argument for argument in known if argument.positional), None)
    shorthand = _types(first.kind.schema(row.rank)) if first and len(required) <= 1 else []
    return {
        "description": cleandoc(row.__doc__ or ""),
        "type": list(dict.fromkeys(["object", "null", *shorthand])),
        "properties": {**COMMON, **properties},
        "required": required,
        "additionalProperties": False,
        **LATER,
    }


def _types(entry: dict[str, Any]) -> list[str]:
    kinds = entry["type"]
    return kinds if isinstance(kinds, list) else [kinds]


def _later(entry: dict[str, Any]) -> dict[str, Any]:
    marked = {**entry, **LATER}
    if "items" in entry:
        marked["items"] = _later(entry["items"])
    return marked
