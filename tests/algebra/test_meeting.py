"""Where branches meet: what fits, and what one gives less than another."""

from __future__ import annotations

import random
from collections import Counter
from math import ceil, lcm
from typing import TYPE_CHECKING

import pytest

from algebra.comparison import differs
from algebra.draws import random_arms, random_nest, small
from algebra.simulation import INPUT, Nest
from codsl.algebra import time as algebra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def test_joins_are_refused_where_no_clip_fits(
    record_property: Callable[[str, object], None],
) -> None:
    """Branches of equal rate by different ways, of any lengths: exactly where they never agree."""
    draw = random.Random(5)
    found: Counter[str] = Counter()
    while found["joins"] < 1000:
        start = INPUT if draw.random() < 0.5 else random_nest(draw, INPUT, 0)
        arms = random_arms(draw, start, 0)
        period = lcm(*(arm.time.period for arm in arms))
        if period > 12 or not all(small(arm.time) for arm in arms):
            continue
        least = max(arm.least for arm in arms) + 4
        every = [
            len({len(arm.run(clip)) for arm in arms}) == 1 for clip in range(least, least + period)
        ]
        kind = "never" if not any(every) else "always" if all(every) else "at times"
        found.update(
            {"joins", kind, f"{kind}, of several phases"} if period > 1 else {"joins", kind}
        )
        if any(every):
            joined = Nest(None, tuple(arms))
            assert differs(joined, joined.time) == set()
        else:
            with pytest.raises(algebra.Disagreement, match="lengths") as error:
                algebra.join([arm.time for arm in arms])
            assert error.value.kind == "length"
    record_property("networks", {f"algebra: fits {kind}": found[kind] for kind in found})
    assert min(found.values()) > 30, found


def test_strides_that_differ_are_refused() -> None:
    up, third = algebra.stretches(2, [(0, 0)] * 2), algebra.steady(3)
    for times in ([up, algebra.IDENTITY], [algebra.compose(up, third), up], [third, third, up]):
        with pytest.raises(algebra.Disagreement, match="strides") as error:
            algebra.join(times)
        assert error.value.kind == "stride"


def arms_of_a_rate(seed: int, number: int) -> Iterator[tuple[Nest, Nest]]:
    """Pairs of branches of equal rate."""
    draw = random.Random(seed)
    while number:
        one, two = random_arms(draw, INPUT, 1)[:2]
        if small(one.time) and small(two.time):
            number -= 1
            yield one, two


def test_what_one_branch_gives_less_than_another() -> None:
    ways: Counter[int] = Counter()
    for one, two in arms_of_a_rate(6, 300):
        least, period = max(one.least, two.least) + 4, lcm(one.time.period, two.time.period)
        more = [
            len(one.run(clip)) - len(two.run(clip)) for clip in range(least, least + 2 * period)
        ]
        assert algebra.lost(one.time, two.time) == min(more)
        average = sum(more)
        ways[(average > 0) - (average < 0)] += 1
        if average:
            assert algebra.longest([one.time, two.time]) == (one if average > 0 else two).time
            assert algebra.longest([two.time, one.time]) == (one if average > 0 else two).time
    assert min(ways.values()) > 20


def test_patterns_of_any_kind_are_compared() -> None:
    """Lengths of equal rate with any steps, whatever their periods."""
    draw = random.Random(12)
    for _ in range(300):
        one, two = (random_pattern(draw, draw.choice((1, 2, 3, 6))) for _ in range(2))
        more = [algebra.length(one, clip) - algebra.length(two, clip) for clip in range(30, 36)]
        assert algebra.lost(one, two) == min(more)
        if sum(more):
            assert algebra.longest([one, two]) == (one if sum(more) > 0 else two)


def random_pattern(draw: random.Random, period: int) -> algebra.Time:
    """As many outputs as frames, which a clip has as it comes."""
    start = draw.randint(-3, 6)
    firsts = sorted(start + draw.randint(0, period) for _ in range(period))
    return algebra.Time(period, tuple(algebra.Phase(first=first) for first in firsts))


def test_what_a_node_gives_less_than_one_for_each_stride() -> None:
    draw = random.Random(7)
    for _ in range(300):
        nest = random_nest(draw, INPUT, 1)
        clips = range(nest.least + 4, nest.least + 4 + 2 * nest.time.period)
        fewer = [ceil(clip / nest.time.stride) - len(nest.run(clip)) for clip in clips]
        assert algebra.shortens(nest.time) == min(fewer)


def test_work_is_by_the_input_frame() -> None:
    assert algebra.rate(algebra.steady(2), 10) == 5
    assert algebra.rate(algebra.stretches(3, [(0, 0)] * 3), 10) == 30
