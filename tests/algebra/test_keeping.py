"""What a stream gives, reads, holds and keeps, against a simulation that looks on."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING

from algebra.draws import fitting, random_arms, random_nest, random_operation, small
from algebra.simulation import INPUT, Items, Nest, Operation, frames
from codsl.algebra import time as algebra
from codsl.algebra.extent import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def test_what_has_come_out_after_so_many_frames() -> None:
    draw = random.Random(1)
    for _ in range(300):
        nest = random_nest(draw, INPUT, 1)
        clip = nest.least + nest.time.delay + 3 * nest.time.period
        come = [item.frame for item in nest.run(clip)]
        for after in range(clip + 1):
            given = sum(frame is not None and frame < after for frame in come)
            assert algebra.emits(nest.time, after) == given
        counts = Counter(frame for frame in come if frame is not None)
        assert algebra.burst(nest.time) >= max(counts.values())
        full = clip >= nest.time.output(3 * len(nest.time.phases)).due
        assert not full or algebra.burst(nest.time) == max(counts.values())


def test_what_outputs_read() -> None:
    """Of a layer's own input, the items of some outputs: the oldest and the newest of them all."""
    draw = random.Random(2)
    found: Counter[str] = Counter()
    while found["spans"] < 2000:
        operation = random_operation(draw)
        time = operation.time()
        items = operation.run(frames(24))
        whole = [j for j, item in enumerate(items) if item.whole]
        if not whole:
            continue
        first = draw.choice(whole)
        last = min(whole[-1], first + draw.choice((0, 0, 1, 2, 5, 40)))
        span = items[first : last + 1]
        if not all(item.whole for item in span):
            continue
        seeing = [item for item in span if item.seen]
        oldest, newest = algebra.reads(time, first, last)
        found.update(["spans", "several phases" if len(time.phases) > 1 else "one phase"])
        if len(seeing) == len(span):
            assert oldest == min(item.oldest for item in seeing)
            assert newest == max(item.newest for item in seeing)
            continue
        found["some see nothing" if seeing else "none sees anything"] += 1
        assert 0 <= oldest <= min((item.oldest for item in seeing), default=newest)
        assert newest >= max((item.newest for item in seeing), default=oldest)
    assert min(found.values()) > 20, found


def test_an_endless_past_is_not_read() -> None:
    endless, up = algebra.remembers(), algebra.stretches(2, [(-1, 0), (0, 1)])
    assert algebra.reads(endless, 3, 7) == (3, 7)
    both = algebra.join([algebra.compose(up, endless), up])
    assert algebra.reads(both, 0, 0) == (0, 0)
    assert algebra.reads(both, 1, 5) == (1, 3)
    assert algebra.backlog(algebra.IDENTITY, endless, endless) == 0


class Stream:
    """A node behind another: which items of it there are when, and which the node reads."""

    def __init__(self, source: Nest, operation: Operation, late: int) -> None:
        self.source, self.operation, self.late = source, operation, late
        ready = algebra.compose(source.time, operation.time())
        self.reader = algebra.postponed(ready, late)
        clip = max(1, source.time.shortest) + ready.delay + source.time.delay + late
        self.clip = clip + 4 * ready.period * source.time.period + 30

    @cached_property
    def given(self) -> list[int]:
        """The frame of each item of the source that the stream gives."""
        return [item.frame for item in self.source.run(self.clip) if item.frame is not None]

    @cached_property
    def fired(self) -> list[tuple[int, int]]:
        """The frame at which each output without padding comes, and the oldest item it reads."""
        items = self.source.run(self.clip)
        own = self.operation.run(frames(len(items)))
        return [
            (item.frame + self.late, local.oldest)
            for local, item in zip(own, self.operation.run(items), strict=True)
            if local.whole and local.seen and item.frame is not None
        ]

    def finds(self, depth: int) -> bool:
        """Whether the reader always finds its items among the last `depth` of the frame before,
        or those that come with the frame."""
        return all(oldest >= bisect_left(self.given, frame) - depth for frame, oldest in self.fired)


def streams(seed: int, number: int) -> Iterator[Stream]:
    """Random sources, readers and delays."""
    draw = random.Random(seed)
    while number:
        source, operation = random_nest(draw, INPUT, 1), random_operation(draw)
        if small(algebra.compose(source.time, operation.time())):
            number -= 1
            yield Stream(source, operation, draw.choice((0, 0, 1, 2, 5)))


