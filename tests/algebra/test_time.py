"""The algebra of time against a simulation of it, item by item."""

from __future__ import annotations

import random
from collections import Counter
from math import inf
from typing import TYPE_CHECKING

import pytest
from simulation import INPUT, Nest, random_nest, random_window, slide
from simulation import frames as input_frames

from codsl.algebra import time as algebra
from codsl.algebra.extent import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

NESTS = 800


def nests(seed: int, count: int) -> Iterator[Nest]:
    """Random nests whose windows are not longer than the clips below."""
    draw = random.Random(seed)
    made = 0
    while made < count:
        nest = random_nest(draw, INPUT, 2)
        time = nest.time()
        if max(time.receptive_field, time.delay, nest.least()) + 2 * time.stride < 90:
            made += 1
            yield nest


def inside(nest: Nest, time: algebra.Time, count: int) -> set[int]:
    """The outputs of a clip that no padding reaches."""
    first, last = nest.clear(count)
    spans = {j: algebra.reads(time, j, j) for j in range(algebra.length(time, count))}
    return {j for j, (old, new) in spans.items() if old >= first and new <= last}


def lengths(nest: Nest) -> range:
    """Clips over more than one period, from the shortest to one that holds a whole window."""
    time, least = nest.time(), nest.least()
    longest = next(count for count in range(least, 10**3) if inside(nest, time, count))
    return range(least, max(longest, time.delay) + 2 * time.stride + 1)


def differs(nest: Nest, time: algebra.Time) -> str | None:
    """Where a time is not that of the simulated nest."""
    whole = 0
    for count in lengths(nest):
        items = nest.run(count)
        if len(items) != algebra.length(time, count):
            return "length"
        exact = inside(nest, time, count)
        whole += len(exact)
        due = [j * time.stride + time.delay for j in range(len(items))]
        if [item.frame for item in items] != [at if at < count else None for at in due]:
            return "emission"
        if algebra.emits(time, count) != sum(item.frame is not None for item in items):
            return "emits"
        for j, item in enumerate(items):
            oldest, newest = algebra.reads(time, j, j)
            if not oldest <= item.oldest or not item.newest <= newest:
                return "window"
            if j in exact and (item.oldest, item.newest) != (oldest, newest):
                return "window"
    return None if whole else "no window inside"


def test_nests_are_as_the_algebra_says() -> None:
    """Emission, length and window of random nests, for every clip over more than one period."""
    kinds: Counter[str] = Counter()
    for nest in nests(1, NESTS):
        assert differs(nest, nest.time()) is None, nest
        kinds.update(set(_kinds(nest)))
    rare = {kind: count for kind, count in kinds.items() if count < NESTS / 20}
    assert not rare, rare
    assert {"window", "crop", "wait", "join", "stride", "dilation", "ceil"} <= set(kinds)
    assert {"join under stride", "join of unequal lengths", "nested join"} <= set(kinds)


def _kinds(nest: Nest) -> Iterator[str]:
    yield nest.kind
    if nest.kind == "window":
        if nest.window.stride > 1:
            yield "stride"
        if nest.window.reach > nest.window.kernel - 1:
            yield "dilation"
        if nest.window.ceil_mode:
            yield "ceil"
    if nest.kind == "join":
        times = [each.time() for each in nest.inputs]
        if times[0].stride > 1:
            yield "join under stride"
        if len({time.offset for time in times}) > 1:
            yield "join of unequal lengths"
        if any(kind == "join" for each in nest.inputs for kind in _kinds(each)):
            yield "nested join"
    for each in nest.inputs:
        yield from _kinds(each)


@pytest.mark.parametrize(
    ("field", "where"),
    [("past", "window"), ("ahead", "window"), ("delay", "emission"), ("offset", "length")],
)
@pytest.mark.parametrize("by", [-1, 1])
def test_the_simulation_tells_a_wrong_number(field: str, where: str, by: int) -> None:
    """Each number, off by one, is found out somewhere."""
    found = Counter()
    for nest in nests(2, 40):
        time = nest.time()
        names = ("stride", "past", "ahead", "delay", "offset")
        numbers = {name: getattr(time, name) for name in names}
        found[differs(nest, algebra.steady(**{**numbers, field: numbers[field] + by}))] += 1
    assert found[where] > 30, found


