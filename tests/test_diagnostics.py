"""Diagnostics: every code has a title and an example, whose rendering and whose edits hold."""

import json
import re
from pathlib import Path

import pytest

import codsl
from codsl.diagnostics import MOST, Diagnostic, Findings, Help, Label, escape, render, suggest
from codsl.explanations import titles
from codsl.mending import edited
from codsl.source import Source
from goldens import FILES, golden, mistakes, shown

ELSEWHERE = {
    "E0103": "has no source line; shown in test_bad_input",
    "E0109": "is of formatting and converting; shown in tests/printing",
} | {
    f"E06{number:02}": "is of a file of weights; shown in tests/weights"
    for number in range(1, 13)
    if number != 4
}
"""Codes without a file in `tests/wrong`, and why."""


def raised() -> set[str]:
    """The codes that stand in the source."""
    files = Path(codsl.__file__).parent.rglob("*.py")
    texts = (path.read_text("utf-8") for path in files)
    return {code for text in texts for code in re.findall(r'"([EW]\d{4})"', text)}


def test_every_code_is_explained_and_every_explanation_has_a_code() -> None:
    assert raised() == set(titles())


def test_every_code_has_a_file() -> None:
    assert {path.stem for path in FILES} | set(ELSEWHERE) == set(titles())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_renderings_are_not_stale(path: Path) -> None:
    """`python tests/goldens.py` writes them anew."""
    assert shown(path) == golden(path).read_text("utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_has_the_mistake_that_it_is_named_after(path: Path) -> None:
    text = path.read_text("utf-8")
    found = mistakes(text, path.name)
    assert path.stem in {each.code for each in found}
    assert all(each.code == path.stem for each in found)
    for each in found:
        assert each.span is not None
        assert not each.message[0].isupper() or each.message.startswith("YAML")
        assert not each.message.endswith(".")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_edits_mend_what_they_are_offered_for(path: Path) -> None:
    """Each edit makes its mistake go away; a file whose mistakes all have one then checks."""
    text = path.read_text("utf-8")
    found = mistakes(text, path.name)
    offered = [[help_.edits for help_ in each.helps if help_.edits] for each in found]
    for each, ways in zip(found, offered, strict=True):
        for edits in ways:
            after = edited(text, edits)
            left = mistakes(after, path.name)
            assert each.message not in [other.message for other in left], after
            assert len(left) <= len(found), "\n\n".join(map(str, left))
    for way in (0, -1):
        if all(offered):
            after = edited(text, [edit for ways in offered for edit in ways[way]])
            assert not mistakes(after, path.name), "\n\n".join(map(str, mistakes(after, path.name)))


def test_many_edits_are_offered() -> None:
    with_edits = {
        path.stem
        for path in FILES
        for each in mistakes(path.read_text("utf-8"), path.name)
        for help_ in each.helps
        if help_.edits
    }
    assert with_edits >= {"E0101", "E0203", "E0204", "E0301", "E0302", "E0303", "E0305", "E0309"}
    assert with_edits >= {"E0312", "E0401", "E0408", "E0409"}


def test_json_has_places_from_one() -> None:
    text = "codsl: 1\ninput: [3, T]\nlayers:\n  - rel\n"
    (found,) = mistakes(text, "n.yaml")
    data = json.loads(json.dumps(found.to_json()))
    label = data["labels"][0]
    assert (label["line"], label["column"], label["end_line"], label["end_column"]) == (4, 5, 4, 8)
    assert (data["code"], data["severity"], label["source"]) == ("E0302", "error", "n.yaml")
    assert data["helps"][0]["edits"][0]["replacement"] == "relu"


def test_what_a_terminal_would_act_on_is_spelled() -> None:
    assert escape("a\x1b[31mb\tc\u202ed漢") == "a\\x1b[31mb c\\u202ed漢"
    source = Source("n\x1b]0;x\x07.yaml", "re\x1b[31mlu")
    shown = render(
        Diagnostic(
            "E0302",
            "no \x1b[0m",
            (Label(source.span(2, 4), "\x07"),),
            ("\x1b",),
            (Help("\x9b"),),
        )
    )
    assert all(char.isprintable() or char == "\n" for char in shown)


def test_markers_stand_under_wide_characters() -> None:
    source = Source("n", "漢字 abc")
    lines = render(Diagnostic("E0302", "x", (Label(source.span(3, 6), "here"),))).splitlines()
    assert lines[-1] == "  |      ^^^ here"


def test_what_is_found_without_end_is_cut_off() -> None:
    findings = Findings()
    source = Source("n", "x" * 1000)
    for at in range(MOST - 1):
        findings.add("E0302", "no", source.span(at, at + 1))
    with pytest.raises(codsl.SpecError) as caught:
        findings.add("E0302", "no", source.span(MOST, MOST + 1))
    assert len(caught.value.diagnostics) == MOST
    assert "stopped here" in caught.value.diagnostics[-1].notes[-1]


def test_the_same_is_said_once_and_a_long_name_is_shortened() -> None:
    findings = Findings()
    source = Source("n", "x")
    for _ in range(3):
        findings.add("E0302", "n" * 10_000, source.span(0, 1))
    assert len(findings.diagnostics) == 1
    assert len(findings.diagnostics[0].message) < 500
    assert suggest("n" * 10_000, ["n"]) == []
