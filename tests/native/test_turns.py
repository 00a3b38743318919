"""Kernels in turns, in memory that they share, compute what they do one after another."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from codsl.native import turns
from codsl.native.builder import Images, Kernel
from codsl.native.memory import planned
from codsl.native.turns import Stage, staged
from codsl.native.values import Buffer, Kind
from native.many import body_of, check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COUNT = 5
Cell = tuple[str, int]
Memory = dict[Cell, int]


def drawn(random: Random) -> list[Kernel]:
    """Kernels that read and write buffers image by image, or all of a buffer for each image."""
    kinds = [Kind.SCRATCH] * 3 + [Kind.RESULT] * 2
    buffers = [Buffer(0, COUNT * 6, torch.float32, Kind.GIVEN)]
    kernels = []
    for number in range(1, random.randint(6, 14)):
        reads = frozenset(random.choices(buffers[-3:], k=2))
        writes = Buffer(number, COUNT * random.choice([2, 6]), torch.float32, random.choice(kinds))
        buffers.append(writes)
        apart = {each: each.count // COUNT for each in (*reads, writes)}
        if random.random() < 0.2:
            each = random.choice(sorted(reads, key=lambda each: each.number))
            apart = {x: step for x, step in apart.items() if x is not each}
        elif random.random() < 0.1:
            each = random.choice(sorted(reads, key=lambda each: each.number))
            apart[each] //= 2
        images = Images(COUNT, random.choice([10, 40]), 1) if random.random() < 0.9 else None
        kernels.append(Kernel(str(number), reads, writes, images, apart if images else {}))
    return kernels


def call(kernel: Kernel, images: range, memory: Memory, at: Callable[[Buffer, int], Cell]) -> None:
    """What a kernel writes: numbers that depend on all that it reads."""
    for image in images:
        seen = []
        for buffer in sorted(kernel.reads, key=lambda each: each.number):
            step = kernel.apart.get(buffer)
            cells = range(image * step, (image + 1) * step) if step else range(buffer.count)
            seen += [memory.get(at(buffer, cell), 0) for cell in cells]
        step = kernel.apart.get(kernel.writes, kernel.writes.count // COUNT)
        for cell in range(image * step, (image + 1) * step):
            memory[at(kernel.writes, cell)] = hash((kernel.text, cell, *seen))


def straight(kernels: Sequence[Kernel], memory: Memory) -> Memory:
    """One kernel after another, each buffer in memory of its own."""
    for kernel in kernels:
        call(kernel, range(COUNT), memory, lambda buffer, cell: (buffer.name, cell))
    return memory


def together(stages: Sequence[Stage], memory: Memory) -> Memory:
    """Stage after stage, in turns, with scratch in one room."""
    places, room = planned(stages)

    def address(stage: Stage, image: int, buffer: Buffer, cell: int) -> Cell:
        if buffer.kind is not Kind.SCRATCH:
            return buffer.name, cell
        place = places[buffer] // 4 + cell - image * stage.own.get(buffer, 0)
        return "room" if 0 <= place < room // 4 else "outside", place

    for stage in stages:
        turn = stage.turn or COUNT
        for image in range(0, COUNT, turn):
            some = range(image, min(image + turn, COUNT))
            for kernel in stage.kernels:
                call(
                    kernel,
                    some,
                    memory,
                    lambda buffer, cell, stage=stage, image=image: address(
                        stage, image, buffer, cell
                    ),
                )
    return memory


def results(memory: Memory) -> Memory:
    return {cell: value for cell, value in memory.items() if cell[0] != "room"}


def compared(seed: int) -> Counter[str]:
    """Whether both ways give the same, counted, with the turns that were taken."""
    kernels = drawn(Random(seed))
    given: Memory = {("b0", cell): cell for cell in range(COUNT * 6)}
    wanted = straight(kernels, dict(given))
    found: Counter[str] = Counter()
    stages = staged(kernels)
    for stage in stages:
        found["turns"] += bool(stage.turn)
        found["own"] += len(stage.own)
    shown = results(together(stages, dict(given)))
    same = all(wanted.get(cell) == value for cell, value in shown.items())
    found["same" if same else "other"] += 1
    return found


@pytest.fixture
def near_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns are taken wherever they can be."""
    monkeypatch.setattr(turns, "NEAR", 0)


@pytest.mark.usefixtures("near_nothing")
def test_turns_change_nothing() -> None:
    found = sum((compared(seed) for seed in range(2000)), Counter[str]())
    print(dict(found))
    assert found["other"] == 0
    assert found["turns"] > 300
    assert found["own"] > 300


@pytest.mark.usefixtures("near_nothing")
def test_turns_that_mix_images_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_alike", lambda kernel, before: True)
    assert sum((compared(seed) for seed in range(1500)), Counter[str]())["other"] > 10


@pytest.mark.usefixtures("near_nothing")
def test_images_of_planes_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(8, 16, 1), nn.ReLU(), nn.Conv2d(16, 16, 3, groups=16), nn.Conv2d(16, 8, 1)
    ).eval()
    given = [torch.randn(5, 8, 9, 9)]
    body = body_of(net, given)
    assert body.count("image += 2") == 1
    assert check([("", net, given)]) > 100
    monkeypatch.setattr(turns, "NEAR", 1 << 20)
    assert "image +=" not in body_of(net, given)
