"""Clips in a listing, and the items that are taken out of them."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from torch import Tensor

from codsl.engine.as_is import apart
from codsl.engine.listing import Operation, Run


class Clips:
    """Which slots of a listing hold the items of a clip, one after another."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[int, int, int]] = {}
        """The slot of the clip, the place there, and how many items it has."""

    def hold(self, clip: int, slots: Sequence[int]) -> None:
        """Note that slots hold all items of a clip."""
        self._places |= {slot: (clip, at, len(slots)) for at, slot in enumerate(slots)}

    def parts(self, slots: Sequence[int]) -> Iterator[tuple[int, Run | None, int]]:
        """Slots, those that lie so in a clip as its slot; what cuts the part out of that, if it is
        not the whole; and how many items it is."""
        for _, run in groupby(enumerate(slots), lambda each: self._lies(*each)):
            part = [slot for _, slot in run]
            clip, first, count = self._places.get(part[0], (part[0], 0, 1))
            if len(part) == 1:
                yield part[0], None, 1
            elif len(part) == count:
                yield clip, None, count
            else:
                yield clip, partial(cut, first, len(part)), len(part)

    def _lies(self, at: int, slot: int) -> tuple[int, int]:
        clip, place, _ = self._places.get(slot, (-slot, 0, 1))
        return clip, place - at


def taken_out(operations: Sequence[Operation], returned: set[int]) -> Iterator[Operation]:
    """The operations, but of clips of which few items are used these alone."""
    read = returned.union(*(each.inputs for each in operations))
    for each in operations:
        used = [(place, slot) for place, slot in enumerate(each.outputs) if slot in read]
        if each.run is apart and 2 * len(used) < len(each.outputs):
            for place, slot in used:
                yield Operation(partial(item, place), each.inputs, (slot,))
        else:
            yield each


def item(place: int, clip: Tensor) -> Tensor:
    """An item of a clip `(B, C, T, *S)`."""
    return clip.select(2, place)


def cut(first: int, count: int, clip: Tensor) -> Tensor:
    """Some items of a clip, as a clip."""
    return clip.narrow(2, first, count)
