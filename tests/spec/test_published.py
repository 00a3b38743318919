"""The published schema: it holds for every network, refuses mistakes, and tells an editor all."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import codsl
from codsl.layers.row import arguments
from codsl.layers.table import table
from codsl.spec.glossary import SHARED, meaning
from codsl.spec.joins import CHOICES, DEFAULTS
from codsl.spec.published import SNIPPETS

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "codsl-1.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
NETWORKS = sorted(
    path for path in (ROOT / "networks").iterdir() if path.suffix in (".yaml", ".codsl")
)
MODELINE = "# yaml-language-server: $schema=../schemas/codsl-1.schema.json"


@cache
def in_yaml(path: Path) -> Any:
    """A network as plain YAML reads it, whichever surface it is written in; not to be changed."""
    text = path.read_text()
    return yaml.safe_load(codsl.convert(text, to="yaml") if path.suffix == ".codsl" else text)


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.name)
def test_every_network_is_valid(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(in_yaml(path))] == []


def test_networks_in_yaml_name_their_schema() -> None:
    written = [path for path in NETWORKS if path.suffix == ".yaml"]
    assert len(written) > 4
    assert {path.read_text().split("\n")[0] for path in written} == {MODELINE}
    assert (ROOT / "networks" / MODELINE.partition("=")[2]).resolve().is_file()


def nodes(value: Any) -> Iterator[Any]:
    yield value
    children = value.values() if isinstance(value, dict) else value
    for each in children if isinstance(value, dict | list) else ():
        yield from nodes(each)


def calls(spec: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """The items of a spec that are layers with arguments, and which."""
    for items in nodes(spec["layers"]):
        for item in items if isinstance(items, list) else ():
            word = next(iter(item)) if isinstance(item, dict) else ""
            if word in table() and isinstance(item[word], dict):
                yield item, word


def misspell_a_section(spec: Any) -> bool:
    spec["layer"] = spec.pop("layers")
    return True


def misspell_a_layer(spec: Any) -> bool:
    for item, word in calls(spec):
        item[f"{word}x"] = item.pop(word)
        return True
    return False


def misspell_a_word(spec: Any) -> bool:
    for node in nodes(spec["layers"]):
        for at, item in enumerate(node if isinstance(node, list) else ()):
            if isinstance(item, str) and item in table():
                node[at] += "x"
                return True
    return False


def invent_an_argument(spec: Any) -> bool:
    for item, word in calls(spec):
        item[word]["colour"] = 1
        return True
    return False


def forget_an_argument(spec: Any) -> bool:
    for item, word in calls(spec):
        if "out_channels" in item[word]:
            del item[word]["out_channels"]
            return True
    return False


def give_a_word_for_a_number(spec: Any) -> bool:
    for item, word in calls(spec):
        if "kernel_size" in item[word]:
            item[word]["kernel_size"] = "three"
            return True
    return False


def name_with_a_space(spec: Any) -> bool:
    for item, word in calls(spec):
        item[word]["name"] = "two words"
        return True
    return False


MISTAKES: list[Callable[[Any], bool]] = [
    misspell_a_section,
    misspell_a_layer,
    misspell_a_word,
    invent_an_argument,
    forget_an_argument,
    give_a_word_for_a_number,
    name_with_a_space,
]


@pytest.mark.parametrize("plant", MISTAKES, ids=lambda plant: plant.__name__)
def test_planted_mistakes_are_refused(plant: Callable[[Any], bool]) -> None:
    planted = {path.name: deepcopy(in_yaml(path)) for path in NETWORKS}
    wrong = {name: spec for name, spec in planted.items() if "layers" in spec and plant(spec)}
    assert len(wrong) > 4
    assert [name for name, spec in wrong.items() if VALIDATOR.is_valid(spec)] == []


WRONG_ITEMS = [
    "conv3d",  # needs arguments
    "residual",
    "conv4d",
    {"residual": {"layers": ["relu"], "shrink": "centred"}},
    {"parallel": {"branches": [["relu"]], "aggregation": "add"}},
    {"join": {"from": ["a", "b"], "aggregation": "add"}},
]


@pytest.mark.parametrize("item", WRONG_ITEMS, ids=str)
def test_words_that_mean_nothing_are_refused_by_both(item: Any) -> None:
    spec = {"codsl": 1, "input": [3, "T", 8, 8], "layers": [item]}
    assert not VALIDATOR.is_valid(spec)
    with pytest.raises(codsl.SpecError):
        codsl.check(spec)


@pytest.mark.parametrize("item", ["relu", "$act", {"$unit": {"name": "a", "wide": 3}}], ids=str)
def test_words_that_mean_something_are_not(item: Any) -> None:
    assert VALIDATOR.is_valid({"codsl": 1, "input": [3, "T", 8, 8], "layers": [item]})


def properties(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key that the schema knows, with what it says of it."""
    if isinstance(node, dict):
        for name, entry in node.get("properties", {}).items():
            if isinstance(entry, dict):
                yield f"{path}.{name}", entry
        for key, value in node.items():
            yield from properties(
                value, path if key in ("properties", "$defs") else f"{path}.{key}"
            )
    elif isinstance(node, list):
        for value in node:
            yield from properties(value, path)


