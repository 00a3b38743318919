"""The schema as it is published: what an editor for YAML checks, offers and shows.

It says the same as the schema that the compiler reads, in the words and the order that editors
make the most of: what a single value can be comes before what a list or a mapping can hold.
"""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from codsl.layers.arguments import EXPRESSION, Word
from codsl.layers.row import Layer
from codsl.spec.joins import CHOICES, DEFAULTS
from codsl.spec.schema import schema
from codsl.syntax.validate import KINDS
from codsl.syntax.words import POSITIONAL

Rows = Mapping[str, type[Layer]]
Node = dict[str, Any]

SNIPPETS: dict[str, list[tuple[str, Any]]] = {
    "": [
        (
            "network",
            {
                "codsl": 1,
                "name": "${1:network}",
                "input": "[${2:3}, T, ${3:160}, ${4:160}]",
                "layers": ["$0"],
            },
        )
    ],
    "input": [("a frame", "[${1:3}, T, ${2:160}, ${3:160}]")],
    "residual": [("a body and a shortcut", {"layers": ["$1"], "shortcut": ["$2"]})],
    "parallel": [("branches", {"branches": {"${1:near}": ["$2"], "${3:far}": ["$4"]}})],
    "repeat": [
        (
            "a layer for each index",
            {
                "name": "${1:block}",
                "index": "${2:i}",
                "range": ["${3:1}", "${4:4}"],
                "layer": "$5",
            },
        )
    ],
    "when": [("a condition", {"test": "\\$(${1:in_channels != 64})", "layers": ["$2"]})],
}
"""What is put in as a whole, by the definition that it is one of; `$1` is where one writes next."""

_OF = {
    "array": ("items", "minItems", "maxItems"),
    "object": ("properties", "required", "additionalProperties", "propertyNames"),
}
"""The keywords that speak of lists, and of mappings."""


def published(rows: Rows) -> str:
    """The text of the schema, for editors and validators: plain JSON Schema, draft 2020-12."""
    data = _public(schema(rows))
    definitions = data["$defs"]
    for name, entry in definitions.items():
        entry["title"] = name.removeprefix("layer.")
    for name, row in rows.items():
        entry = definitions[f"layer.{name}"]
        entry["markdownDescription"] = f"{entry['description']}\n{_examples(name, row)}"
    for name, taken in POSITIONAL.items():
        for argument in taken:
            entry = definitions[name]["properties"][argument]
            entry |= _public(Word(CHOICES[argument]).schema(0))
        definitions[name]["properties"]["aggregation"]["default"] = DEFAULTS[name]
    definitions["statement"] |= _bare(rows, definitions)
    for name, snippets in SNIPPETS.items():
        (definitions[name] if name else data)["defaultSnippets"] = [
            {"label": label, "body": body} for label, body in snippets
        ]
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _public(node: Any) -> Any:
    """A schema without the words of the compiler, and with those that editors read."""
    if isinstance(node, list):
        return [_public(item) for item in node]
    if not isinstance(node, dict):
        return node
    public = {key: _public(value) for key, value in node.items() if not str(key).startswith("x-")}
    if isinstance(public.get("pattern"), str):
        words = node.get("x-words", {}).get("pattern")
        public["patternErrorMessage"] = words or _expected(public)
    if _is_union(public):
        public = _apart(public)
    if "`" in str(public.get("description", "")) and isinstance(public["description"], str):
        public["markdownDescription"] = public["description"]
    return public


def _expected(entry: Node) -> str:
    """What to say of a text that does not fit."""
    kinds = [KINDS[each] for each in entry["type"] if each != "string"] if _is_union(entry) else []
    known = [str(each) for each in entry.get("examples", ()) if isinstance(each, str)]
    return f"expected {', '.join([*kinds, *known])}, or a value of this file: $name, $(expression)"


def _is_union(entry: Node) -> bool:
    return isinstance(entry.get("type"), list)


def _apart(node: Node) -> Node:
    """The schema of a value of several types, with what holds for lists, and for mappings where
    these do not come first, apart: so an editor proposes the simple value."""
    apart = [word for word in _OF["array"] if word in node]
    if node["type"][0] == "array":
        apart += [word for word in _OF["object"] if word in node]
    if not apart:
        return node
    rest = {word: value for word, value in node.items() if word not in apart}
    return {**rest, "allOf": [{word: node[word] for word in apart}]}


def _bare(rows: Rows, definitions: Node) -> Node:
    """What a mere word can be where a layer stands, and what each does."""
    plain = [name for name in rows if not definitions[f"layer.{name}"]["required"]]
    said = ("title", "description", "markdownDescription")
    return {
        "pattern": f"{EXPRESSION}|^({'|'.join(plain)})$",
        "patternErrorMessage": "expected a layer that needs no arguments, or $name",
        "allOf": [
            {
                "if": {"const": name},
                "then": {word: definitions[f"layer.{name}"][word] for word in said},
            }
            for name in plain
        ],
    }


def _examples(name: str, row: type[Layer]) -> str:
    """The row's examples as items of a spec in YAML."""
    lines = [f"- {name}: {_flow(given)}" if given else f"- {name}" for given in row.examples]
    return "\n".join(["", "```yaml", *lines, "```"])


def _flow(value: Any) -> str:
    """Arguments on one line, as YAML has them."""
    return yaml.safe_dump(
        _listed(value), default_flow_style=True, sort_keys=False, width=1000
    ).strip()


def _listed(value: Any) -> Any:
    """Tuples as YAML has them."""
    if isinstance(value, Mapping):
        return {name: _listed(each) for name, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, tuple) else value
