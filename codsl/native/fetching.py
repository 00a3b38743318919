"""What comes from afar is fetched into the caches while the kernels before compute.

Kept items, weights and the memory of results were touched in another step, and of many of them
nothing is left in the caches. Processors wait for what they miss; they fetch what they are told to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from codsl.native.builder import Kernel
from codsl.native.turns import NEAR, Stage
from codsl.native.values import Buffer, Kind

MOST = 1 << 20
"""Bytes of a buffer that are fetched before the kernel runs, which comes to the rest in order."""
PACE = 2
"""Multiplications for each byte that is fetched, at least; memory gives no more meanwhile."""


@dataclass(frozen=True)
class Part:
    """Bytes of a buffer from `start` on, so many further for each `image`; those of the images of
    this turn, or with `later` of the next."""

    buffer: Buffer
    start: int
    bytes: int
    image: int = 0
    later: bool = False


Parts = list[list[Part]]
"""Parts for each kernel of a stage."""


def fetched(stages: Sequence[Stage]) -> list[Parts]:
    """What each kernel of each stage fetches for those behind it, as late as there is time."""
    far = list(_far(stages))
    if sum(part.bytes for parts in far for each in parts for part in each) <= NEAR:
        return [[[] for _ in stage.kernels] for stage in stages]
    waiting: list[Part] = []
    found = []
    for stage, parts in zip(reversed(stages), reversed(far), strict=True):
        if stage.turn:
            waiting = []
            _through(stage, [[replace(x, later=True) for x in each] for each in parts], waiting)
        found.append(_through(stage, parts, waiting))
        waiting = [part for part in waiting if not part.later]
    return found[::-1]


def _through(stage: Stage, far: Parts, waiting: list[Part]) -> Parts:
    """What the kernels of a turn fetch of what waits, to which comes what they need themselves."""
    found = []
    for kernel, own in zip(reversed(stage.kernels), reversed(far), strict=True):
        found.append(list(_taken(waiting, _room(kernel, stage))))
        waiting += reversed(own)
    return found[::-1]


def _room(kernel: Kernel, stage: Stage) -> int:
    """Bytes that there is time for while a kernel computes."""
    images = kernel.images
    return images.work * (stage.turn or images.count) // PACE if images else 0


def _taken(waiting: list[Part], room: int) -> Iterator[Part]:
    """Up to so many bytes off the end of what waits, where that is which is due first."""
    while waiting and room > 0:
        part = waiting.pop()
        if part.bytes > room:
            rest = replace(part, start=part.start + room, bytes=part.bytes - room)
            waiting.append(rest)
            part = replace(part, bytes=room)
        room -= part.bytes
        yield part


def _far(stages: Sequence[Stage]) -> Iterator[Parts]:
    """For each kernel what no kernel before it has touched, in a step or in turns."""
    touched: set[Buffer] = set()
    for stage in stages:
        near = set(stage.own) if stage.turn else touched
        yield [list(_fresh(kernel, stage.turn, near)) for kernel in stage.kernels]
        touched |= stage.touches


def _fresh(kernel: Kernel, turn: int, near: set[Buffer]) -> Iterator[Part]:
    """What a kernel touches first; for a turn of so many images, or for all with 0."""
    for buffer in kernel.touches:
        if buffer in near or buffer.replaces in near or (not turn and buffer.kind is Kind.SCRATCH):
            continue
        near.add(buffer)
        apart = kernel.apart.get(buffer, 0) * buffer.dtype.itemsize if turn else 0
        yield Part(buffer, 0, min(apart * turn or buffer.bytes, MOST), apart)
