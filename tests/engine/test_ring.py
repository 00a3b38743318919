"""A ring holds the last items, wherever in it they lie."""

from __future__ import annotations

import torch

from codsl.engine.ring import Ring


def test_the_last_items_are_held_in_order() -> None:
    ring = Ring(3)
    assert not len(ring)
    items = [torch.full((2, 1), float(number)) for number in range(12)]
    ring.extend(items[:3])
    for number in range(3, 12):
        for one in (-1.0, float(number)):
            found = ring.with_one(torch.full((2, 1), one))
            assert sorted(found[:, 0, 0].tolist()) == sorted([*range(number - 3, number), one])
            assert [item[0, 0].item() for item in ring] == [*range(number - 3, number)]
        ring.keep()
    assert len(ring) == 3
    ring.extend(items[4:7])
    assert [item[0, 0].item() for item in ring] == [4, 5, 6]
