"""A text that breaks in several places says so at once, and what follows from a break is silent."""

import pytest

import codsl
from codsl.mending import edited
from codsl.syntax.resume import without_statement
from goldens import mistakes

BROKEN = """codsl 1
template t(a: int) {
  conv3d(a 3)
}
network n {
  input (3, T, 8, 8)
  a = conv3d(8 3)
  b = conv3d(8, 3, padding='same')
  c = torch.nn.Conv3d(
    8, kernel_size=3)
  residual {
    x = conv3d(8, 3; padding=1)
  }
  d = conv3d(8 if true && true else 4, 3)
  e = conv3d(8, [1, 3, 3])
  silu
}
variant v { k 3 }
"""


def places(text: str) -> list[tuple[int, str]]:
    return [(each.span.line, each.span.text) for each in mistakes(text, "n.codsl")]


def test_all_breaks_are_told_at_once() -> None:
    assert places(BROKEN) == [
        (3, "3"),
        (7, "3"),
        (8, "'same'"),
        (9, "torch.nn.Conv3d"),
        (12, ";"),
        (14, "&&"),
        (15, "[1, 3, 3]"),
        (18, "3"),
    ]


def test_all_their_remedies_together_leave_text() -> None:
    found = mistakes(BROKEN, "n.codsl")
    edits = [edit for each in found for help_ in each.helps[:1] for edit in help_.edits]
    after = edited(BROKEN, edits)
    assert not [each for each in mistakes(after, "n.codsl") if each.code == "E0101"], after


@pytest.mark.parametrize(
    "text",
    [
        "codsl 1\nnetwork n {\n  input (3, T)\n  a = linear(3\n  b = relu\n  c = silu\n}\n",
        "codsl 1\nnetwork n {\n  input (3, T)\n  residual {\n    relu\n  a = linear(3)\n  silu\n",
        "codsl 1\nnetwork n {\n  input (3, T)\n  relu\n}\n}\n  silu\n  gelu\n",
        "codsl 1\nnetwork n {\n  input (3, T)\n  a = = relu {\n  silu\n}\n}\n",
        'codsl 1\nnetwork n {\n  input (3, T) relu\n  a = join("sum) from b, c\n}\n',
    ],
)
def test_one_break_is_told_as_one(text: str) -> None:
    assert len(places(text)) == 1, places(text)


def test_nothing_but_syntax_is_told_of_a_text_that_breaks() -> None:
    text = "codsl 1\nnetwork n {\n  input (3, T)\n  a = linear(3 3)\n  silu from a\n  convolve\n}\n"
    assert places(text) == [(4, "3")]


@pytest.mark.parametrize(
    ("text", "at", "left"),
    [
        ("a\nb c\nd", 4, "a\n   \nd"),
        ("a\nb (c\nd)\ne", 4, "a\n    \n  \ne"),
        ("a\nb c\nd", 2, None),
        ("a\nb (c\nd", 4, None),
        ("a\nb c}\nd", 4, None),
        ("a\nb (c}\nd)", 4, None),
        ('a\nb c "}" # }\nd', 4, "a\n" + " " * 11 + "\nd"),
    ],
)
def test_a_statement_that_is_left_out(text: str, at: int, left: str | None) -> None:
    assert without_statement(text, at) == left


def test_many_breaks_are_bounded() -> None:
    text = "codsl 1\nnetwork n {\n  input (3, T)\n" + "  a = linear(3 3)\n" * 1000 + "}\n"
    assert 5 < len(places(text)) < 50
    with pytest.raises(codsl.SpecError):
        codsl.check(text)