def test_the_shortest_clip_is_the_first_with_an_output() -> None:
    draw = random.Random(3)
    for _ in range(300):
        window = random_window(draw)
        shortest = algebra.sees(window).shortest
        counts = [len(slide(window, input_frames(count))) for count in range(1, shortest + 1)]
        assert counts[-1] >= 1
        assert not any(counts[:-1])


def test_lengths_that_never_agree_are_refused() -> None:
    """A join is refused exactly where no clip gives both branches as many items."""
    draw = random.Random(4)
    refused = 0
    for _ in range(600):
        arms = [Nest("window", (INPUT,), random_window(draw)) for _ in range(2)]
        one, two = (arm.time() for arm in arms)
        if one.stride != two.stride:
            with pytest.raises(algebra.Disagreement, match="stride"):
                algebra.join([one, two])
            continue
        longest = max(arm.least() for arm in arms) + 12
        meet = any(
            len(arms[0].run(count)) == len(arms[1].run(count))
            for count in range(max(arm.least() for arm in arms), longest)
        )
        if meet:
            algebra.join([one, two])
        else:
            refused += 1
            with pytest.raises(algebra.Disagreement, match="length"):
                algebra.join([one, two])
    assert refused > 50


def test_what_is_kept_is_what_is_still_read() -> None:
    """`backlog` is the most items that have come and are read later; one less would not do."""
    draw = random.Random(5)
    for _ in range(300):
        source = random_nest(draw, INPUT, 1).time()
        edge = algebra.sees(random_window(draw))
        reader = algebra.postponed(algebra.compose(source, edge), draw.choice((0, 0, 1, 2, 5)))
        assert algebra.hold(source, edge, reader) == reader.delay - source.delay - (
            source.stride * edge.ahead
        )
        most = 0
        for frames in range(300, 300 + 2 * reader.stride):
            oldest, _ = algebra.reads(edge, algebra.emits(reader, frames), 10**6)
            most = max(most, algebra.emits(source, frames) - oldest)
        assert algebra.backlog(source, edge, reader) == most


def test_a_law_of_every_node() -> None:
    """`delay + A >= S - 1`: a stream gives nothing that the clip that ends there has not."""
    for nest in nests(6, 300):
        time = nest.time()
        assert time.delay + time.offset >= time.stride - 1
        assert time.delay >= time.ahead


def test_series_is_associative_and_has_a_neutral_element() -> None:
    draw = random.Random(7)
    for _ in range(200):
        one, two, three = (algebra.sees(random_window(draw)) for _ in range(3))
        left = algebra.compose(algebra.compose(one, two), three)
        assert left == algebra.compose(one, algebra.compose(two, three))
        assert (
            algebra.compose(one, algebra.IDENTITY) == one == algebra.compose(algebra.IDENTITY, one)
        )


def test_a_receptive_field_may_be_endless() -> None:
    endless = algebra.steady(past=inf)
    causal = algebra.sees(Window(3, before=2))
    assert algebra.join([endless, causal]).receptive_field == inf
    assert algebra.compose(algebra.sees(Window(3, 2)), endless).past == inf


def test_the_numbers_of_the_page() -> None:
    """The three paddings of a kernel of 3, and a strided convolution behind one."""
    unpadded, centred, causal = (
        algebra.sees(Window(3, before=before, after=after))
        for before, after in ((0, 0), (1, 1), (2, 0))
    )
    assert [time.delay for time in (unpadded, centred, causal)] == [2, 1, 0]
    assert [time.receptive_field for time in (unpadded, centred, causal)] == [3, 3, 3]
    halved = algebra.compose(centred, algebra.sees(Window(3, 2, 1, 1)))
    assert (halved.stride, halved.past, halved.ahead, halved.delay) == (2, 2, 2, 2)
    assert algebra.rate(halved, 10) == 5
