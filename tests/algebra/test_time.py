"""The algebra of time against a simulation of it, item by item."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import count, pairwise
from math import inf
from typing import TYPE_CHECKING

import pytest

from algebra.comparison import differs, enough, nests
from algebra.draws import another_way, fitting, random_nest, random_operation, small
from algebra.kinds import EVERY, kinds
from algebra.simulation import INPUT, Crop, Nest, Slide, Spread
from codsl.algebra import time as algebra
from codsl.algebra.extent import Window

if TYPE_CHECKING:
    from collections.abc import Callable

NESTS = 1500


def test_nests_are_as_the_algebra_says(record_property: Callable[[str, object], None]) -> None:
    """Emission, length and window of random nests, for every clip over more than one period."""
    hits: Counter[str] = Counter()
    for nest in nests(1, NESTS):
        assert differs(nest, nest.time) == set(), nest
        hits.update({"nests", *kinds(nest)})
    record_property("networks", {f"algebra: {kind}": count for kind, count in hits.items()})
    assert set(hits) == EVERY
    rare = {kind: count for kind, count in hits.items() if count < NESTS / 40}
    assert not rare, rare


@pytest.mark.parametrize(
    ("field", "where"),
    [("oldest", "window"), ("newest", "window"), ("due", "emission"), ("first", "length")],
)
@pytest.mark.parametrize("by", [-1, 1])
def test_the_simulation_tells_a_wrong_number(field: str, where: str, by: int) -> None:
    """Each number of each phase, off by one, is found out."""
    draw = random.Random(2)
    found = 0
    for nest in nests(2, 60):
        time = nest.time
        at = draw.randrange(len(time.phases))
        phases = list(time.phases)
        phases[at] = replace(phases[at], **{field: getattr(phases[at], field) + by})
        wrong = replace(time, phases=tuple(phases))
        blind = time.phases[at].blind or wrong.phases[at].blind
        assert where in differs(nest, wrong) or (blind and where == "window"), (nest, wrong)
        found += not blind
    assert found > 30


def test_named_numbers_are_the_worst_of_a_period() -> None:
    several = 0
    for nest in nests(3, 400):
        time, stride = nest.time, nest.time.stride
        frames = enough(nest)
        items = [(floor_of(j * stride), item) for j, item in enumerate(nest.run(frames))]
        whole = [(own, item) for own, item in items if item.whole and item.seen]
        if not whole:
            continue
        several += len(time.phases) > 1
        assert time.past == max(own - item.oldest for own, item in whole)
        assert time.ahead == max(item.newest - own for own, item in whole)
        assert time.receptive_field == max(item.newest - item.oldest + 1 for _, item in whole)
        come = [(own, item.frame) for own, item in items if item.frame is not None]
        assert time.delay == max(frame - own for own, frame in come)
        periods = len(items) // len(time.phases)
        end = next(
            clip for clip in count(frames, -1) if len(nest.run(clip)) < periods * len(time.phases)
        )
        assert time.offset == periods * time.period - (end + 1)
        dues = [frame for _, frame in come]
        assert time.bursts == (len(set(dues)) < len(dues))
        assert time.pointwise == (
            len(time.phases) == 1 and all(item.oldest == item.newest == own for own, item in whole)
        )
    assert several > 100


def floor_of(number: Fraction | int) -> int:
    return number.numerator // number.denominator


def test_clips_too_short_for_a_layer() -> None:
    """`shortest` is the least clip that gives an item, as long as every layer before has one."""
    for nest in nests(4, 300):
        for clip in range(1, nest.least + 3):
            assert all(each.run(clip) for each in nest.every) == (clip >= nest.least)


def test_bias_alone_is_no_frame() -> None:
    """Behind a node whose every output sees nothing, and where it meets one that sees something."""
    draw = random.Random(11)
    start = INPUT
    for operation in (Spread(2, Window()), Crop(1, 0), Slide(Window(stride=2))):
        start = Nest(operation, (start,))
    assert [phase.blind for phase in start.time.phases] == [True]
    hits: Counter[str] = Counter()
    for _ in range(200):
        one, two = random_nest(draw, start, 0), random_nest(draw, INPUT, 0)
        assert differs(one, one.time) == set()
        assert all(phase.blind for phase in one.time.phases)
        met = fitting([start, another_way(draw, INPUT, Fraction(1))], draw)
        if met:
            hits["met"] += 1
            assert differs(met, met.time) == set()
        for then in (start.time, one.time):
            if small(algebra.compose(two.time, then)):
                hits["read"] += 1
                behind = algebra.compose(two.time, then)
                assert all(phase.blind for phase in behind.phases)
                assert (behind.past, behind.ahead, behind.receptive_field) == (-1, 0, 0)
    carried = algebra.compose(start.time, algebra.remembers())
    assert (carried.past, carried.receptive_field) == (-1, 0)
    assert min(hits.values()) > 50, hits


def test_laws_of_every_node() -> None:
    """`delay + A >= S - 1`: a stream gives nothing that the clip that ends there has not; and
    outputs come, and clips have them, in their order."""
    for nest in nests(8, 400):
        outputs = [nest.time.output(j) for j in range(2 * len(nest.time.phases) + 1)]
        for output, following in pairwise(outputs):
            assert output.due >= output.first - 1
            assert output.due >= output.newest
            assert output.due <= following.due
            assert output.first <= following.first


def test_series_is_associative_and_has_a_neutral_element() -> None:
    draw = random.Random(9)
    several = 0
    for _ in range(400):
        one, two, three = (random_operation(draw).time() for _ in range(3))
        left = algebra.compose(algebra.compose(one, two), three)
        right = algebra.compose(one, algebra.compose(two, three))
        several += len(left.phases) > 1
        assert rhythm(left) == rhythm(right)
        assert algebra.compose(one, algebra.IDENTITY) == one
        assert algebra.compose(algebra.IDENTITY, one) == one
    assert several > 100


def rhythm(time: algebra.Time) -> tuple[int, list[tuple[int, int]]]:
    """When outputs come, and which clips have them."""
    return time.period, [(phase.due, phase.first) for phase in time.phases]


def test_no_time_has_more_phases_than_it_needs() -> None:
    """Whatever way a time was made, it is the same object of numbers."""
    draw = random.Random(10)
    for nest in nests(10, 200):
        time = nest.time
        times = draw.choice((2, 3))
        phases = tuple(time.output(j) for j in range(times * len(time.phases)))
        long = algebra.Time(times * time.period, phases)
        assert long.shortened() == time
        assert algebra.join([long, time]) == time
        assert algebra.compose(long, algebra.IDENTITY) == time
        assert long.stride == time.stride
    unlike = (algebra.Phase(), algebra.Phase(1, 1, 1, 2), algebra.Phase(1, 1, 1, 2))
    assert algebra.Time(2, unlike).shortened().phases == unlike
    uneven = (algebra.Phase(), algebra.Phase(1, 1, 2, 2), algebra.Phase(2, 2, 2, 3))
    assert algebra.Time(3, uneven).shortened().phases == uneven


def test_patterns_end_somewhere() -> None:
    def up(factor: int) -> algebra.Time:
        return algebra.stretches(factor, [(0, 0)] * factor)

    most = algebra.compose(up(32), up(32))
    assert len(most.phases) == algebra.MOST == 1024
    assert algebra.join([most, algebra.postponed(most, 1)]).phases[0].due == 1
    with pytest.raises(algebra.Unsteady, match="more than 1024 outputs"):
        algebra.compose(most, up(2))
    one, two = (algebra.compose(algebra.steady(factor), up(factor)) for factor in (31, 37))
    with pytest.raises(algebra.Unsteady, match="more than 1024 outputs"):
        algebra.join([one, two])


def test_a_receptive_field_may_be_endless() -> None:
    endless = algebra.remembers()
    causal = algebra.sees(Window(3, before=2))
    up = algebra.stretches(2, [(-1, 0), (0, 1)])
    assert algebra.join([endless, causal]).receptive_field == inf
    assert algebra.compose(algebra.sees(Window(3, 2)), endless).past == inf
    for time in (algebra.compose(up, endless), algebra.compose(endless, up)):
        assert [(phase.oldest, phase.newest) for phase in time.phases] == [(-inf, 0), (-inf, 1)]
        assert (time.past, time.ahead, time.receptive_field) == (inf, 1, inf)
    early = algebra.spreads(2, Window(2, dilation=3))
    assert [phase.newest for phase in early.phases] == [0, -1]
    behind = algebra.compose(early, endless)
    assert [(phase.oldest, phase.newest) for phase in behind.phases] == [(-inf, 0), (-inf, 0)]


def test_an_upsampling_has_as_many_reaches_as_outputs() -> None:
    with pytest.raises(ValueError, match="zip"):
        algebra.stretches(2, [(0, 0)])
