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
    "-(4, 5, 6)[1] ** 2",
    "(4, 5, 6)[-1] * 2 + (7,)[0]",
    "((1, 2), (3, 4))[1][4 - 3 - 1]",
    "len((1, 2, 3)) + len(())",
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
    ("written", "code", "said"),
    [
        ("widths[3]", "E0313", "there is no item `3` in a tuple of 3 items"),
        ("widths[-4]", "E0313", "there is no item `-4` in a tuple of 3 items"),
        ("(1,)[1]", "E0313", "there is no item `1` in a tuple of 1 item"),
        ("widths[0.5]", "E0305", "an item is chosen by a whole number, not `0.5`"),
        ("widths[true]", "E0305", "expected a number, found true"),
        ("len(widths)[0]", "E0305", "expected a tuple, found `3`"),
        ("len(3)", "E0305", "expected a tuple, found `3`"),
        ("len()", "E0313", "`len` takes one tuple"),
        ("len(widths, widths)", "E0313", "`len` takes one tuple"),
        ("len(of=widths)", "E0303", "`len` takes its arguments by position"),
        ("1 + lem(widths)", "E0301", "there is no function `lem`"),
        ("widths[1", "E0101", "unexpected"),
    ],
)
def test_items_that_are_not_there_are_told(written: str, code: str, said: str) -> None:
    spec = f"codsl 1\nnetwork n(widths: tuple = (1, 2, 3)) {{ input (1, T) linear({written}) }}"
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(spec)
    (found,) = caught.value.diagnostics
    assert (found.code, said in found.message) == (code, True), found.message


def test_a_repetition_over_a_tuple_may_be_followed_by_another() -> None:
    text = """codsl 1
network n(widths: tuple = (5, 6)) {
  input (1, T)
  let n = widths[0]
  a[i in 1..len(widths)] = conv1d(widths[i - 1], 1)
  b[i in 1..2] = conv1d(n, 1)
}
variant other { widths = (7, 8, 9) }
"""
    for variant, channels in ((None, [5, 6, 5, 5]), ("other", [7, 8, 9, 7, 7])):
        nodes = codsl.check(text, variant=variant).nodes
        assert [node.frame.channels for node in nodes] == channels


@pytest.mark.parametrize(
    ("x", "worth"), [(3, 8), (12, 16), (54, 56), (60, 64), (8.9, 16), (24, 24), (91, 88)]
)
def test_round_to_is_the_width_rule(x: float, worth: int) -> None:
    text = f"codsl 1\nnetwork n {{\n  input (1, T)\n  linear(round_to({x}, 8))\n}}\n"
    assert codsl.check(text).nodes[0].frame.channels == worth


def test_in_braces_of_yaml_an_item_stands_in_quotes() -> None:
    text = "codsl: 1\nparams: {w: [1, 2]}\ninput: [1, T]\nlayers: [{linear: %s}]\n"
    with pytest.raises(codsl.SpecError, match=r"stands in quotes: .*widths\[0\]"):
        codsl.check(text % "$(w[1])")
    assert codsl.check(text % '"$(w[1])"').nodes[0].frame.channels == 2
