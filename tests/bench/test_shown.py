"""How results look: the table, and a picture in which nothing that was written can act."""

from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from made import RESULTS, case, outcome

from codsl.bench.picture import Scale, apart, svg
from codsl.bench.result import Results
from codsl.bench.table import milliseconds, text, times

SVG = "{http://www.w3.org/2000/svg}"


def test_the_table() -> None:
    shown = text(case())
    assert shown.startswith("net\n\nsteps, 1 stream ")
    for said in ("chunks of 16, 1 stream", "steps, 16 streams", "gone: not installed: <b>"):
        assert said in shown
    lines = {line.split()[0]: line.split() for line in shown.splitlines()[:9] if line}
    assert lines["eager"] == ["eager", "2", "4.00", "12", "1.10", "1e-06", "0.5"]
    assert lines["quick"][-3:] == ["5e-01", "WRONG", "0.5"]
    assert lines["clip"][-3:] == ["another", "work", "0.5"]
    assert lines["limit"] == ["limit", "(arithmetic)", "0.25", "32.00", "100", "1.90"]
    assert "best: eager </svg> in words\n" in shown
    assert "best in any precision: low </svg> in words, outputs 0.02 apart" in shown


def test_columns_stand_below_each_other() -> None:
    shown = text(case()).split("\n\n")[1].splitlines()
    ends = [
        line.index(figure) + len(figure)
        for line, figure in zip(shown[1:], ["8", "2"], strict=False)
    ]
    assert len(set(ends)) == 1
    assert not any(line.endswith(" ") for line in shown)


def test_a_series_is_a_line_for_each_value() -> None:
    shown = text(RESULTS.series[0]).splitlines()
    assert shown[0] == "depth: ms a frame of one stream"
    assert shown[2].split() == ["layers", "plain", "eager", "quick", "low", "clip", "limit"]
    assert [line.split()[0] for line in shown[3:]] == ["1", "2", "4"]


def test_names_cannot_act_in_a_terminal() -> None:
    assert "\x1b" not in text(replace(case(), name="\x1b[31mred"))


@pytest.mark.parametrize(("ms", "said"), [(0.00123, "0.00123"), (12.345, "12.3"), (1234.5, "1234")])
def test_milliseconds(ms: float, said: str) -> None:
    assert milliseconds(ms) == said


def test_ratios() -> None:
    assert [times(each) for each in (0.824, 3.44, 9.99, 60.4)] == ["0.82x", "3.4x", "10x", "60x"]


def test_the_picture_is_xml_and_holds_all() -> None:
    root = ElementTree.fromstring(svg(RESULTS))
    assert root.tag == f"{SVG}svg"
    said = [each.text for each in root.iter(f"{SVG}text")]
    assert any("A <fast> & plain chip" in (each or "") for each in said)
    bars = [each for each in root.iter(f"{SVG}rect") if each.get("fill")]
    wrong, limits = 1, 1
    assert len(bars) == 6 * (len(outcome().rows) - wrong + limits)
    assert len(list(root.iter(f"{SVG}polyline"))) == len(outcome().rows) + limits
    assert not list(root.iter(f"{SVG}script"))
    height = float(root.get("height") or 0)
    assert all(float(each.get("y") or 0) < height for each in root.iter(f"{SVG}text"))


def test_bars_keep_within_the_picture() -> None:
    root = ElementTree.fromstring(svg(RESULTS))
    width = float(root.get("width") or 0)
    for bar in root.iter(f"{SVG}rect"):
        assert float(bar.get("x") or 0) + float(bar.get("width") or 0) <= width


def test_a_picture_of_nothing() -> None:
    assert ElementTree.fromstring(svg(Results(RESULTS.machine))).tag == f"{SVG}svg"


def test_a_scale_has_its_figures_within() -> None:
    scale = Scale.over([0.003, 40.0], 100, 500)
    assert (scale.low, scale.high) == (0.001, 100.0)
    assert scale(0.001) == 100
    assert scale(100.0) == 500
    assert scale(0.1) == pytest.approx(260)
    assert list(scale.ticks) == pytest.approx([0.001, 0.01, 0.1, 1, 10, 100])
    assert Scale.over([1.0], 0, 1).high == 10


def test_words_do_not_lie_over_each_other() -> None:
    found = sorted(apart([10.0, 11.0, 50.0, 9.0]))
    assert all(below - above >= 13.9 for above, below in pairwise(found))
