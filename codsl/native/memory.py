"""Where buffers lie in one room, so that those that are never there together share it."""

from collections.abc import Mapping, Sequence

from codsl.native.builder import Kernel
from codsl.native.values import Buffer, Kind

ALIGNED = 64
"""Bytes of which every buffer begins at a multiple."""


def planned(kernels: Sequence[Kernel]) -> tuple[Mapping[Buffer, int], int]:
    """The byte at which each buffer of scratch begins, and how many bytes they take together."""
    spans = _spans(kernels)
    places: dict[Buffer, int] = {}
    most = 0
    for buffer in sorted(spans, key=lambda each: (-_bytes(each), each.number)):
        first, last = spans[buffer]
        taken = sorted(
            (places[other], places[other] + _bytes(other))
            for other, (start, stop) in spans.items()
            if other in places and start <= last and first <= stop
        )
        place = 0
        for start, stop in taken:
            if place + _bytes(buffer) <= start:
                break
            place = max(place, stop)
        places[buffer] = place
        most = max(most, place + _bytes(buffer))
    return places, most


def _bytes(buffer: Buffer) -> int:
    return -(-max(buffer.bytes, 1) // ALIGNED) * ALIGNED


def _spans(kernels: Sequence[Kernel]) -> dict[Buffer, tuple[int, int]]:
    """The first and the last kernel that each buffer is for."""
    spans: dict[Buffer, tuple[int, int]] = {}
    for number, kernel in enumerate(kernels):
        for buffer in (*kernel.reads, kernel.writes):
            if buffer.kind is Kind.SCRATCH:
                first, _ = spans.get(buffer, (number, number))
                spans[buffer] = first, number
    return spans
