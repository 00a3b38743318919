"""Where buffers lie in one room, so that those that are never there together share it."""

from collections.abc import Mapping, Sequence

from codsl.native.pages import aligned
from codsl.native.turns import Stage
from codsl.native.values import Buffer, Kind


def planned(stages: Sequence[Stage]) -> tuple[Mapping[Buffer, int], int]:
    """The byte at which each buffer of scratch begins, and how many bytes they take together."""
    spans = _spans(stages)
    sizes = {buffer: _bytes(buffer.bytes) for buffer in spans}
    for stage in stages:
        for buffer, apart in stage.own.items():
            sizes[buffer] = _bytes(stage.turn * apart * buffer.dtype.itemsize)
    places: dict[Buffer, int] = {}
    most = 0
    for buffer in sorted(spans, key=lambda each: (-sizes[each], each.number)):
        first, last = spans[buffer]
        taken = sorted(
            (places[other], places[other] + sizes[other])
            for other, (start, stop) in spans.items()
            if other in places and start <= last and first <= stop
        )
        place = 0
        for start, stop in taken:
            if place + sizes[buffer] <= start:
                break
            place = max(place, stop)
        places[buffer] = place
        most = max(most, place + sizes[buffer])
    return places, most


def _bytes(needed: int) -> int:
    return aligned(max(needed, 1))


def _spans(stages: Sequence[Stage]) -> dict[Buffer, tuple[int, int]]:
    """The first and the last stage that each buffer is for."""
    spans: dict[Buffer, tuple[int, int]] = {}
    for number, stage in enumerate(stages):
        for buffer in stage.touches:
            if buffer.kind is Kind.SCRATCH:
                first, _ = spans.get(buffer, (number, number))
                spans[buffer] = first, number
    return spans
