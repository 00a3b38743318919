"""The figures in the README are those of the results that are kept beside it."""

import json
from dataclasses import replace

import pytest
from made import RESULTS, case, outcome

from benchmarks.speed import BEGIN, DATA, END, PICTURE, README, picture, placed, section
from codsl.bench.result import Results


def test_the_section() -> None:
    text = section(
        replace(
            RESULTS, cases=(replace(case(), outcomes=(outcome(), outcome(16), outcome(0, 16))),)
        )
    )
    assert "A <fast> & plain chip" in text
    assert "| net | 1 M | 32 (16x) | - | 8 (4x) | 2 | **2** eager | **1** low | 0.25 |" in text
    assert "| net | - | 8 (4x) | **2** eager | - | 32 (16x) | 8 (4x) | **2** |" in text


def test_only_what_was_measured_is_told() -> None:
    text = section(Results(RESULTS.machine, (replace(case(), outcomes=(outcome(),)),)))
    assert "16 streams" not in text
    assert picture(RESULTS).count("16 streams") == 0


def test_it_takes_the_place_of_what_stood_between_the_marks() -> None:
    assert placed(f"a\n{BEGIN}old\n{END}b\n", "new\n") == f"a\n{BEGIN}\nnew\n\n{END}b\n"
    with pytest.raises(ValueError, match="no lines"):
        placed("a", "new")


def test_the_readme_has_the_figures_that_are_kept() -> None:
    text = README.read_text("utf-8")
    if not DATA.exists():
        assert placed(text, "") == text
        return
    results = Results.from_dict(json.loads(DATA.read_text("utf-8")))
    assert placed(text, section(results)) == text
    assert PICTURE.read_text("utf-8") == picture(results)