def test_what_is_kept_is_what_is_still_read(
    record_property: Callable[[str, object], None],
) -> None:
    """A reader finds its items among `backlog` kept ones, at every frame; with one fewer it would
    miss one. What sees nothing keeps no more than one item for that."""
    found: Counter[str] = Counter()
    for stream in streams(3, 600):
        edge = stream.operation.time()
        depth = algebra.backlog(stream.source.time, edge, stream.reader)
        assert stream.finds(depth)
        if not stream.fired or any(phase.blind for phase in edge.phases):
            found["bias alone"] += 1
            continue
        found["held"] += stream.late > 0
        found["several phases of the source"] += len(stream.source.time.phases) > 1
        found["several phases of the edge"] += len(edge.phases) > 1
        found["nothing" if depth == 0 else "something"] += 1
        assert depth == 0 or not stream.finds(depth - 1), (stream.source, stream.operation)
    record_property("networks", {f"algebra: kept, {kind}": found[kind] for kind in found})
    assert min(found.values()) > 15, found


def test_nothing_seen_needs_one_item_at_most() -> None:
    blind = algebra.spreads(3, Window(1))
    assert [phase.blind for phase in blind.phases] == [False, True, True]
    assert [algebra.reads(blind, j, j) for j in range(4)] == [(0, 0), (0, 0), (0, 0), (1, 1)]
    assert [algebra.emits(blind, frames) for frames in range(4)] == [0, 1, 4, 7]
    assert algebra.backlog(algebra.IDENTITY, blind, blind) == 1
    assert algebra.backlog(algebra.IDENTITY, blind, algebra.postponed(blind, 2)) == 3


def test_how_long_items_wait_where_branches_meet(
    record_property: Callable[[str, object], None],
) -> None:
    """`hold` is the longest wait of a branch's item for the others, `spare` the shortest; a branch
    that is later by `spare` changes nothing."""
    draw = random.Random(4)
    found: Counter[str] = Counter()
    while found["branches"] < 600:
        arms = random_arms(draw, INPUT, 1)
        joined = fitting(arms, draw)
        if not joined or not small(joined.time):
            continue
        for arm in joined.inputs:
            if not arm.inputs or not arm.operation:
                continue
            source, edge = arm.inputs[0].time, arm.operation.time()
            clip = joined.least + joined.time.delay + 4 * joined.time.period
            waits = waiting(arm.run(clip), joined.run(clip))
            hold, spare = (
                measure(source, edge, joined.time) for measure in (algebra.hold, algebra.spare)
            )
            assert (hold, spare) == (max(waits), min(waits))
            assert algebra.spare(algebra.postponed(source, spare), edge, joined.time) == 0
            found.update(["branches", "waits" if hold else "is last"])
            found["waits unevenly"] += hold > spare
            found["waits now and then"] += hold > spare == 0
    record_property("networks", {f"algebra: a branch {kind}": found[kind] for kind in found})
    assert min(found.values()) > 20, found


def waiting(early: Items, late: Items) -> list[int]:
    """For each pair of items the frames between them."""
    return [
        two.frame - one.frame
        for one, two in zip(early, late, strict=False)
        if one.frame is not None and two.frame is not None
    ]


def test_a_node_may_speak_later() -> None:
    draw = random.Random(5)
    for _ in range(100):
        time, frames_later = random_nest(draw, INPUT, 1).time, draw.choice((0, 1, 7))
        later = algebra.postponed(time, frames_later)
        assert later.delay == time.delay + frames_later
        assert (later.past, later.ahead, later.period) == (time.past, time.ahead, time.period)
        assert later.receptive_field == time.receptive_field < inf
        for clip in range(20):
            assert algebra.length(later, clip) == algebra.length(time, clip)
            assert algebra.emits(later, clip + frames_later) == algebra.emits(time, clip)


def test_two_items_every_other_frame_are_read_one_a_frame() -> None:
    """What is kept is counted over a period of the source, though the reader's is shorter."""
    pairs = algebra.compose(algebra.steady(2), algebra.stretches(2, [(0, 0)] * 2))
    reader = algebra.join([pairs, algebra.sees(Window(10, before=8))])
    assert (pairs.period, len(pairs.phases), reader.period) == (2, 2, 1)
    assert algebra.backlog(pairs, algebra.IDENTITY, reader) == 2
    assert algebra.backlog(algebra.postponed(pairs, 1), algebra.IDENTITY, reader) == 1
