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
    "(5, 7, 9)[1] ** 2",
    "((1, 2), (3, 4))[-1][1 - 1] * 2",
    "len((1, (2, 3))) + len((4,)) + len(((5, 6), 7)[0])",
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


NESTED = "codsl 1\nnetwork n(sizes = ((4, 5), (6,))) {\n  input (1, T)\n  BODY\n}\n"


def test_a_repetition_may_go_over_a_tuple() -> None:
    body = "l[i in 0..len(sizes[0]) - 1] = linear(sizes[0][i])"
    text = codsl.check(NESTED.replace("BODY", body))
    assert [(node.path, node.frame.channels) for node in text.nodes] == [("l0", 4), ("l1", 5)]
    yaml = """codsl: 1
name: n
params: {sizes: [[4, 5], [6]]}
input: [1, T]
layers:
  - let: {x: "$(sizes[0])"}
  - repeat:
      {name: l, index: i, range: [0, $(len(x) - 1)], layer: {linear: {out_features: "$(x[i])"}}}
"""
    found = codsl.check(yaml)
    assert [node.frame.channels for node in found.nodes] == [4, 5]
    assert codsl.check(yaml, params={"sizes": ((2,),)}).nodes[0].frame.channels == 2


@pytest.mark.parametrize(
    ("written", "code", "message", "at"),
    [
        ("sizes[2]", "E0313", "there is no item 2 in a tuple of 2 items", "2"),
        ("sizes[1][-2]", "E0313", "there is no item -2 in a tuple of one item", "-2"),
        ("sizes[0.5]", "E0313", "there is no item 0.5 in a tuple of 2 items", "0.5"),
        ('sizes["a"]', "E0305", "expected a number, found the text `a`", '"a"'),
        ("sizes[0][0][0]", "E0305", "expected a tuple, found `4`", "sizes[0][0]"),
        ("len(sizes[0][0])", "E0305", "expected a tuple, found `4`", "sizes[0][0]"),
        ("len()", "E0313", "this cannot be worked out", "len()"),
    ],
)
def test_what_is_no_item_is_said(written: str, code: str, message: str, at: str) -> None:
    with pytest.raises(codsl.SpecError) as error:
        codsl.check(NESTED.replace("BODY", f"linear({written})"))
    (found,) = error.value.diagnostics
    assert (found.code, found.labels[0].span.text) == (code, at)
    assert message in found.message


@pytest.mark.parametrize(
    ("x", "worth"), [(3, 8), (12, 16), (54, 56), (60, 64), (8.9, 16), (24, 24), (91, 88)]
)
def test_round_to_is_the_width_rule(x: float, worth: int) -> None:
    text = f"codsl 1\nnetwork n {{\n  input (1, T)\n  linear(round_to({x}, 8))\n}}\n"
    assert codsl.check(text).nodes[0].frame.channels == worth
