"""What no value goes through is read all the same, for what is wrong whatever the values are."""

import pytest

from goldens import mistakes

IDLE = """codsl 1
template idle(out: %s, act: layer = "relu") {
  %s
}
network n(k = 0) {
  input (3, T, 8, 8)
  relu
}
"""
BRANCHES = """codsl 1
template unit(n: int) {
  when n > 3 { %s } else { relu }
}
network n(k = 0) {
  input (3, T, 8, 8)
  unit(n=2)
  unit(n=%s)
}
"""


def told(text: str) -> list[tuple[str, str]]:
    return [
        (each.code, each.span.text) for each in mistakes(text, "n.codsl") if each.code != "W0702"
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("conv4d(3)", [("E0302", "conv4d")]),
        ("conv3d(out, kernal=3)", [("E0303", "kernal")]),
        ("conv3d(8)", [("E0304", "conv3d")]),
        ("conv3d(out, 0)", [("E0305", "0")]),
        ("conv3d(wdth, 3)", [("E0301", "wdth")]),
        ("when out > wdth { relu }", [("E0301", "wdth")]),
        ("when out > 3 { silu(1) } else { sigmoid(1) }", [("E0303", "1"), ("E0303", "1")]),
        ("b[i in 1..out] = conv3d(j, 3)", [("E0301", "j")]),
        ("b[i in 1..out] = conv3d(i, 3)", []),
        ('residual("summ") { act }', [("E0305", '"summ"')]),
        ("softmax(2) idle", [("E0310", "idle")]),
        ("adaptive_avg_pool3d(1)", [("E0408", "adaptive_avg_pool3d")]),
        ("a = conv3d(out, 3) a = relu", [("E0306", "a")]),
        ("conv3d(8 // (out - out), 3)", []),
        ("linear(out) from input", []),
        ("join from one, other", []),
        ("c = conv3d(in_channels, 3) d = act from c", []),
    ],
)
def test_a_template_that_nothing_uses(body: str, expected: list[tuple[str, str]]) -> None:
    assert told(IDLE % ("int", body)) == expected


def test_the_types_of_its_parameters() -> None:
    assert told(IDLE % ("itn", "act")) == [("E0312", "itn")]


def test_a_condition_that_never_holds() -> None:
    assert told(BRANCHES % ("conv4d(3)", 3)) == [("E0302", "conv4d")]
    assert told(BRANCHES % ("conv3d(8, 3) from nowhere", 3)) == []
    assert told(BRANCHES % ("conv3d(8 // (n - 3), 3, padding=1)", 3)) == []


def test_a_condition_that_holds_once_is_read_once() -> None:
    assert told(BRANCHES % ("conv4d(3)", 5)) == [("E0302", "conv4d")]
    assert told(BRANCHES % ("conv3d(8, 3, padding=1)", 5)) == []


def test_keys_in_both_branches_do_not_meet() -> None:
    text = IDLE % ("int", "when out > 3 { a = conv3d(8, 3) } else { a = conv3d(8, 1) }")
    assert told(text) == []
    assert [each.code for each in mistakes(text, "n.codsl")] == ["W0702"]
