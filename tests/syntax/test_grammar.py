"""The grammar is unambiguous, names no layer, and reads operators as Python does."""

from importlib.resources import files

import pytest
from lark import Lark

import codsl
from codsl.layers.table import table

GRAMMAR = files("codsl.syntax").joinpath("grammar.lark").read_text("utf-8")


def test_the_grammar_loads_strictly() -> None:
    Lark(
        GRAMMAR,
        parser="lalr",
        lexer="contextual",
        start=["document", "expression"],
        strict=True,
    )


def test_the_grammar_names_no_layer() -> None:
    assert not [name for name in table() if f'"{name}"' in GRAMMAR]


EXPRESSIONS = [
    "2 ** 3 ** 2",
    "-2 ** 2",
    "2 ** -1 * 4",
    "7 // 2 * 2 + 7 % 4 - 1",
    "-7 // 2",
    "-7 % 3",
    "1 + 2 * 3 - (4 - 5)",
    "10 - 3 - 2",
    "100 / 10 / 2",
    "1 if not 1 == 2 and 2 < 3 or False else 2",
    "1 if False else 2 if True else 3",
    "max(1, min(5, 3), 2)",
    "round(2.5) + round(3.5) + int(-1.5)",
    "(1 < 2) == True",
    "+-+3",
    "1e2 + 0x10 + 0o17",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions_are_worth_what_python_says(text: str) -> None:
    written = text.replace("True", "true").replace("False", "false")
    if text == "(1 < 2) == True":
        written = f"1 if {written} else 0"
    spec = f"codsl 1\nnetwork n {{\n  input (1, T)\n  linear(int(1000 + {written}))\n}}\n"
    worth = int(1000 + eval(text)) if "==" not in text or " if " in text else 1001
    if " if " in text:
        spec = spec.replace(f"1000 + {written}", f"1000 + ({written})")
        worth = 1000 + eval(text)
    assert codsl.check(spec).nodes[0].frame.channels == worth


@pytest.mark.parametrize(
    ("x", "worth"), [(3, 8), (12, 16), (54, 56), (60, 64), (8.9, 16), (24, 24), (91, 88)]
)
def test_round_to_is_the_width_rule(x: float, worth: int) -> None:
    text = f"codsl 1\nnetwork n {{\n  input (1, T)\n  linear(round_to({x}, 8))\n}}\n"
    assert codsl.check(text).nodes[0].frame.channels == worth