def described(entry: Any) -> bool:
    target = SCHEMA["$defs"].get(str(entry.get("$ref")).removeprefix("#/$defs/"), {})
    return bool(entry.get("description") or target.get("description"))


def test_every_key_is_described() -> None:
    known = dict(properties(SCHEMA))
    assert len(known) > 300
    assert [path for path, entry in known.items() if not described(entry)] == []


def test_descriptions_with_code_are_marked_down() -> None:
    plain = [
        node["description"]
        for node in nodes(SCHEMA)
        if isinstance(node, dict)
        and "`" in str(node.get("description"))
        and isinstance(node["description"], str)
        and "markdownDescription" not in node
    ]
    assert plain == []


def test_hover_over_a_layer_shows_examples_that_are_fine() -> None:
    for name, row in table().items():
        said = SCHEMA["$defs"][f"layer.{name}"]["markdownDescription"]
        shown = yaml.safe_load(said.partition("```yaml\n")[2].removesuffix("```"))
        assert len(shown) == len(row.examples)
        spec = {"codsl": 1, "input": [4, "T", 9, 8], "layers": shown}
        assert VALIDATOR.is_valid(spec), name


def test_words_are_offered_where_there_is_a_choice() -> None:
    conv = SCHEMA["$defs"]["layer.conv3d"]["properties"]
    assert conv["padding_mode"]["examples"] == ["zeros", "replicate", "reflect", "circular"]
    assert conv["padding"]["examples"] == [0, "same", "causal"]
    for name, default in DEFAULTS.items():
        entry = SCHEMA["$defs"][name]["properties"]["aggregation"]
        assert (entry["default"], tuple(entry["examples"])) == (default, CHOICES["aggregation"])


def test_a_single_value_is_proposed_before_a_list() -> None:
    """An editor proposes a list where a schema has `items`."""
    unions = [
        node
        for node in nodes(SCHEMA)
        if isinstance(node, dict) and isinstance(node.get("type"), list) and len(node["type"]) > 1
    ]
    assert len(unions) > 100
    assert not [node for node in unions if "items" in node and "array" in node["type"]]


def test_snippets_are_of_definitions_that_there_are() -> None:
    assert {name for name in SNIPPETS if name} <= set(SCHEMA["$defs"])


def test_the_shared_meanings_are_those_of_arguments_that_there_are() -> None:
    named = {argument.name for row in table().values() for argument in arguments(row)}
    assert set(SHARED) <= named


def test_a_row_explains_its_own_arguments() -> None:
    row = table()["graph_conv"]
    assert meaning(row, "edge_importance").startswith("`learned` makes the adjacency a parameter")
    assert meaning(row, "out_channels") == SHARED["out_channels"]
    assert meaning(row, "colour") == ""
