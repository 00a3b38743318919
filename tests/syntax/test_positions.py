"""Where diagnostics point to: lines and columns from 1, in characters, in both surfaces."""

import pytest

import codsl
from codsl.syntax.numbers import scalar

YAML = "codsl: 1\ninput: [3, T]\nlayers:\n  - rel\n"
TEXT = "codsl 1\nnetwork n {\n  input (3, T)\n  rel\n}\n"


def place(text: str) -> tuple[int, int, str]:
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(text)
    span = caught.value.diagnostics[0].span
    assert span is not None
    return span.line, span.column, span.text


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        (YAML, 4, 5),
        (TEXT, 4, 3),
        (YAML.replace("\n", "\r\n"), 4, 5),
        (TEXT.replace("\n", "\r\n"), 4, 3),
        (TEXT.replace("  rel", "\t\trel"), 4, 3),
        ("\ufeff" + YAML, 4, 5),
        ("\ufeff" + TEXT, 4, 3),
        (YAML.replace("- rel", '- {"rel": {name: 漢}}'), 4, 6),
        (YAML.replace("input:", "doc: 漢字 é 😀\ninput:"), 5, 5),
        (TEXT.replace("rel", 'relu(a="漢😀") rel').replace("network", 'doc "漢"\nnetwork'), 5, 8),
        (TEXT.replace("  rel", "  # 漢😀\n  rel"), 5, 3),
    ],
)
def test_the_culprit_is_where_it_stands(text: str, line: int, column: int) -> None:
    assert place(text)[:2] == (line, column)


@pytest.mark.parametrize(
    ("value", "column", "culprit"),
    [
        ("$(widht)", 15, "widht"),
        ("$widht", 13, "$widht"),
        ('"$(2 * widht)"', 20, "widht"),
        ("'$(2 * widht)'", 20, "widht"),
        ("$(1 + )", 19, ")"),
        ("$(1 / (n - n))", 15, "1 / (n - n)"),
    ],
)
def test_places_inside_expressions_are_kept(value: str, column: int, culprit: str) -> None:
    text = f"codsl: 1\nparams: {{n: 1}}\ninput: [3, T]\nlayers:\n  - linear: {value}\n"
    assert place(text) == (5, column, culprit)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("+1", 1),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e-5", 1e-5),
        ("1E3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5e1", -5.0),
        (".inf", float("inf")),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("0b11", "0b11"),
        ("2026-01-01", "2026-01-01"),
        ("1" * 41, "1" * 41),
        ("e5", "e5"),
        ("tRUE", "tRUE"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)
