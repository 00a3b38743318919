"""The time axis: in order, labelled where there is room, endless where it has to be."""

from itertools import pairwise
from math import inf

import pytest

from codsl.report.axis import DIGIT, TILE, WIDTH, Axis, axis
from codsl.report.view import Window

SPANS = [(0, 0), (2, 2), (3, 10), (0, 43), (48, 76), (130, 0), (259, 0), (4092, 4092), (0, 1118)]


def axes() -> list[Axis]:
    finite = [axis([Window(past, ahead, ahead)]) for past, ahead in SPANS]
    return finite + [axis([Window(past, ahead, ahead), Window(inf)]) for past, ahead in SPANS]


@pytest.mark.parametrize("given", axes(), ids=str)
def test_time_goes_from_left_to_right(given: Axis) -> None:
    places = [given.at(frame - 0.5) for frame in range(given.first, given.last + 2)]
    assert all(one < two for one, two in pairwise(places))
    assert places[0] >= 0
    assert places[-1] <= 100
    widths = {round(two - one, 6) for one, two in pairwise(places)}
    assert given.log or len(widths) == 1
    assert given.at(-inf) <= places[0]


@pytest.mark.parametrize("given", axes(), ids=str)
def test_labels_keep_apart(given: Axis) -> None:
    labels = given.labels()
    assert "0" in [text for _, text, _ in labels]
    assert len(labels) >= 3
    pixels = [(place / 100 * WIDTH, len(text) * DIGIT) for place, text, _ in sorted(labels)]
    for (one, wide), (two, wider) in pairwise(pixels):
        assert two - one >= (wide + wider) / 2
    assert ("\u2212\u221e" in [text for _, text, _ in labels]) == given.endless


def test_few_frames_are_not_huge_and_many_are_logarithmic() -> None:
    assert axis([Window()]) == Axis(-4, 4, False, False)
    assert not axis([Window(100, 100)]).log
    assert axis([Window(4092, 4092)]).log
    assert axis([]) == axis([Window()])


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 320])
@pytest.mark.parametrize("given", axes(), ids=str)
def test_tiles_are_items_and_wide_enough(given: Axis, stride: int) -> None:
    edges = given.tiles(stride)
    items = {round(given.at(j * stride - 0.5), 6) for j in range(-9000 // stride, 9000 // stride)}
    assert {round(edge, 6) for edge in edges} <= items
    for one, two in pairwise(edges):
        assert (two - one) / 100 * WIDTH >= TILE - 0.001
