"""What kernels fetch for those behind them: each part once, in time, and no more than there is
time for."""

from __future__ import annotations

from random import Random

import torch
from torch import nn

from codsl.native import fetching
from codsl.native.builder import Images, Kernel
from codsl.native.fetching import Part, fetched
from codsl.native.turns import staged
from codsl.native.values import Buffer, Kind
from native.many import body_of, check


def drawn(random: Random, count: int) -> list[Kernel]:
    """Kernels that read what is given, known, or written before, some of them again."""
    numbers = iter(range(10_000))

    def buffer(kind: Kind) -> Buffer:
        return Buffer(next(numbers), random.choice([7, 1000, 90_000, 700_000]), torch.float32, kind)

    kinds = [Kind.GIVEN, Kind.CONSTANT]
    known = [buffer(Kind.SCRATCH)]
    kernels = []
    for _ in range(count):
        reads = {random.choice(known), *(buffer(random.choice(kinds)) for _ in range(3))}
        writes = buffer(random.choice([Kind.SCRATCH, Kind.RESULT]))
        known += [*reads, writes]
        work = random.choice([0, 100_000, 3_000_000])
        images = Images(1, 1, work) if work else None
        kernels.append(Kernel("", frozenset(reads), writes, images))
    return kernels


def work_of(kernel: Kernel) -> int:
    return kernel.images.work // fetching.PACE if kernel.images else 0


def first_use(kernels: list[Kernel]) -> dict[Buffer, int]:
    found: dict[Buffer, int] = {}
    for number, kernel in enumerate(kernels):
        for each in (*kernel.reads, kernel.writes):
            found.setdefault(each, number)
    return found


def test_parts_are_fetched_once_in_time_and_as_late_as_can_be() -> None:
    random, parts = Random(1), 0
    for _ in range(50):
        kernels = drawn(random, 40)
        due = first_use(kernels)
        ends: dict[Buffer, int] = {}
        plan = [parts for stage in fetched(staged(kernels)) for parts in stage]
        for number, (kernel, taken) in enumerate(zip(kernels, plan, strict=True)):
            assert sum(part.bytes for part in taken) <= work_of(kernel)
            for part in taken:
                assert part.buffer.kind is not Kind.SCRATCH
                assert part.bytes > 0
                assert due[part.buffer] > number
                ends[part.buffer] = max(ends.get(part.buffer, 0), part.start + part.bytes)
                parts += 1
        spread = [part for taken in plan for part in taken]
        assert all(end <= min(x.bytes, fetching.MOST) for x, end in ends.items())
        assert no_two_overlap(spread)
        assert all(
            sum(part.bytes for part in plan[number]) == work_of(kernels[number])
            for number in range(len(kernels) - 1)
            if any(due[p.buffer] > number + 1 for taken in plan[:number] for p in taken)
        )
    print(f"{parts} parts fetched")
    assert parts > 1000


def no_two_overlap(parts: list[Part]) -> bool:
    spans: dict[Buffer, list[tuple[int, int]]] = {}
    for part in parts:
        spans.setdefault(part.buffer, []).append((part.start, part.start + part.bytes))
    return all(
        one[1] <= other[0]
        for each in spans.values()
        for one, other in zip(sorted(each), sorted(each)[1:], strict=False)
    )


def test_little_is_not_fetched() -> None:
    buffer = Buffer(0, fetching.NEAR // 4 - 1, torch.float32, Kind.CONSTANT)
    out = Buffer(1, 1, torch.float32, Kind.RESULT)
    kernels = [Kernel("", frozenset(), out, 10**9), Kernel("", frozenset([buffer]), out)]
    assert fetched(staged(kernels)) == [[[]], [[]]]


def test_turns_fetch_for_the_next_turn() -> None:
    """A stage of two kernels whose second takes long, for images of a quarter of a megabyte."""
    count, step = 8, 1 << 16
    x, kept = (Buffer(number, count * step, torch.float32, Kind.GIVEN) for number in range(2))
    between = Buffer(2, count * step, torch.float32)
    y = Buffer(3, count * step, torch.float32, Kind.RESULT)
    apart = dict.fromkeys([x, kept, between, y], step)
    soon, long = Images(count, 50, 1000), Images(count, 50, 10**7)
    one = Kernel("", frozenset([x]), between, soon, {x: step, between: step})
    other = Kernel("", frozenset([between, kept]), y, long, apart)
    (stage,) = staged([one, other])
    assert (stage.turn, dict(stage.own)) == (2, {between: step})
    first, second = fetched([stage])[0]
    bytes_of_image = 4 * step
    few = 2 * soon.work // fetching.PACE
    assert first == [Part(kept, 0, few, bytes_of_image)]
    assert {(part.buffer, part.later) for part in second} == {(x, True), (kept, True), (y, True)}
    assert sum(part.bytes for part in second) == 3 * 2 * bytes_of_image - few
    assert not any(part.buffer is between for part in (*first, *second))


def test_a_network_that_fetches_computes_as_one_that_does_not() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(16, 128, 3, padding=1, bias=False),
        nn.Conv2d(128, 128, 3, padding=1, groups=128),
        nn.Conv2d(128, 512, 3, stride=2),
        nn.Flatten(),
        nn.Linear(512 * 9, 60),
    ).eval()
    given = [torch.randn(2, 16, 8, 8)]
    body = body_of(net, given)
    assert body.count("codsl::Span spans[]") == 3
    assert check([("", net, given)]) > 100
