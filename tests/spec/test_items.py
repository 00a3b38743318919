"""Entries of tuples: `depths[0]`, in both surfaces, and what cannot be one."""

from typing import Any

import pytest

import codsl

YAML: dict[str, Any] = {
    "codsl": 1,
    "params": {"table": [[4, 1], [6, 3]]},
    "input": [3, "T"],
    "layers": [{"conv1d": {"out_channels": "$(table[1][0])", "kernel_size": "$(table[-1][1])"}}],
}


def text(body: str) -> str:
    return f"codsl 1\nnetwork n(table=((4, 1), (6, 3)), one=1) {{ input (3, T)\n{body}\n}}"


def codes(body: str) -> list[str]:
    with pytest.raises(codsl.SpecError) as error:
        codsl.check(text(body))
    return [each.code for each in error.value.diagnostics]


def test_an_entry_is_counted_as_python_counts() -> None:
    written = codsl.check(text("conv1d(table[1][0], table[-1][one])"))
    for graph in (written, codsl.check(YAML)):
        assert graph.nodes[0].weights["weight"] == (6, 3, 3)


def test_what_follows_a_value_in_brackets_is_its_entry() -> None:
    graph = codsl.check(text("let row = (7, 8)[1]\nc[i in 0..one] = conv1d(table[i][0] + row, 1)"))
    assert [node.frame.channels for node in graph.nodes] == [12, 14]


@pytest.mark.parametrize("params", [{"table": ((5, 3), (2, 1))}, {"table": [[5, 3], [2, 1]]}])
def test_a_tuple_is_given_from_outside(params: dict[str, Any]) -> None:
    graph = codsl.check(text("conv1d(table[0][0], table[0][1])"), params=params)
    assert graph.nodes[0].weights["weight"] == (5, 3, 3)


def test_what_is_no_entry_is_told() -> None:
    assert codes("linear(table[2][0])") == ["E0313"]
    assert codes("linear(table[-3][0])") == ["E0313"]
    assert codes("linear(()[0])") == ["E0313"]
    assert codes("linear(one[0])") == ["E0305"]
    assert codes("linear(table[0][true])") == ["E0305"]
    assert codes("linear(tabel[0][0])") == ["E0301"]


def test_the_message_says_how_many_there_are() -> None:
    with pytest.raises(codsl.SpecError, match="no item 2 in a tuple of 2 items") as error:
        codsl.check(text("linear(table[2][0])"))
    assert "the first is item 0" in str(error.value)
    with pytest.raises(codsl.SpecError, match="no item 1 in a tuple of one item"):
        codsl.check(text("linear((5,)[1])"))


def test_how_many_entries_a_tuple_has() -> None:
    graph = codsl.check(text("c[i in 0..len(table) - 1] = conv1d(table[i][0], len(table[i]))"))
    assert [node.weights["weight"] for node in graph.nodes] == [(4, 3, 2), (6, 4, 2)]
    assert codes("linear(len(one))") == ["E0305"]
    assert codes("linear(len(table, table))") == ["E0313"]


@pytest.mark.parametrize("name", ["max", "min"])
def test_the_largest_of_one_number_is_none(name: str) -> None:
    with pytest.raises(codsl.SpecError, match=f"`{name}` takes 2 or more arguments, found 1"):
        codsl.check(text(f"conv1d({name}(3), 3)"))
    assert codsl.check(text(f"conv1d({name}(3, 3), 3)")).nodes[0].frame.channels == 3
