"""A report in a file: the name says in what form, and the file is written all at once."""

import json
from pathlib import Path

import pytest
from drawn import report_of

import codsl


def test_the_name_says_the_form(tmp_path: Path) -> None:
    report = report_of("small")
    expected = {
        "a.html": codsl.report.html(report),
        "a.svg": codsl.report.svg(report),
        "a.JSON": f"{report.to_json()}\n",
        "a.txt": f"{report}\n",
    }
    for name, text in expected.items():
        codsl.report.save(report, tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8") == text
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(expected)
    assert json.loads((tmp_path / "a.JSON").read_text())["name"] == "small"


def test_depth_is_handed_on(tmp_path: Path) -> None:
    report = report_of("small")
    codsl.report.save(report, str(tmp_path / "a.svg"), depth=0)
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == codsl.report.svg(report, 0)


def test_other_forms_are_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.html, \.svg, \.json, \.txt"):
        codsl.report.save(report_of("small"), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        codsl.report.save(report_of("small"), tmp_path / "nowhere" / "a.svg")
