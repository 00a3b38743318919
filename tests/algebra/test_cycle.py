"""From its cycle's start on a stream repeats itself, and not earlier: held to the definition."""

import random
from collections import Counter
from typing import Any

import pytest

import codsl
from codsl.algebra.cycle import Cycle, Reading, cycle
from codsl.algebra.extent import Window
from codsl.algebra.time import IDENTITY, Time, compose, emits, reads, sees, spreads, waits
from codsl.graph.graph import Graph
from harness.drawn import Networks
from harness.value import Limits


def happens(fires: list[Time], readings: list[tuple[int, Time, int]], frame: int) -> Any:
    """What every node gives and reads with a frame, counted from what was there."""
    seen: list[Any] = [emits(each, frame + 1) - emits(each, frame) for each in fires]
    for source, reach, reader in readings:
        first, stop = emits(fires[reader], frame), emits(fires[reader], frame + 1)
        if stop > first:
            oldest, newest = reads(reach, first, stop - 1)
            given = emits(fires[source], frame)
            seen.append((oldest - given, newest - given, oldest < 0))
    return seen


def hold_to_it(found: Cycle, fires: list[Time], readings: list[tuple[int, Time, int]]) -> None:
    frames = [happens(fires, readings, t) for t in range(found.start + 3 * found.turn)]
    for t in range(found.start, found.start + 2 * found.turn):
        assert frames[t] == frames[t + found.turn] == frames[found.frame(t)]
        assert not any(each[2] for each in frames[t] if isinstance(each, tuple))
    for t in range(found.start):
        assert found.frame(t) == t
        assert (found.settled(t) - t) % found.turn == 0
        assert found.start <= found.settled(t) < found.start + found.turn
    if found.start:
        last, later = frames[found.start - 1], frames[found.start - 1 + found.turn]
        early = any(each[2] for each in last if isinstance(each, tuple))
        assert early or last != later
    for each in fires:
        given = emits(each, found.start + found.turn) - emits(each, found.start)
        assert found.items(each) == given


def of(graph: Graph) -> tuple[list[Time], list[tuple[int, Time, int]]]:
    return list(graph.schedule.fires), [
        (edge.source, edge.reach, graph.base + index)
        for index, node in enumerate(graph.nodes)
        for edge in node.edges
    ]


def test_the_cycle_of_random_networks() -> None:
    turns: Counter[int] = Counter()
    for seed in range(150):
        draw = random.Random(seed)
        graph = codsl.check(Networks(draw, 1, Limits(blocks=False)).network(draw.randint(1, 6)))
        if len(graph.live) == len(graph.nodes):
            hold_to_it(graph.cycle, *of(graph))
            turns[graph.cycle.turn] += 1
    assert sum(turns[turn] for turn in turns if turn > 1) > 40
    assert turns[1] > 20


UP = spreads(2, Window(5, before=1, after=1))
CHAINS = {
    "one window": [sees(Window(3, before=1))],
    "strides": [sees(Window(3, 2, 1)), sees(Window(5, 3, 2, 2))],
    "waits": [waits(4), sees(Window(3, before=2))],
    "up": [UP],
    "up and down": [UP, sees(Window(3, 3, 1))],
    "down and up": [sees(Window(2, 3)), UP, sees(Window(3, before=2))],
    "up thrice": [spreads(3, Window(7, before=2)), sees(Window(2, 2)), UP],
}


@pytest.mark.parametrize("chain", CHAINS)
def test_the_cycle_of_a_chain(chain: str) -> None:
    fires, readings = [IDENTITY], []
    for place, reach in enumerate(CHAINS[chain]):
        fires.append(compose(fires[-1], reach))
        readings.append((place, reach, place + 1))
    found = cycle(fires, [Reading(reach, fires[reader]) for _, reach, reader in readings])
    hold_to_it(found, fires, readings)


def test_a_stream_that_is_settled_at_once() -> None:
    assert cycle([IDENTITY], []) == Cycle(0, 1)
    assert codsl.check({"codsl": 1, "input": [2, "T"], "layers": ["relu"]}).cycle == Cycle(0, 1)


def test_frames_beyond_the_start_are_those_of_the_first_turn() -> None:
    """So that all rows of a phase that are past it run alike, however long they have been on."""
    cycle = Cycle(2, 3)
    assert [cycle.frame(frame) for frame in range(9)] == [0, 1, 2, 3, 4, 2, 3, 4, 2]
    assert [cycle.settled(frame) for frame in range(5)] == [3, 4, 2, 3, 4]
