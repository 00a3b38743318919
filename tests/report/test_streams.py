"""Streams item by item, and the pictures of them in the documents."""

from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from xml.etree import ElementTree

import pytest
from drawn import NETWORKS, SMALL, SVG, TWO

import codsl
from codsl.graph.graph import Graph
from codsl.graph.unrolled import Item, Stream, unrolled
from codsl.report.streams import against, modes

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"

STRIDED = """codsl 1
network strided {
  input (2, T)
  a = conv1d(2, 3, dilation=2)
  residual(shrink="lagging") { b = conv1d(2, 3, padding=((1, 0),)) }
  c = conv1d(2, 4, stride=3)
}
"""


def seen(streams: tuple[Stream, ...], graph: Graph, item: Item) -> Iterator[int]:
    """The frames that an item is made of."""
    for value, index in item.made_of:
        if value < graph.base:
            yield index
        else:
            yield from seen(streams, graph, streams[value].items[index])


@pytest.mark.parametrize("text", [SMALL, TWO, STRIDED], ids=["small", "two", "strided"])
def test_items_come_when_and_see_what_the_graph_says(text: str) -> None:
    graph, frames = codsl.check(text), 24
    streams = unrolled(graph, frames)
    for outlet in graph.outputs:
        time = graph.times[outlet.value]
        for item in streams[outlet.value].items:
            phase = time.output(item.index)
            assert item.due == graph.schedule.fires[outlet.value].output(item.index).due
            assert item.own == item.index * time.stride
            frames_seen = set(seen(streams, graph, item))
            assert min(frames_seen) >= max(0, phase.oldest)
            assert max(frames_seen) <= min(frames - 1, phase.newest)
            if phase.oldest >= 0 and phase.newest < frames:
                assert (min(frames_seen), max(frames_seen)) == (phase.oldest, phase.newest)


def test_an_item_comes_when_its_value_fires_and_not_before() -> None:
    graph = codsl.check(NETWORKS / "two_rate.codsl")
    waiting = 0
    for value, each in enumerate(unrolled(graph, 120)):
        fires, time = graph.schedule.fires[value], graph.times[value]
        assert [item.due for item in each.items] == [
            fires.output(item.index).due for item in each.items
        ]
        waiting += fires.delay > time.delay
    assert waiting == 6


def test_dilation_leaves_items_out() -> None:
    items = unrolled(codsl.check(STRIDED), 12)[1].items
    assert items[3].made_of == ((0, 3), (0, 5), (0, 7))


def test_nothing_is_made_of_what_comes_later() -> None:
    streams = unrolled(codsl.check(SMALL), 20)
    for each in streams:
        for item in each.items:
            assert all(streams[value].items[index].due <= item.due for value, index in item.made_of)


@pytest.mark.parametrize("name", ["seanet_decoder", "cnn_lstm"])
def test_what_cannot_be_listed_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="fixed number of items"):
        modes(codsl.check(NETWORKS / f"{name}.codsl"), 4, 2)


def labels(text: str) -> list[str]:
    return ["".join(each.itertext()) for each in ElementTree.fromstring(text).iter(f"{SVG}text")]


def test_the_modes_say_what_each_call_gives() -> None:
    padded = "codsl 1\nnetwork n {\n input (1, T)\n conv1d(1, 3, padding=1)\n}\n"
    said = labels(modes(codsl.check(padded), 4, 2))
    first = said.index("net.forward_step(frame)")
    second = said.index("net.forward_steps(chunk)")
    assert [each for each in said[:first] if each.startswith("y")] == ["y0 \u2026 y3"]
    steps = [each for each in said[first:second] if each.startswith(("y", "None"))]
    assert steps == ["None", "y0", "y1", "y2", "y3"]
    chunks = [each for each in said[second:] if each.startswith(("y", "None"))]
    assert chunks == ["y0", "y1 \u2026 y2", "y3"]
    assert said.count("flush()") == 2


def test_a_clip_computes_anew_what_a_stream_remembers() -> None:
    text = "codsl 1\nnetwork n {\n input (1, T)\n a = conv1d(1, 3)\n b = conv1d(1, 3)\n}\n"
    graph = codsl.check(text)
    said = [each for each in labels(against(graph, 2)) if "computed" in each and ":" in each]
    assert said == ["y0: 4 computed", "y0: 2 computed", "y1: 4 computed", "y1: 2 computed"]


def test_the_pictures_of_the_documents_are_fresh() -> None:
    spec = spec_from_file_location("draw", PICTURES / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    draw = module_from_spec(spec)
    spec.loader.exec_module(draw)
    drawn = dict(draw.pictures())
    assert set(drawn) == {each.name for each in PICTURES.glob("*.svg")}
    for name, text in drawn.items():
        now = (PICTURES / name).read_text(encoding="utf-8")
        assert now == f"{text}\n", f"{name}: `make generated`"
        assert ElementTree.fromstring(now).tag == f"{SVG}svg"
