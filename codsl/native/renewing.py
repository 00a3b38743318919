"""An item that comes takes the place of the oldest, so that a state is no larger than what is kept.

What is written was read just before, and is in the caches. Sums over past items are computed before
the new one is, and what it adds afterwards.
"""

from collections.abc import Mapping, Sequence
from math import prod

from codsl.native.builder import Images, Kernel
from codsl.native.keeping import Item, Kept
from codsl.native.values import Buffer, Kind


def renew(kernels: list[Kernel], items: Mapping[Buffer, Item], kept: Sequence[Kept]) -> None:
    """Have kernels write those of `items` that they make where others lie, once these were read."""
    there: dict[tuple[int, int], Buffer] = {}
    for buffer, item in items.items():
        each = kept[item.which]
        slot = item.which, item.from_next % each.slots
        if buffer.kind is Kind.GIVEN:
            there[slot] = buffer
        elif slot in there:
            _replace(kernels, there[slot], buffer, each)


def _replace(kernels: list[Kernel], old: Buffer, new: Buffer, kept: Kept) -> None:
    first = next(number for number, each in enumerate(kernels) if each.writes is new)
    late = [number for number in range(first, len(kernels)) if old in kernels[number].reads]
    parts = [_apart(kernels, first, number, old) for number in late]
    if all(parts):
        new.replaces = old
        for number, (_, *rest) in zip(late[::-1], parts[::-1], strict=True):
            kernels[number : number + 1] = rest
        kernels[first:first] = [early for early, *_ in parts]
    else:
        old.kind, new.kind = Kind.RESULT, Kind.SCRATCH
        writes = [number for number, each in enumerate(kernels) if each.writes is new]
        kernels.insert(max(*late, *writes) + 1, _copy(new, old, kept))


def _apart(kernels: Sequence[Kernel], first: int, number: int, old: Buffer) -> Sequence[Kernel]:
    """The parts of a kernel of which one reads what is old, and can be before the `first`; none
    where kernels between them touch the place of its result."""
    kernel, between = kernels[number], kernels[first:number]
    taken = {kernel.writes, kernel.writes.replaces}
    if not between or any(taken.intersection(each.touches) for each in between):
        return ()
    parts = kernel.parts()
    return () if any(old in each.reads for each in parts[1:]) else parts


def _copy(new: Buffer, old: Buffer, kept: Kept) -> Kernel:
    """An item that waited, into its place, image by image."""
    images = Images(kept.sizes[0], prod(kept.sizes[2:]), 0)
    apart = kept.row // new.dtype.itemsize
    place = f"images.from * {apart}"
    size = f"(images.to - images.from) * {kept.row}"
    text = f"std::memcpy({old.name} + {place}, {new.name} + {place}, {size});"
    return Kernel(text, frozenset([new]), old, images, {new: apart, old: apart})
