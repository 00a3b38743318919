"""Kernels in turns: of many images, some go through several convolutions while they are near.

With all images in one kernel after another, none of them is in the caches any more when the next
kernel comes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from codsl.native.builder import Images, Kernel
from codsl.native.values import Buffer, Kind

NEAR = 1 << 20
"""Bytes that stay in the caches from one kernel to the next."""
PLACES = 96
"""Places of a turn, about: the weights are read again for so many anyway."""


@dataclass(frozen=True)
class Stage:
    """Kernels of which each is called once, or all in turns of so many `images` each.

    What they write for each other lasts for a turn; `own` has it, and how far images are apart.
    """

    kernels: tuple[Kernel, ...]
    images: Images | None = None
    turn: int = 0
    own: Mapping[Buffer, int] = field(default_factory=dict)

    @property
    def touches(self) -> set[Buffer]:
        """What its kernels read and write."""
        return _touched(self.kernels)


def staged(kernels: Sequence[Kernel]) -> list[Stage]:
    """Kernels in their order, those together that take turns."""
    groups = list(_groups(kernels))
    users = Counter(buffer for group in groups for buffer in _touched(group))
    return [_stage(group, users) for group in groups]


def _groups(kernels: Sequence[Kernel]) -> Iterator[list[Kernel]]:
    group: list[Kernel] = []
    for kernel in kernels:
        if group and not _joins(kernel, group):
            yield from _worthwhile(group)
            group = []
        group.append(kernel)
    yield from _worthwhile(group)


def _joins(kernel: Kernel, group: Sequence[Kernel]) -> bool:
    """Whether an image needs nothing of others that a kernel of a group computes."""
    one, other = kernel.images, group[0].images
    if not one or not other or one.count != other.count:
        return False
    return all(_alike(kernel, before) for before in group)


def _alike(kernel: Kernel, before: Kernel) -> bool:
    """Whether images lie in the same places in all that one of two kernels writes for the other."""
    both = {before.writes} & {*kernel.touches} | {kernel.writes} & {*before.touches}
    return all(x in kernel.apart and kernel.apart[x] == before.apart.get(x) for x in both)


def _worthwhile(group: list[Kernel]) -> Iterator[list[Kernel]]:
    """A group where turns keep its images near, otherwise its kernels one by one."""
    images = group[0].images if group else None
    far = sum(x.bytes for x in _touched(group)) > NEAR
    if images and far and len(group) > 1 and _turn(group) < images.count:
        yield group
    else:
        yield from ([kernel] for kernel in group)


def _touched(group: Sequence[Kernel]) -> set[Buffer]:
    return {x for kernel in group for x in kernel.touches}


def _turn(group: Sequence[Kernel]) -> int:
    """Images of a turn, of which the smallest have places enough."""
    fewest = min(kernel.images.places for kernel in group if kernel.images)
    return -(-PLACES // max(fewest, 1))


def _stage(group: list[Kernel], users: Mapping[Buffer, int]) -> Stage:
    if len(group) == 1:
        return Stage((group[0],))
    apart = {x: step for kernel in group for x, step in kernel.apart.items()}
    own = {x: step for x, step in apart.items() if x.kind is Kind.SCRATCH and users[x] == 1}
    return Stage(tuple(group), group[0].images, _turn(group), own)
