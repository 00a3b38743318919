"""The algebra of time against a simulation of it, item by item."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import ceil, inf, lcm
from typing import TYPE_CHECKING

import pytest
from draws import (
    random_arms,
    random_nest,
    random_operation,
    small,
)
from simulation import INPUT, Crop, Nest, Slide, Spread, Stretch, Wait

from codsl.algebra import time as algebra
from codsl.algebra.extent import Window
from effort import calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NESTS = 1500


def nests(seed: int, number: int) -> Iterator[Nest]:
    """Random nests of all there is."""
    draw = random.Random(seed)
    return (random_nest(draw, INPUT, 2) for _ in range(number))


def enough(nest: Nest) -> int:
    """Frames of a clip that holds whole windows for several periods."""
    time = nest.time
    return nest.least + max(0, int(time.receptive_field)) + time.delay + 3 * time.period


def differs(nest: Nest, time: algebra.Time) -> set[str]:
    """Where a time is not that of the simulated nest."""
    found = set()
    frames = enough(nest)
    for j, item in enumerate(nest.run(frames)):
        output = time.output(j)
        if item.frame != (output.due if output.due < frames else None):
            found.add("emission")
        if item.whole and item.seen == 0:
            found |= set() if output.blind else {"window"}
        elif item.whole:
            exact = (item.oldest, item.newest) == (output.oldest, output.newest)
            found |= set() if exact else {"window"}
        elif item.seen and (item.oldest < output.oldest or item.newest > output.newest):
            found.add("window")
    for clip in (*range(nest.least, nest.least + 2 * time.period + 1), frames):
        given = len(nest.run(clip))
        turn = len(time.phases)
        had = all(time.output(j).first <= clip for j in range(given - turn, given))
        more = any(time.output(j).first <= clip for j in range(given, given + turn))
        if given != algebra.length(time, clip) or not had or more:
            found.add("length")
    return found


def test_nests_are_as_the_algebra_says(record_property: Callable[[str, object], None]) -> None:
    """Emission, length and window of random nests, for every clip over more than one period."""
    kinds: Counter[str] = Counter()
    for nest in nests(1, NESTS):
        assert differs(nest, nest.time) == set(), nest
        kinds.update({"nests", *_kinds(nest)})
    record_property("networks", {f"algebra: {kind}": count for kind, count in kinds.items()})
    assert set(kinds) == EVERY
    rare = {kind: count for kind, count in kinds.items() if count < NESTS / 40}
    assert not rare, rare


EVERY = {
    "bias alone", "ceil_mode", "crop", "dilation", "emission out of turn", "factor over a stride",
    "join", "join by several rates", "join of a join", "join of unequal lengths",
    "join that fits at times", "join under stride", "join while upsampled", "linear", "nearest",
    "nests", "outputs added at the end", "several phases", "stride", "stride over a factor",
    "transposed", "transposed with cut ends", "transposed with dilation", "under a fraction",
    "wait", "window",
}  # fmt: skip


def _kinds(nest: Nest) -> Iterator[str]:
    """What a nest has."""
    for each in nest.every:
        inner = [part.time for part in each.inputs]
        if len(each.time.phases) > 1:
            yield "several phases"
        if isinstance(each.time.stride, Fraction) and each.time.stride > 1:
            yield "under a fraction"
        if len(inner) > 1:
            yield from _kinds_of_join(each, inner)
        elif inner:
            yield from _kinds_of_layer(each, inner[0])


def _kinds_of_join(nest: Nest, inner: list[algebra.Time]) -> Iterator[str]:
    yield "join"
    if nest.time.stride > 1:
        yield "join under stride"
    if nest.time.stride < 1:
        yield "join while upsampled"
    if any(not part.operation and part.inputs for arm in nest.inputs for part in arm.every):
        yield "join of a join"
    clips = range(nest.least + 12, nest.least + 12 + 2 * nest.time.period)
    spans = [{len(arm.run(clip)) for arm in nest.inputs} for clip in clips]
    if any(len(lengths) > 1 for lengths in spans):
        yield "join of unequal lengths"
        yield "join that fits at times"
    if len({time.period for time in inner}) > 1:
        yield "join by several rates"


def _kinds_of_layer(nest: Nest, before: algebra.Time) -> Iterator[str]:
    match nest.operation:
        case Slide(window):
            yield "window"
            yield from ("stride",) * (window.stride > 1)
            yield from ("dilation",) * (window.reach > window.kernel - 1)
            yield from ("ceil_mode",) * window.ceil_mode
            yield from ("stride over a factor",) * (window.stride > 1 and len(before.phases) > 1)
        case Spread(factor, window, extra):
            time = nest.operation.time()
            yield "transposed"
            yield from ("transposed with dilation",) * (window.reach > window.kernel - 1)
            yield from ("transposed with cut ends",) * (window.before * window.after > 0)
            yield from ("outputs added at the end",) * (extra > 0)
            yield from ("bias alone",) * any(phase.blind for phase in time.phases)
            late = any(phase.due > max(phase.newest, phase.first - 1) for phase in time.phases)
            yield from ("emission out of turn",) * late
            yield from ("factor over a stride",) * (factor > 1 and before.period > 1)
        case Stretch(_, linear):
            yield "linear" if linear else "nearest"
            yield from ("factor over a stride",) * (before.period > 1)
        case Crop():
            yield "crop"
        case Wait():
            yield "wait"


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


def test_what_a_layer_gives_less_than_one_for_each_stride() -> None:
    draw = random.Random(7)
    for _ in range(300):
        nest = Nest(random_operation(draw), (INPUT,))
        clips = range(nest.least + 4, nest.least + 4 + 2 * nest.time.period)
        fewer = [ceil(clip / nest.time.stride) - len(nest.run(clip)) for clip in clips]
        assert algebra.shortens(nest.time) == min(fewer)


def test_work_is_by_the_input_frame() -> None:
    assert algebra.rate(algebra.steady(2), 10) == 5
    assert algebra.rate(algebra.stretches(3, [(0, 0)] * 3), 10) == 30


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


def test_the_numbers_of_the_page() -> None:
    """The three paddings of a kernel of 3, and a strided convolution behind one."""
    unpadded, centred, causal = (
        algebra.sees(Window(3, before=before, after=after))
        for before, after in ((0, 0), (1, 1), (2, 0))
    )
    assert [time.delay for time in (unpadded, centred, causal)] == [2, 1, 0]
    assert [time.receptive_field for time in (unpadded, centred, causal)] == [3, 3, 3]
    assert [time.offset for time in (unpadded, centred, causal)] == [-2, 0, 0]
    assert [time.shortest for time in (unpadded, centred, causal)] == [3, 1, 1]
    halved = algebra.compose(centred, algebra.sees(Window(3, 2, 1, 1)))
    assert (halved.stride, halved.past, halved.ahead, halved.delay) == (2, 2, 2, 2)


def test_the_formula_of_transposed_convolutions() -> None:
    """Oldest `ceil((j + p - k + 1) / u)`, newest `floor((j + p) / u)`, if `k >= u`."""
    draw = random.Random(11)
    for _ in range(300):
        factor, kernel = draw.randint(1, 5), draw.randint(5, 9)
        pad = draw.randint(0, kernel - 1)
        time = algebra.spreads(factor, Window(kernel, before=pad, after=draw.randint(0, pad)))
        for j in range(-3, 3 * factor):
            output = time.output(j)
            assert output.oldest == ceil((j + pad - kernel + 1) / factor)
            assert output.newest == (j + pad) // factor


def test_stride_then_factor() -> None:
    """`n(T) = 2 * floor(T / 2)`: twice as many phases, which fit the identity at times."""
    time = algebra.compose(algebra.steady(2), algebra.stretches(2, [(0, 0)] * 2))
    assert (time.period, len(time.phases), time.stride) == (2, 2, 1)
    assert [algebra.length(time, clip) for clip in range(1, 7)] == [0, 2, 2, 4, 4, 6]
    assert algebra.join([time, algebra.IDENTITY]).phases[0].due == 0


def test_a_fraction_of_a_frame() -> None:
    """Two outputs every three frames: never two at once, though the rate is uneven."""
    time = algebra.compose(algebra.stretches(2, [(0, 0)] * 2), algebra.steady(3))
    assert time.stride == Fraction(3, 2)
    assert [phase.oldest for phase in time.phases] == [0, 1]
    assert not time.bursts
    assert algebra.compose(time, algebra.stretches(2, [(0, 0)] * 2)).bursts


def test_plain_layers_are_cheap() -> None:
    """Networks have ten thousand of them; and a step asks each what is due."""
    one, two = algebra.sees(Window(3, 2, 1, 1)), algebra.sees(Window(5, before=4))
    assert calls(lambda: algebra.compose(one, two)) <= 14
    assert calls(lambda: algebra.join([one])) <= 6
    assert calls(lambda: algebra.emits(one, 40)) <= 12
    assert calls(lambda: algebra.reads(one, 3, 5)) <= 10


def test_work_is_linear_in_the_phases() -> None:
    """A vocoder has hundreds of outputs a frame."""

    def spent(factor: int) -> int:
        time = algebra.spreads(factor, Window(2 * factor, before=factor // 2, after=factor // 2))
        edge = algebra.sees(Window(7, before=27, after=27, dilation=9))
        reader = algebra.compose(time, edge)
        return calls(lambda: (algebra.compose(time, edge), algebra.backlog(time, edge, reader)))

    assert spent(512) < 4.2 * spent(128)
