"""Patterns with holes that YAML reads as mappings: what is said, and that the edit mends it."""

import pytest

import codsl
from codsl.diagnostics import Help
from goldens import mistakes

SPEC = """codsl: 1
input: [3, T]
weights:
  hub:
    {line}
layers:
  - conv1d: {{out_channels: 4, kernel_size: 3}}
"""


def helps(text: str) -> list[Help]:
    return [each for found in mistakes(text, "n.yaml") for each in found.helps]


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("allow_missing: [a.{x}]", '"a.{x}"'),
        ("allow_missing: [b, 'c.{x}', head.{x}, {y:path}.a]", '"head.{x}", "{y:path}.a"'),
        ("allow_missing: [head, {}]", '"{}"'),
        ("allow_missing:\n      - {x}.b", '"{x}.b"'),
        ("rename: {a.{i}: b.{i+1}}", '"a.{i}": "b.{i+1}"'),
        ("rename: {'a.{x}': b.{x}}", '"b.{x}"'),
        ("rename:\n      a.{x}: {x}.b", '"a.{x}": "{x}.b"'),
        ("rename:\n      {x}.a: b.{x}", '"{x}.a": "b.{x}"'),
        ("rename:\n      model.{rest}: {rest}", '"{rest}"'),
        ("rename:\n      {rest}: model.{rest}", '"{rest}"'),
        ("adapt: {a: rows[1:]}", '"rows[1:]"'),
    ],
)
def test_quotes_mend_it(line: str, written: str) -> None:
    text = SPEC.format(line=line)
    (found,) = helps(text)
    assert found.text == f"braces and brackets ask for quotes in YAML: `{written}`"
    (edit,) = found.edits
    mended = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    assert not mistakes(mended, "n.yaml"), mended


def test_a_mapping_for_a_name_is_no_rule_as_well() -> None:
    found = mistakes(SPEC.format(line="rename:\n      model.{rest}: {rest}"), "n.yaml")
    assert [each.code for each in found] == ["E0201"]


@pytest.mark.parametrize(
    "text",
    [
        "codsl: 1\ninput: [3, T]\nlayers:\n  - relu: {name: {n}}\n",
        "codsl: 1\ninput: [3, T]\nlayers:\n  - relu: {name: a}}\n",
        "codsl: 1\ninput: [3, T]\nlayers:\n  - {a}.b\n",
        SPEC.format(line="layout: keras}"),
        SPEC.format(line="allow_missing: [a.{x}, b").replace("a.{x}", "a"),
    ],
)
def test_nothing_of_it_elsewhere(text: str) -> None:
    with pytest.raises(codsl.SpecError):
        codsl.check(text)
    assert not [each for each in helps(text) if "ask for quotes" in each.text]
