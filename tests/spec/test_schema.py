"""The published JSON Schema: up to date, strict, no alternatives, and it agrees with `check`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import codsl
from codsl import SpecError
from codsl.layers.row import ANY_RANK
from codsl.layers.table import table
from codsl.spec.published import published

ROOT = Path(__file__).parents[2]
FILE = ROOT / "schemas" / "codsl-1.schema.json"
SPACE = {1: "", 2: ", 9", 3: ", 9, 8"}
EXAMPLES = [
    pytest.param(name, example, id=f"{name}-{number}")
    for name, row in table().items()
    for number, example in enumerate(row.examples)
]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(FILE.read_text())


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema)


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from nodes(each)
    elif isinstance(value, list):
        for each in value:
            yield from nodes(each)


def listed(value: Any) -> Any:
    """Tuples as YAML has them."""
    return [listed(each) for each in value] if isinstance(value, tuple) else value


def file_with(layer: Any, rank: int = 3) -> dict[str, Any]:
    sizes = [4, "T", 9, 8][: rank + 1]
    return {"codsl": 1, "name": "one", "input": sizes, "layers": [layer]}


def test_the_file_is_not_stale() -> None:
    assert FILE.read_text() == published(table()), "`codsl schema` gives it anew"


def test_it_is_a_schema_of_draft_2020_12(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_it_has_no_alternatives(schema: dict[str, Any]) -> None:
    """So that each violation is a leaf at the right place."""
    assert not [node for node in nodes(schema) if node.keys() & {"anyOf", "oneOf"}]


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    references = {node["$ref"] for node in nodes(schema) if isinstance(node.get("$ref"), str)}
    known = {f"#/$defs/{name}" for name in schema["$defs"]}
    assert references
    assert references <= known


def test_every_layer_has_its_entry(schema: dict[str, Any]) -> None:
    known = {name.removeprefix("layer.") for name in schema["$defs"] if name.startswith("layer.")}
    assert known == set(table())
    described = [schema["$defs"][f"layer.{name}"] for name in known]
    assert all(entry["description"] for entry in described)


def test_it_carries_no_words_of_the_compiler(schema: dict[str, Any]) -> None:
    assert not [key for node in nodes(schema) for key in node if key.startswith("x-")]


@pytest.mark.parametrize("path", sorted((ROOT / "networks").glob("*.yaml")), ids=lambda p: p.name)
def test_networks_are_valid(validator: Draft202012Validator, path: Path) -> None:
    assert [
        error.message for error in validator.iter_errors(yaml.safe_load(path.read_text()))
    ] == []


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_examples_are_valid(
    validator: Draft202012Validator, name: str, example: dict[str, Any]
) -> None:
    rank = table()[name].rank
    layer = {name: {key: listed(value) for key, value in example.items()}} if example else name
    spec = file_with(layer, 3 if rank == ANY_RANK else rank)
    assert [error.message for error in validator.iter_errors(spec)] == []


WRONG: dict[str, Any] = {
    "no such layer": {"conv4d": {"out_channels": 2, "kernel_size": 3}},
    "no such argument": {"conv3d": {"out_channels": 2, "kernel_size": 3, "strides": 2}},
    "an argument is missing": {"conv3d": {"out_channels": 2}},
    "no channels": {"conv3d": {"out_channels": 0, "kernel_size": 3}},
    "half a channel": {"conv3d": {"out_channels": 2.5, "kernel_size": 3}},
    "a channel is no truth": {"conv3d": {"out_channels": True, "kernel_size": 3}},
    "a kernel of two": {"conv3d": {"out_channels": 2, "kernel_size": [3, 3]}},
    "a kernel of four": {"conv3d": {"out_channels": 2, "kernel_size": [3, 3, 3, 3]}},
    "a word in a kernel": {"conv3d": {"out_channels": 2, "kernel_size": ["three", 3, 3]}},
    "negative padding": {"conv3d": {"out_channels": 2, "kernel_size": 3, "padding": -1}},
    "unknown padding": {"conv3d": {"out_channels": 2, "kernel_size": 3, "padding": "full"}},
    "a triple of padding": {
        "conv3d": {"out_channels": 2, "kernel_size": 3, "padding": [[1, 1, 1], 1, 1]}
    },
    "unknown mode": {"conv3d": {"out_channels": 2, "kernel_size": 3, "padding_mode": "mirror"}},
    "bias is a number": {"conv3d": {"out_channels": 2, "kernel_size": 3, "bias": 1}},
    "more than all": {"dropout": {"p": 1.5}},
    "a list of probabilities": {"dropout": {"p": [0.5]}},
    "arguments of a plain layer": {"relu": {"slope": 0.1}},
    "a name with a space": {"relu": {"name": "my relu"}},
    "two outputs over time": {"adaptive_avg_pool3d": {"output_size": [0, 1, 1], "kernel_size": 2}},
    "two layers in one item": {"relu": None, "silu": None},
    "a residual of what": {"residual": {"body": ["relu"]}},
    "a parallel of nothing": {"parallel": {"aggregation": "sum"}},
    "a join from nowhere": {"join": {"aggregation": "sum"}},
    "a repeat without end": {"repeat": {"name": "a", "range": [1], "layer": "relu"}},
    "a condition on nothing": {"when": {"layers": ["relu"]}},
}


@pytest.mark.parametrize("layer", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_wrong_in_both(validator: Draft202012Validator, layer: Any) -> None:
    spec = file_with(layer)
    assert list(validator.iter_errors(spec))
    with pytest.raises(SpecError):
        codsl.check(spec)


WRONG_FILES: dict[str, Any] = {
    "of a later version": {"codsl": 2},
    "of no version": {"codsl": None},
    "with an unknown section": {"layer": []},
    "with a short input": {"input": [3]},
    "with an input of lists": {"input": [[3], "T"]},
    "with layers that are none": {"layers": 3},
    "with a parameter of no type": {"params": {"width": {"type": "number"}}},
    "with a name of two words": {"name": "two words"},
    "with a template of nothing known": {"templates": {"unit": {"body": []}}},
    "without an input": {"input": None},
    "with an input and inputs": {"inputs": {"near": [3, "T"]}},
    "with no inputs": {"input": None, "inputs": {}},
    "with inputs in a list": {"input": None, "inputs": [[3, "T"]]},
    "with an input of two words": {"input": None, "inputs": {"two words": [3, "T"]}},
    "with a short input among others": {"input": None, "inputs": {"near": [3]}},
    "with no outputs": {"outputs": []},
    "with an output that is a number": {"outputs": [3]},
}


@pytest.mark.parametrize("change", WRONG_FILES.values(), ids=WRONG_FILES)
def test_wrong_files_are_wrong_in_both(validator: Draft202012Validator, change: Any) -> None:
    spec = {**file_with("relu"), **change}
    spec = {key: value for key, value in spec.items() if value is not None}
    assert list(validator.iter_errors(spec))
    with pytest.raises(SpecError):
        codsl.check(spec)


def test_what_is_right_is_right_in_both(validator: Draft202012Validator) -> None:
    """So that the wrong ones above are wrong for what they say."""
    for layer in (
        "relu",
        {"relu": {"name": "act"}},
        {"conv3d": {"out_channels": 2, "kernel_size": 3, "padding": [[1, 0], 1, "same"]}},
        {"conv3d": {"out_channels": 2, "kernel_size": [3, 1, 1], "padding": "causal"}},
        {"dropout": {"p": 0.5}},
        {"residual": {"layers": ["relu"]}},
        {"parallel": {"aggregation": "sum", "branches": [["relu"], ["silu"]]}},
        {"repeat": {"name": "a", "range": [1, 2], "layer": "relu"}},
        {"when": {"test": True, "layers": ["relu"]}},
    ):
        spec = file_with(layer)
        assert [error.message for error in validator.iter_errors(spec)] == []
        assert codsl.check(spec).receptive_field <= 3


def test_several_inputs_and_outputs_are_right_in_both(
    validator: Draft202012Validator,
) -> None:
    spec = file_with({"join": {"name": "both", "from": ["near", "far"]}})
    del spec["input"]
    spec |= {"inputs": {"near": [3, "T"], "far": {"shape": [2, "T"], "rate": 30}}}
    for outputs in ({}, {"outputs": ["both"]}, {"outputs": "both"}):
        assert [error.message for error in validator.iter_errors({**spec, **outputs})] == []
        assert codsl.check({**spec, **outputs}).rate == 30


def test_an_expression_can_stand_for_any_argument(validator: Draft202012Validator) -> None:
    spec = file_with(
        {
            "conv3d": {
                "out_channels": "$(2 * width)",
                "kernel_size": ["$k", 3, 3],
                "padding": "$k",
                "bias": "$(k == 1)",
            }
        }
    )
    spec["params"] = {"width": 2, "k": 1}
    spec["layers"][0]["conv3d"]["padding"] = "$(k - 1)"
    assert [error.message for error in validator.iter_errors(spec)] == []
    assert codsl.check(spec).nodes[0].frame.channels == 4


def test_every_argument_is_described_by_its_default(schema: dict[str, Any]) -> None:
    conv = schema["$defs"]["layer.conv3d"]["properties"]
    assert (conv["stride"]["default"], conv["bias"]["default"]) == (1, True)
    assert re.fullmatch(r"#/\$defs/\w+", conv["name"]["$ref"])


HUB: dict[str, Any] = {
    "layout": "keras",
    "sha256": "0" * 64,
    "envelope": "model_ema",
    "rename": {"blocks.{i}.{rest}": "stage{i+1}.{rest}"},
    "allow_missing": ["head.{x}"],
    "allow_unexpected": ["aux.{rest:path}"],
    "adapt": {"stem.weight": "inflate_last", "head.weight": "rows[1:]"},
}


@pytest.mark.parametrize("key", [None, *HUB])
def test_checkpoints_are_valid(validator: Draft202012Validator, key: str | None) -> None:
    hub = HUB if key is None else {key: HUB[key]}
    spec = {**file_with("relu"), "weights": {"hub": hub, "": {}}}
    assert [error.message for error in validator.iter_errors(spec)] == []
    assert codsl.check(spec).knowns.keys() == {"hub", ""}


@pytest.mark.parametrize(
    "wrong",
    [
        {"layout": "keres"},
        {"layout": ["keras"]},
        {"sha256": "0" * 63},
        {"rename": ["a -> b"]},
        {"rename": {"a": {"rest": None}}},
        {"allow_missing": "a"},
        {"allow_unexpected": [1]},
        {"adapt": {"a": 1}},
        {"adapt": {"a": "inflate"}},
        {"renames": {}},
    ],
    ids=str,
)
def test_wrong_checkpoints_are_not(validator: Draft202012Validator, wrong: dict[str, Any]) -> None:
    spec = {**file_with("relu"), "weights": {"hub": wrong}}
    assert not validator.is_valid(spec)
    with pytest.raises(SpecError):
        codsl.check(spec)
