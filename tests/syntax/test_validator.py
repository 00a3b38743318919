"""What is left to a later stage is the same by the few rules that are asked first."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from codsl.layers.table import table
from codsl.spec.schema import schema
from codsl.syntax.validator import Validator, told_now

TESTS = Path(__file__).parents[1]
FILES = [*(TESTS / "wrong").glob("*.yaml"), *(TESTS.parent / "networks").glob("*.yaml")]


def data(path: Path) -> Any:
    """What a file says; nothing where it is no YAML."""
    with suppress(yaml.YAMLError, ValueError):
        return yaml.safe_load(path.read_text())
    return None


@cache
def whole() -> dict[str, Any]:
    return schema(table())


@cache
def validator() -> Validator:
    return Validator(whole())


@pytest.mark.parametrize("path", sorted(FILES), ids=lambda path: path.stem)
def test_errors_are_those_of_the_whole_schema_that_are_told_now(path: Path) -> None:
    every = Draft202012Validator(whole()).iter_errors(data(path))
    now = [each for each in every if each.validator not in each.schema.get("x-later", ())]
    found = validator().errors(data(path))
    assert [(each.message, each.json_path) for each in found] == [
        (each.message, each.json_path) for each in now
    ]


def test_rules_that_are_told_later_are_left_out() -> None:
    later = ["type", "additionalProperties", "required"]
    entry = {"type": "integer", "x-later": ["type"]}
    rules = {"type": "object", "additionalProperties": False, "x-later": later}
    properties = {"a": entry, "b": {"items": entry}, "c": {"enum": [1]}, "d": False}
    left = told_now({**rules, "required": ["a"], "properties": properties, "allOf": [entry]})
    assert left == {"x-later": later, "properties": {"c": {"enum": [1]}, "d": False}}
    assert told_now({"properties": properties})["properties"].keys() == properties.keys()
