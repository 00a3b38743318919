"""Items in a block: where they lie, in what order they come, and how little room they take."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest
import torch

import codsl
from codsl.engine.backends import native
from codsl.native.block import Block
from codsl.native.keeping import COUNT, Keeping, Kept
from codsl.native.pages import ALIGNED
from networks.shipped import FOLDER, SMALL

if TYPE_CHECKING:
    from collections.abc import Sequence


def drawn(random: Random) -> list[Kept]:
    dtypes = [torch.float32, torch.float64, torch.int64]
    return [
        Kept(
            tuple(random.randint(1, 4) for _ in range(random.randint(1, 4))),
            random.choice(dtypes),
            random.randint(1, 5),
        )
        for _ in range(random.randint(0, 6))
    ]


def test_items_are_there_until_others_take_their_place() -> None:
    random, items = Random(0), 0
    for _ in range(60):
        kept = drawn(random)
        block = Block(kept)
        past: list[list[torch.Tensor]] = [[] for _ in kept]
        for number in range(12 * len(kept)):
            which = random.randrange(len(kept))
            x = torch.full(kept[which].sizes, number).to(kept[which].dtype)
            block.put(which, x)
            past[which].append(x)
            for each, those in enumerate(past):
                for back, meant in enumerate(reversed(those[-kept[each].slots :]), 1):
                    assert torch.equal(block.item(each, back), meant)
                    items += 1
    print(f"{items} items found")
    assert items > 5_000


def test_slots_lie_apart_behind_the_counts() -> None:
    random = Random(1)
    for _ in range(200):
        kept = drawn(random)
        keeping = Keeping(kept, more=random.randint(0, 99))
        taken = [(0, COUNT * len(kept))]
        for which, each in enumerate(kept):
            for came in range(each.slots):
                place = keeping.place(which, came, 0)
                assert place % ALIGNED == 0
                assert place == keeping.place(which, came + 1, -1)
                assert place == keeping.place(which, came + each.slots, 0)
                taken.append((place, place + each.bytes))
        taken.sort()
        assert all(end <= start for (_, end), (start, _) in pairwise(taken))
        assert taken[-1][1] <= keeping.size
        assert f"std::array<codsl::Kept, {len(kept)}>" in keeping.table


class Seen(Exception):
    """All that was to be seen is."""


@pytest.mark.parametrize("name", SMALL)
def test_a_block_has_room_for_what_is_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = codsl.build(FOLDER / f"{name}.codsl", params=SMALL[name]).eval()
    found: list[Keeping] = []

    def seen(kept: Sequence[Kept]) -> None:
        found.append(Keeping(kept))
        raise Seen

    monkeypatch.setattr(native, "Block", seen)
    fast = net.compile_step("native")
    fast.set_state(replace(net.init_state(2), frame=net.graph.cycle.start))
    frames = [torch.zeros(2, *inlet.frame.shape) for inlet in net.graph.inputs]
    names = [inlet.name for inlet in net.graph.inputs]
    frame = frames[0] if not names[0] else dict(zip(names, frames, strict=True))
    with pytest.raises(Seen):
        fast(frame)
    (keeping,) = found
    held = 2 * net.graph.report().total["state_bytes"]
    feeds = net.graph.schedule.feeds
    slots = [each.slots for each in keeping.kept]
    print(f"{name}: {keeping.size} bytes for {held}, in {sum(slots)} slots")
    assert slots[: len(feeds)] == [feed.depth for feed in feeds]
    assert held <= keeping.size <= 2 * held + ALIGNED * sum(slots) + keeping.head
