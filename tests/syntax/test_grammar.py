"""The grammar is unambiguous, names no layer, reads operators as Python does, and what is kept of
its parser is that parser."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from lark import Lark
from lark.exceptions import UnexpectedInput

import codsl
from codsl.layers.table import table
from codsl.syntax import grammar as room

GRAMMAR = files("codsl.syntax").joinpath("grammar.lark").read_text("utf-8")


def test_the_grammar_loads_strictly() -> None:
    Lark(GRAMMAR, **room.OPTIONS, strict=True)


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
    ("written", "indices"),
    [
        ("1..9 step 4", [1, 5, 9]),
        ("1..8 step 4", [1, 5]),
        ("0..3 step n", [0, 2]),
        ("3..1 step -1", [3, 2, 1]),
        ("3..0 step -(n)", [3, 1]),
        ("n..2 step step", [2]),
        ("1..3 step -1", []),
        ("1..n", [1, 2]),
    ],
)
def test_a_repetition_counts_by_steps(written: str, indices: list[int]) -> None:
    head = "codsl 1\nnetwork n(n = 2, step = 7) {\n  input (1, T) step = relu "
    spec = codsl.check(f"{head} u[i in {written}] = relu\n}}\n")
    assert [node.path for node in spec.nodes[1:]] == [f"u{index}" for index in indices]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("1..9 step 0", "a step is an integer other than 0, found `0`"),
        ("1..9 step 0.5", "a step is an integer other than 0, found `0.5`"),
        ("1..9 step true", "a step is an integer other than 0, found true"),
        ("1..9 by 2", "unexpected `by`"),
        ("1..9 step", "unexpected `]`"),
        ("0..99999999 step 2", "50000000 repetitions make the network larger than 20000 layers"),
    ],
)
def test_steps_that_cannot_be(written: str, message: str) -> None:
    text = f"codsl 1\nnetwork n {{\n  input (1, T)\n  u[i in {written}] = relu\n}}\n"
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(text)
    (found,) = caught.value.diagnostics
    assert found.message == message
    if "by" in written:
        assert found.helps[0].edits[0].replacement == "step"


@pytest.mark.parametrize(
    ("x", "worth"), [(3, 8), (12, 16), (54, 56), (60, 64), (8.9, 16), (24, 24), (91, 88)]
)
def test_round_to_is_the_width_rule(x: float, worth: int) -> None:
    text = f"codsl 1\nnetwork n {{\n  input (1, T)\n  linear(round_to({x}, 8))\n}}\n"
    assert codsl.check(text).nodes[0].frame.channels == worth


def test_in_braces_of_yaml_an_item_stands_in_quotes() -> None:
    text = "codsl: 1\nparams: {w: [1, 2]}\ninput: [1, T]\nlayers: [{linear: %s}]\n"
    with pytest.raises(codsl.SpecError, match=r"put it in quotes: .*w\[1\]"):
        codsl.check(text % "$(w[1])")
    assert codsl.check(text % '"$(w[1])"').nodes[0].frame.channels == 2


ROOT = Path(__file__).parents[2]
TEXTS = [*(ROOT / "networks").glob("*.codsl"), *(ROOT / "tests" / "wrong").glob("*.codsl")]


def test_the_kept_parser_is_not_stale() -> None:
    kept = json.loads((ROOT / "codsl" / "syntax" / "grammar.json").read_text("utf-8"))
    assert {**kept["of"], "lark": ""} == {**room.origin(), "lark": ""}, "`make generated` mends it"


def told(parser: Lark, text: str) -> object:
    """The tree of a text, or where it breaks and what would have been expected there."""
    try:
        return parser.parse(text, start="document")
    except UnexpectedInput as error:
        expected = getattr(error, "accepts", None) or getattr(error, "allowed", None)
        return type(error), error.pos_in_stream, expected


def test_the_kept_parser_reads_as_the_one_that_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made, kept, here = room.made(), room.table(), room.origin()
    monkeypatch.setattr(room, "_file", lambda name: kept)
    monkeypatch.setattr(room, "origin", lambda: here)
    read = room.grammar.__wrapped__()
    assert read.source_path == "<deserialized>"
    assert len(TEXTS) > 50
    for path in TEXTS:
        text = path.read_text("utf-8")
        assert told(read, text) == told(made, text), path


@pytest.mark.parametrize("part", ["lark", "grammar", "options"])
def test_a_parser_of_something_else_is_not_read(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = room.origin()
    monkeypatch.setattr(room, "origin", lambda: {**here, part: "another"})
    assert room.grammar.__wrapped__().source_path != "<deserialized>"
