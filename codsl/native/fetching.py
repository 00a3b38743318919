"""What comes from afar is fetched into the caches while the kernels before compute.

Kept items, weights and the memory of results were touched in another step, and of many of them
nothing is left in the caches. Processors wait for what they miss; they fetch what they are told to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from codsl.native.builder import Kernel
from codsl.native.values import Buffer, Kind

NEAR = 1 << 20
"""Bytes that stay in the caches from one step to the next."""
MOST = 1 << 20
"""Bytes of a buffer that are fetched before the kernel runs, which comes to the rest in order."""
RATE = 1
"""Bytes that are fetched for each multiplication, at most; memory gives no more meanwhile."""


@dataclass(frozen=True)
class Part:
    """Bytes of a buffer from `start` on."""

    buffer: Buffer
    start: int
    bytes: int


def fetched(kernels: Sequence[Kernel]) -> list[list[Part]]:
    """What each kernel fetches for those behind it, as late as there is time for it."""
    far = [list(parts) for parts in _far(kernels)]
    if sum(part.bytes for parts in far for part in parts) <= NEAR:
        return [[] for _ in kernels]
    waiting: list[Part] = []
    found = []
    for kernel, own in zip(reversed(kernels), reversed(far), strict=True):
        found.append(list(_taken(waiting, kernel.work * RATE)))
        waiting += reversed(own)
    return found[::-1]


def _far(kernels: Sequence[Kernel]) -> Iterator[Iterator[Part]]:
    """For each kernel, what no kernel before it has touched in a step."""
    touched: set[Buffer] = set()
    for kernel in kernels:
        buffers = [*sorted(kernel.reads, key=lambda each: each.number), kernel.writes]
        fresh = [x for x in buffers if x.kind is not Kind.SCRATCH and x not in touched]
        yield (Part(buffer, 0, min(buffer.bytes, MOST)) for buffer in fresh)
        touched.update(buffers)


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
