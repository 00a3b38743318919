"""Where the cursor stands, in both surfaces, in texts that are not whole."""

import pytest

from codsl.editor import text_cursor, yaml_cursor
from codsl.editor.cursor import Cursor, Place

H = "codsl 1\ntemplate unit(out: int) {\n  relu\n}\nnetwork n(width = 2) {\n  input (3, T)\n"
TEXT = [
    ("codsl 1\n|", Place.SECTION, "", ""),
    ("codsl 1\nnetw|", Place.SECTION, "", ""),
    ("codsl 1\nnetwork |", Place.NOTHING, "", ""),
    ("codsl 1\ntemplate unit(out: |", Place.TYPE, "", ""),
    (f"{H}  |", Place.LAYER, "", ""),
    (f"{H}  con|", Place.LAYER, "", ""),
    (f"{H}  a = con|", Place.LAYER, "", ""),
    (f"{H}  conv1d(|", Place.ARGUMENT, "conv1d", ""),
    (f"{H}  conv1d(4, ker|)\n}}", Place.ARGUMENT, "conv1d", ""),
    (f"{H}  conv1d(4, bias=|", Place.VALUE, "conv1d", "bias"),
    (f'{H}  conv1d(4, padding="ca|', Place.VALUE, "conv1d", "padding"),
    (f"{H}  conv1d(4, padding=((1, |", Place.VALUE, "", ""),
    (f'{H}  residual("|', Place.VALUE, "residual", "aggregation"),
    (f"{H}  residual(shrink=|", Place.VALUE, "residual", "shrink"),
    (f"{H}  residual {{\n    |", Place.LAYER, "", ""),
    (f"{H}  parallel {{ left {{ |", Place.LAYER, "", ""),
    (f"{H}  let a = |", Place.VALUE, "", ""),
    (f"{H}  when |", Place.VALUE, "", ""),
    (f"{H}  when width > 1 {{ |", Place.LAYER, "", ""),
    (f"{H}  join from a, |", Place.SOURCE, "", ""),
    (f"{H}  relu # a comm|", Place.NOTHING, "", ""),
    (f"{H}}}\nvariant s {{ |", Place.ARGUMENT, "variant", ""),
    (f"{H}}}\nvariant s {{ width = |", Place.NOTHING, "", ""),
    ("codsl 1\nnetwork n {\n input (3, |", Place.VALUE, "", ""),
]


def at(text: str, read: object) -> Cursor:
    offset = text.index("|")
    return read(text.replace("|", "", 1), offset)


@pytest.mark.parametrize(("text", "place", "owner", "argument"), TEXT)
def test_in_the_text_form(text: str, place: Place, owner: str, argument: str) -> None:
    found = at(text, text_cursor.cursor)
    assert (found.place, found.argument) == (place, argument)
    assert found.owner == owner or not owner


V = "codsl: 1\nvariants:\n  s: "
Y = "codsl: 1\nparams: {w: 2}\ninput: [3, T]\ntemplates:\n  unit:\n    layers: [relu]\nlayers:\n"
YAML = [
    ("|", Place.SECTION, "", ""),
    ("codsl: 1\nin|", Place.SECTION, "", ""),
    (f"{V}{{|", Place.ARGUMENT, "variant", ""),
    (f"{V}{{w: 2, |", Place.ARGUMENT, "variant", ""),
    (f"{V}{{w: |", Place.NOTHING, "", ""),
    (f"{V}\n    w: 2\n    |", Place.ARGUMENT, "variant", ""),
    (f"{Y}  - |", Place.LAYER, "", ""),
    (f"{Y}  - relu\n  - con|", Place.LAYER, "", ""),
    (f"{Y}- relu\n- con|", Place.LAYER, "", ""),
    (f"{Y}  - conv1d: {{|", Place.ARGUMENT, "conv1d", ""),
    (f"{Y}  - conv1d: {{out_channels: 3, |}}", Place.ARGUMENT, "conv1d", ""),
    (f"{Y}  - conv1d:\n      |", Place.ARGUMENT, "conv1d", ""),
    (f"{Y}  - conv1d:\n      out_channels: 3\n      ker|", Place.ARGUMENT, "conv1d", ""),
    (f"{Y}  - conv1d: {{padding: |", Place.VALUE, "conv1d", "padding"),
    (f"{Y}  - conv1d:\n      padding: ca|", Place.VALUE, "conv1d", "padding"),
    (f"{Y}  - conv1d: {{kernel_size: [|", Place.VALUE, "conv1d", "kernel_size"),
    (f"{Y}  - residual:\n      shrink: |", Place.VALUE, "residual", "shrink"),
    (f"{Y}  - residual:\n      |", Place.ARGUMENT, "residual", ""),
    (f"{Y}  - residual:\n      layers:\n        - |", Place.LAYER, "", ""),
    (f"{Y}  - residual: {{layers: [re|", Place.LAYER, "", ""),
    (f"{Y}  - join: {{from: [|", Place.SOURCE, "", ""),
    (f"{Y}  - join: {{from: |", Place.SOURCE, "", ""),
    (f"{Y}  - parallel:\n      branches:\n        left:\n          - |", Place.LAYER, "", ""),
    (f"{Y}  - repeat:\n      name: a\n      layer: |", Place.LAYER, "", ""),
    (f"{Y}  - $unit: {{|", Place.ARGUMENT, "$unit", ""),
    ("codsl: 1\nparams:\n  a:\n    type: |", Place.TYPE, "", ""),
    ("codsl: 1\nparams: {a: {type: |", Place.TYPE, "", ""),
    (f"{Y}  - relu # a comm|", Place.NOTHING, "", ""),
]


@pytest.mark.parametrize(("text", "place", "owner", "argument"), YAML)
def test_in_yaml(text: str, place: Place, owner: str, argument: str) -> None:
    found = at(text, yaml_cursor.cursor)
    assert found.place == place
    if owner:
        assert (found.owner, found.argument) == (owner, argument)


def test_what_was_given_and_where_the_word_begins() -> None:
    found = at(f"{H}  conv1d(4, stride=2, ker|)", text_cursor.cursor)
    assert (found.given, found.start) == ({"stride"}, len(f"{H}  conv1d(4, stride=2, "))
    found = at(f"{Y}  - conv1d: {{stride: 2, ker|}}", yaml_cursor.cursor)
    assert (found.given, found.start) == ({"stride"}, len(f"{Y}  - conv1d: {{stride: 2, "))
    found = at(f"{Y}  - conv1d:\n      stride: 2\n      $wi|", yaml_cursor.cursor)
    assert found.given == {"stride"}


def test_the_template_that_it_is_in() -> None:
    inside = at("codsl 1\ntemplate unit(out: int) {\n  a = conv1d(|\n}", text_cursor.cursor)
    assert inside.template == "unit"
    assert at(f"{H}  conv1d(|", text_cursor.cursor).template == ""
    text = "codsl: 1\ntemplates:\n  unit:\n    layers:\n      - conv1d: {out_channels: |"
    assert at(text, yaml_cursor.cursor).template == "unit"
