"""Every code is explained, by an example that has just this mistake and one that has none."""

import io
import re
from contextlib import chdir, redirect_stdout
from pathlib import Path

import pytest

import codsl
from codsl.cli.main import main
from codsl.explanations import STAGES, Explanation, codes, explanation, page, titles
from codsl.pipeline import inspect

DOCS = Path(__file__).parents[1] / "docs" / "errors.md"


def found(written: str, example: str) -> set[str]:
    """The codes of all that is said of an example."""
    try:
        if written != "python":
            return {each.code for each in inspect(example)[1]}
        names: dict[str, object] = {}
        exec(compile(example, "<example>", "exec"), names)
        return {each.code for each in names.get("warnings", ())}
    except codsl.SpecError as error:
        return {each.code for each in error.diagnostics}


def diagnostics_of(each: Explanation) -> int:
    """How many things are said of the wrong example."""
    try:
        return len(inspect(each.wrong)[1])
    except codsl.SpecError as error:
        return len(error.diagnostics)


@pytest.mark.parametrize("code", codes())
def test_wrong_has_the_mistake_and_right_has_none(code: str, tmp_path: Path) -> None:
    each = explanation(code)
    for name, example, expected in (("w", each.wrong, {code}), ("r", each.right, set())):
        folder = tmp_path / name
        folder.mkdir()
        with chdir(folder):
            assert found(each.written, example) == expected, example
    if each.written != "python":
        assert diagnostics_of(each) == 1


@pytest.mark.parametrize("code", codes())
def test_an_explanation_is_prose(code: str) -> None:
    each = explanation(code)
    assert code[:3] in STAGES
    assert not each.title.endswith(".")
    for text in (each.what, each.stream):
        assert text[0].isupper() or text.startswith("`")
        assert text.endswith(".")
        assert "\n" not in text
    assert each.wrong != each.right


def test_the_titles_are_those_of_the_files() -> None:
    assert list(titles()) == sorted(titles())
    assert titles()["E0414"] == "groups that do not divide the channels"
    with pytest.raises(KeyError):
        explanation("E0999")


def test_the_page_is_not_stale() -> None:
    """`make generated` writes it anew."""
    assert DOCS.read_text("utf-8") == page()
    assert re.findall(r"^### ([EW]\d{4}): ", page(), re.MULTILINE) == list(codes())


def shown(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    with redirect_stdout(out):
        status = main(["explain", *arguments])
    return status, out.getvalue()


def test_a_code_is_explained_whatever_its_case() -> None:
    status, text = shown("e0414")
    assert status == 0
    assert text == explanation("E0414").markdown()


def test_several_codes_are_explained_in_the_order_asked_for() -> None:
    _, text = shown("W0701", "E0101")
    assert re.findall(r"^### (\w+)", text, re.MULTILINE) == ["W0701", "E0101"]


def test_without_a_code_all_are_listed() -> None:
    status, text = shown()
    assert status == 0
    assert re.findall(r"^  (\w+)  ", text, re.MULTILINE) == list(codes())
    assert all(f"{name}:" in text for name in STAGES.values())


@pytest.mark.parametrize("asked", ["E0999", "nonsense", "E04 14", ""])
def test_a_code_that_there_is_not(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", asked]) == 2
    assert "there is no code" in capsys.readouterr().err
