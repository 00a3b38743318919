"""Clips in a listing, and the items that are taken out of them."""

from collections.abc import Iterator, Sequence
from functools import partial

from torch import Tensor

from codsl.engine.as_is import apart
from codsl.engine.listing import Operation


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
