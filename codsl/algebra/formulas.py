"""The times that layers state, each a formula of the layer's own numbers."""

from collections.abc import Sequence
from dataclasses import replace
from math import gcd, inf

from codsl.algebra.extent import Window
from codsl.algebra.period import Phase, Time


def steady(
    stride: int = 1, past: float = 0, ahead: int = 0, delay: int = 0, offset: int = 0
) -> Time:
    """The time of a node without upsampling, by a few integers.

    Output `j` depends on frames `j*stride - past` to `j*stride + ahead`, comes out of a stream at
    frame `j*stride + delay`, and a clip of `T` frames gives `floor((T + offset) / stride)` outputs.
    """
    return Time(stride, (Phase(-past, ahead, delay, stride - offset),))


def sees(window: Window) -> Time:
    """The time of a window that slides over its input and the padding at its ends."""
    ahead = window.reach - window.before
    time = steady(window.stride, window.before, ahead, ahead, window.offset)
    return replace(time, spacing=window.dilation)


def waits(frames: int) -> Time:
    """The time of a pure delay: it looks at nothing else, and a clip passes unchanged."""
    return steady(delay=frames)


def crops(front: int, back: int) -> Time:
    """The time of leaving out frames at either end.

    That a frame is not among the last `back` is known only `back` frames later.
    """
    return steady(past=-front, ahead=front, delay=front + back, offset=-front - back)


def remembers() -> Time:
    """The time of a carried state: an output depends on all frames up to its own."""
    return steady(past=inf)


def spreads(factor: int, window: Window, extra: int = 0) -> Time:
    """The time of a transposed convolution: every input is spread over `window`, `factor` apart.

    `before` and `after` of the window are what is cut off the ends, `extra` is added at the end.
    Output `q` is made of the inputs `(q + before - dilation * tap) / factor` that are whole; one
    that is made of none comes with input `(q + before) // factor`.
    """
    size = window.reach + 1 + extra - window.before - window.after
    taps = range(0, window.reach + 1, window.dilation)
    phases: list[Phase] = []
    for at in range(window.before, window.before + factor):
        made = [(at - tap) // factor for tap in taps if (at - tap) % factor == 0]
        oldest, newest = (made[-1], made[0]) if made else (at // factor + 1, at // factor)
        first = (at - window.before - size) // factor + 2
        phases.append(Phase(oldest, newest, max(newest, first - 1), first))
    return _in_order(phases, window.dilation // gcd(window.dilation, factor))


def stretches(factor: int, reach: Sequence[tuple[int, int]]) -> Time:
    """The time of `factor` outputs a frame; output `q` of frame 0 depends on frames `reach[q]`.

    Beyond the last frame stands what repeats it, so a clip gives all its outputs.
    """
    pairs = zip(range(factor), reach, strict=True)
    return _in_order([Phase(oldest, newest, max(newest, 0)) for _, (oldest, newest) in pairs])


def _in_order(phases: Sequence[Phase], spacing: int = 1) -> Time:
    """The time of such outputs a frame, none of which comes before the one that it follows."""
    last = max(phase.due for phase in phases) - 1
    ordered = []
    for phase in phases:
        last = max(last, phase.due)
        ordered.append(replace(phase, due=last))
    return Time(1, tuple(ordered), spacing)
