"""Pictures by when they are shown: from a second on, and so many a second."""

from collections.abc import Iterator
from typing import TypeVar

from codsl.media.footage import Unusable, Wanted

T = TypeVar("T")

SLACK = 1e-6
"""Seconds that a time may be off, by rounding."""


def chosen(
    shown: Iterator[tuple[float | None, T]], rate: float | None, wanted: Wanted
) -> Iterator[T]:
    """The pictures that are wanted, of such that come with the second at which each is shown.

    Seconds count from the first picture. With `fps` there is one at every tick, that which is
    shown then: pictures are left out or repeated. `rate` says how long the last one is shown.
    Raises `Unusable` where none is shown so late.
    """
    if wanted.fps is None and not wanted.after:
        yield from (picture for _, picture in shown)
        return
    timed = _timed(shown, rate)
    some = False
    for picture in _ticked(timed, rate, wanted) if wanted.fps else _later(timed, wanted.after):
        some = True
        yield picture
    if not some:
        raise Unusable(f"there are no frames after {wanted.after:g} s: --start is behind the end")


def _timed(
    shown: Iterator[tuple[float | None, T]], rate: float | None
) -> Iterator[tuple[float, T]]:
    """Pictures with their seconds since the first; where a file has no times, those of its rate."""
    start: float | None = None
    for number, (time, picture) in enumerate(shown):
        if time is None and rate is None:
            raise Unusable("this video does not say when its frames are shown")
        at = number / rate if time is None and rate else float(time or 0)
        start = at if start is None else start
        yield at - start, picture


def _later(timed: Iterator[tuple[float, T]], after: float) -> Iterator[T]:
    return (picture for time, picture in timed if time >= after - SLACK)


def _ticked(timed: Iterator[tuple[float, T]], rate: float | None, wanted: Wanted) -> Iterator[T]:
    """The picture that is shown at each tick, the first of which is at the start."""
    step = 1 / (wanted.fps or 1)
    ticks = 0
    end = 0.0
    before: T | None = None
    for time, picture in timed:
        while before is not None and wanted.after + ticks * step < time - SLACK:
            yield before
            ticks += 1
        end = time + (1 / rate if rate else max(time - end, step))
        before = picture
    while before is not None and wanted.after + ticks * step < end - SLACK:
        yield before
        ticks += 1
