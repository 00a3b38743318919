"""Times by their formulas and by their numbers, and what it costs to compute them."""

from __future__ import annotations

import random
from fractions import Fraction
from math import ceil

from codsl.algebra import time as algebra
from codsl.algebra.extent import Window
from effort import calls


def test_the_numbers_of_the_page() -> None:
    """The three paddings of a kernel of 3, and a strided convolution behind one."""
    unpadded, centred, causal = (
        algebra.sees(Window(3, before=before, after=after))
        for before, after in ((0, 0), (1, 1), (2, 0))
    )
    assert [time.delay for time in (unpadded, centred, causal)] == [2, 1, 0]
    assert [time.receptive_field for time in (unpadded, centred, causal)] == [3, 3, 3]
    assert [time.offset for time in (unpadded, centred, causal)] == [-2, 0, 0]
    assert [time.shortest for time in (unpadded, centred, causal)] == [3, 1, 1]
    halved = algebra.compose(centred, algebra.sees(Window(3, 2, 1, 1)))
    assert (halved.stride, halved.past, halved.ahead, halved.delay) == (2, 2, 2, 2)


def test_a_clip_has_a_frame() -> None:
    """However much padding there is, the shortest clip is one frame."""
    assert algebra.sees(Window(5, before=4, after=4)).shortest == 1
    assert algebra.sees(Window(5, before=2, after=1)).shortest == 2


def test_what_is_pointwise() -> None:
    up, every = algebra.stretches(2, [(0, 0), (0, 0)]), algebra.sees(Window(stride=2))
    assert algebra.IDENTITY.pointwise
    assert algebra.waits(3).pointwise
    assert algebra.sees(Window(stride=3)).pointwise
    assert algebra.compose(up, every).pointwise
    for other in (
        up,
        algebra.crops(1, 0),
        algebra.sees(Window(2)),
        algebra.sees(Window(2, before=1)),
        algebra.remembers(),
        algebra.steady(past=1, ahead=-1),
        algebra.compose(algebra.spreads(2, Window()), every),
        algebra.compose(algebra.compose(algebra.spreads(2, Window()), algebra.crops(1, 0)), every),
    ):
        assert other.pointwise == (other == algebra.IDENTITY)


def test_the_formula_of_transposed_convolutions() -> None:
    """Oldest `ceil((j + p - k + 1) / u)`, newest `floor((j + p) / u)`, if `k >= u`."""
    draw = random.Random(11)
    for _ in range(300):
        factor, kernel = draw.randint(1, 5), draw.randint(5, 9)
        pad = draw.randint(0, kernel - 1)
        time = algebra.spreads(factor, Window(kernel, before=pad, after=draw.randint(0, pad)))
        for j in range(-3, 3 * factor):
            output = time.output(j)
            assert output.oldest == ceil((j + pad - kernel + 1) / factor)
            assert output.newest == (j + pad) // factor


def test_stride_then_factor() -> None:
    """`n(T) = 2 * floor(T / 2)`: twice as many phases, which fit the identity at times."""
    time = algebra.compose(algebra.steady(2), algebra.stretches(2, [(0, 0)] * 2))
    assert (time.period, len(time.phases), time.stride) == (2, 2, 1)
    assert [algebra.length(time, clip) for clip in range(1, 7)] == [0, 2, 2, 4, 4, 6]
    assert algebra.join([time, algebra.IDENTITY]).phases[0].due == 0


def test_a_fraction_of_a_frame() -> None:
    """Two outputs every three frames: never two at once, though the rate is uneven."""
    time = algebra.compose(algebra.stretches(2, [(0, 0)] * 2), algebra.steady(3))
    assert time.stride == Fraction(3, 2)
    assert [phase.oldest for phase in time.phases] == [0, 1]
    assert not time.bursts
    assert algebra.compose(time, algebra.stretches(2, [(0, 0)] * 2)).bursts


def test_plain_layers_are_cheap() -> None:
    """Networks have ten thousand of them; and a step asks each what is due."""
    one, two = algebra.sees(Window(3, 2, 1, 1)), algebra.sees(Window(5, before=4))
    assert calls(lambda: algebra.compose(one, two)) <= 14
    assert calls(lambda: algebra.join([one])) <= 6
    assert calls(lambda: algebra.emits(one, 40)) <= 12
    assert calls(lambda: algebra.reads(one, 3, 5)) <= 10


def test_work_is_linear_in_the_phases() -> None:
    """A vocoder has hundreds of outputs a frame."""

    def spent(factor: int) -> int:
        time = algebra.spreads(factor, Window(2 * factor, before=factor // 2, after=factor // 2))
        edge = algebra.sees(Window(7, before=27, after=27, dilation=9))
        reader = algebra.compose(time, edge)
        return calls(lambda: (algebra.compose(time, edge), algebra.backlog(time, edge, reader)))

    assert spent(512) < min(4.2 * spent(128), 80 * 512)
