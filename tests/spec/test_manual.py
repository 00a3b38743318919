"""The manual is made from the rows, is not stale, and its examples are networks."""

import re
from pathlib import Path

import pytest

import codsl
from codsl.layers.table import table
from codsl.spec.manual import entry, manual

DOCS = Path(__file__).parents[2] / "docs" / "layers.md"
ROWS = table()


def test_the_manual_is_not_stale() -> None:
    """`make generated` writes it anew."""
    assert DOCS.read_text("utf-8") == manual(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_examples_of_the_manual_are_read(name: str) -> None:
    row = ROWS[name]
    head, *examples = re.findall(rf"^    ({name}\(.*\))$", entry(row), re.MULTILINE)
    assert head.startswith(name)
    assert len(examples) == len(row.examples)
    channels = 1 if name in ("embedding", "stft") else 4
    space = ", 6" * ((row.rank or 3) - 1)
    for example in examples:
        shape = f"({channels}, T{space})"
        graph = codsl.check(f"codsl 1\nnetwork n {{\n input {shape}\n {example}\n}}\n")
        assert graph.nodes[0].type == name
