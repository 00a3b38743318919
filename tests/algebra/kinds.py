"""What random nests have, so that it can be counted."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from algebra.simulation import Crop, Nest, Slide, Spread, Stretch, Wait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codsl.algebra import time as algebra

EVERY = {
    "bias alone", "ceil_mode", "crop", "dilation", "emission out of turn", "factor over a stride",
    "join", "join by several rates", "join of a join", "join of unequal lengths",
    "join under stride", "join while upsampled", "linear", "nearest", "nests",
    "outputs added at the end", "several phases", "stride", "stride over a factor", "transposed",
    "transposed with cut ends", "transposed with dilation", "under a fraction", "wait", "window",
}  # fmt: skip


def kinds(nest: Nest) -> Iterator[str]:
    """What a nest has."""
    for each in nest.every:
        inner = [part.time for part in each.inputs]
        if len(each.time.phases) > 1:
            yield "several phases"
        if isinstance(each.time.stride, Fraction) and each.time.stride > 1:
            yield "under a fraction"
        if len(inner) > 1:
            yield from _kinds_of_join(each, inner)
        elif inner:
            yield from _kinds_of_layer(each, inner[0])


def _kinds_of_join(nest: Nest, inner: list[algebra.Time]) -> Iterator[str]:
    yield "join"
    if nest.time.stride > 1:
        yield "join under stride"
    if nest.time.stride < 1:
        yield "join while upsampled"
    if any(not part.operation and part.inputs for arm in nest.inputs for part in arm.every):
        yield "join of a join"
    clips = range(nest.least + 12, nest.least + 12 + 2 * nest.time.period)
    spans = [{len(arm.run(clip)) for arm in nest.inputs} for clip in clips]
    if any(len(lengths) > 1 for lengths in spans):
        yield "join of unequal lengths"
    if len({time.period for time in inner}) > 1:
        yield "join by several rates"


def _kinds_of_layer(nest: Nest, before: algebra.Time) -> Iterator[str]:
    match nest.operation:
        case Slide(window):
            yield "window"
            yield from ("stride",) * (window.stride > 1)
            yield from ("dilation",) * (window.reach > window.kernel - 1)
            yield from ("ceil_mode",) * window.ceil_mode
            yield from ("stride over a factor",) * (window.stride > 1 and len(before.phases) > 1)
        case Spread(factor, window, extra):
            time = nest.operation.time()
            yield "transposed"
            yield from ("transposed with dilation",) * (window.reach > window.kernel - 1)
            yield from ("transposed with cut ends",) * (window.before * window.after > 0)
            yield from ("outputs added at the end",) * (extra > 0)
            yield from ("bias alone",) * any(phase.blind for phase in time.phases)
            late = any(phase.due > max(phase.newest, phase.first - 1) for phase in time.phases)
            yield from ("emission out of turn",) * late
            yield from ("factor over a stride",) * (factor > 1 and before.period > 1)
        case Stretch(_, linear):
            yield "linear" if linear else "nearest"
            yield from ("factor over a stride",) * (before.period > 1)
        case Crop():
            yield "crop"
        case Wait():
            yield "wait"
