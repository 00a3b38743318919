"""The picture as an SVG: its bars are the figures of the graph, and no text stands on another."""

from itertools import combinations, pairwise
from math import isinf
from xml.etree import ElementTree

import pytest
from drawn import LARGE, SVG, place, report_of, texts

from codsl.graph.report import Row
from codsl.report import svg
from codsl.report.axis import Axis
from codsl.report.picture import picture


def strips(text: str) -> dict[str, ElementTree.Element]:
    """The time axis of each row, by what the row says of itself."""
    found = {}
    for group in ElementTree.fromstring(text).iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        inside = group.findall(f"{SVG}svg")
        if title is not None and len(inside) == 2:
            found[str(title.text)] = inside[1]
    return found


def frame_at(axis: Axis, where: float) -> float:
    """The frame before which a place lies."""
    edges = range(axis.first, axis.last + 2)
    best = min(edges, key=lambda frame: abs(axis.at(frame - 0.5) - where))
    assert abs(axis.at(best - 0.5) - where) < 0.011, where
    return best


def bars(strip: ElementTree.Element) -> list[tuple[str, float, float]]:
    return [
        (
            each.attrib["class"],
            start := place(each.attrib["x"]),
            start + place(each.attrib["width"]),
        )
        for each in strip.iter(f"{SVG}rect")
    ]


def check_row(strip: ElementTree.Element, row: Row, axis: Axis) -> None:
    """That what is drawn of a layer is what the report says."""
    found = bars(strip)
    if isinf(row.past):
        assert min(start for _, start, _ in found) == 0
    else:
        assert frame_at(axis, min(start for _, start, _ in found)) == -row.past
    assert frame_at(axis, max(stop for _, _, stop in found)) == row.ahead + 1
    for kind, start, stop in found:
        assert stop > start
        own = axis.at(0.5)
        assert stop <= own + 0.011 if "past" in kind else start >= own - 0.011
    ordered = sorted((start, stop) for _, start, stop in found)
    assert all(one[1] <= two[0] + 0.011 for one, two in pairwise(ordered))
    (fires,) = (each for each in strip.iter(f"{SVG}line") if each.get("class") == "fires")
    assert frame_at(axis, place(fires.attrib["x1"])) == row.fires + 1
    held = [each for each in strip.iter(f"{SVG}circle") if each.get("class") == "held"]
    starts = {row.fires + 1 - frame_at(axis, place(each.attrib["cx"])) for each in held}
    assert starts == {hold for hold in row.holds if hold}


@pytest.mark.parametrize("name", ["small", "two", "two_rate", "inception", "eeg_deep4"])
def test_windows_delays_and_holds_are_those_of_the_report(name: str) -> None:
    report = report_of(name)
    drawn, axis = strips(svg(report, depth=9)), picture(report).axis
    for row in report.nodes:
        (strip,) = (each for said, each in drawn.items() if said.startswith(f"{row.path}: "))
        check_row(strip, row, axis)


@pytest.mark.parametrize("name", ["small", "wavenet", "cnn_lstm", "seanet_decoder", "movinet"])
def test_what_a_layer_adds_is_dark(name: str) -> None:
    report = report_of(name)
    by_path = {row.path: row for row in report.nodes}
    for said, strip in strips(svg(report)).items():
        row = by_path.get(said.partition(": ")[0])
        if row is None:
            continue
        before = [by_path[each] for each in row.inputs if each in by_path]
        kinds = {kind for kind, _, _ in bars(strip)}
        past = max([0, *(each.past for each in before)])
        ahead = max([0, *(each.ahead for each in before)])
        assert ("past new" in kinds) == (row.past > past)
        assert ("ahead new" in kinds) == (row.ahead > ahead)


@pytest.mark.parametrize("name", ["small", "two", "inception", "movinet", *LARGE])
def test_no_text_stands_on_another_or_outside(name: str) -> None:
    root = ElementTree.fromstring(svg(report_of(name)))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    found = texts(root)
    assert len(found) > 10
    for box in found:
        assert box.left >= 0, box
        assert box.right <= width, box
        assert box.bottom <= height, box
    for one, two in combinations(found, 2):
        assert not one.meets(two), (one, two)


def test_a_text_that_stands_on_another_would_be_seen() -> None:
    crowded = '<svg xmlns="http://www.w3.org/2000/svg"><text x="0" y="9">one</text>%s</svg>'
    root = ElementTree.fromstring(
        crowded % '<g transform="translate(4,2)"><text x="0" y="9">two</text></g>'
    )
    one, two = texts(root)
    assert one.meets(two)


@pytest.mark.parametrize("name", LARGE)
def test_a_large_network_is_folded_until_it_fits(name: str) -> None:
    report = report_of(name)
    text = svg(report)
    assert 3 <= len(list(picture(report).rows())) <= 32
    assert len(text) < 100_000
    everything = len(list(picture(report, depth=9).rows()))
    assert everything > len(report.nodes)


def test_depth_says_how_far_to_unfold() -> None:
    report = report_of("small")
    assert [row.view.name for row in picture(report, 0).rows()][1] == "block"
    assert len(list(picture(report, 0).rows())) == 4
    assert len(list(picture(report, 1).rows())) == 7
    assert svg(report, 1) == svg(report, 9)


@pytest.mark.parametrize("name", ["small", "two", "cnn_lstm"])
def test_it_says_in_words_what_it_shows(name: str) -> None:
    report = report_of(name)
    root = ElementTree.fromstring(svg(report))
    assert root.attrib["role"] == "img"
    title, described = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert described is not None
    assert title.text == f"{name}: {len(report.nodes)} layers along time"
    assert all(figure in str(described.text) for _, figure in report.summary())
    if name == "small":
        said = next(each for each in strips(svg(report)) if each.startswith("block.sum"))
        assert "Sees its own frame, 4 frames before, 2 frames after" in said
        assert "Holds stem for 1 frame" in said
    if name == "cnn_lstm":
        assert any("Sees every frame up to its own" in each for each in strips(svg(report)))


def test_it_has_the_colours_of_both_schemes_without_variables() -> None:
    text = svg(report_of("small"))
    assert "var(" not in text
    assert "prefers-color-scheme:dark" in text
    assert text.count("{") == text.count("}")
