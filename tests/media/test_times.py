"""So many pictures a second, and from a second on, whatever the times in a file."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from codsl.algebra.shape import Frame
from codsl.media.footage import Unusable, Wanted
from codsl.media.medium import footage
from codsl.media.pipe import piped
from codsl.media.times import chosen

REGULAR = [(10 + n / 4, n) for n in range(8)]
"""Two seconds at four a second; times do not begin at 0."""


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [0, 1, 2, 3, 4, 5, 6, 7]),
        (Wanted(after=0.6), [3, 4, 5, 6, 7]),
        (Wanted(fps=4), [0, 1, 2, 3, 4, 5, 6, 7]),
        (Wanted(fps=2), [0, 2, 4, 6]),
        (Wanted(fps=8, after=1.5), [6, 6, 7, 7]),
        (Wanted(fps=3), [0, 1, 2, 4, 5, 6]),
        (Wanted(fps=2, after=0.3), [1, 3, 5, 7]),
    ],
)
def test_pictures_are_left_out_or_repeated(wanted: Wanted, found: list[int]) -> None:
    assert list(chosen(iter(REGULAR), 4, wanted)) == found
    assert list(chosen(((None, n) for n in range(8)), 4, wanted)) == found


def test_times_that_are_not_regular_count() -> None:
    shown = [(0.0, "a"), (0.1, "b"), (1.0, "c"), (1.45, "d")]
    assert list(chosen(iter(shown), 4, Wanted(fps=2))) == ["a", "b", "c", "d"]
    assert list(chosen(iter(shown), None, Wanted(after=0.5))) == ["c", "d"]


def test_what_has_no_times_or_is_over() -> None:
    with pytest.raises(Unusable, match="does not say when"):
        list(chosen(iter([(None, 0)]), None, Wanted(fps=2)))
    for wanted in (Wanted(after=2), Wanted(after=2, fps=3)):
        with pytest.raises(Unusable, match="behind the end"):
            list(chosen(iter(REGULAR), 4, wanted))


def test_a_video_is_taken_so_many_times_a_second() -> None:
    """The demo clip has 60 pictures at 15 a second."""
    pictures = {}
    for name, wanted in (("all", Wanted()), ("some", Wanted(fps=5, after=1, skip=2))):
        with footage("demo", Frame(3, (6, 8)), wanted) as found:
            pictures[name] = np.stack(list(found.frames), 1)
            rate, words = found.rate, found.words
    assert rate == 5
    assert "5 a second taken, from 1 s on, from frame 2 on" in words
    np.testing.assert_array_equal(pictures["some"], pictures["all"][:, 21::3])


def read(data: bytes, frame: Frame, **wanted: Any) -> tuple[np.ndarray, int]:
    found = piped(io.BytesIO(data), frame, Wanted(**wanted))
    return np.stack(list(found.frames), 1), found.together


def test_pipes_hold_bare_numbers() -> None:
    draw = np.random.default_rng(0)
    pictures = draw.integers(0, 256, (5, 3, 4, 3), np.uint8)
    found, _ = read(pictures.tobytes(), Frame(3, (3, 4)))
    np.testing.assert_allclose(found, pictures.transpose(3, 0, 1, 2) / 255, rtol=1e-6)
    found, _ = read(pictures.tobytes(), Frame(1, (3, 4)))
    np.testing.assert_allclose(found[0], pictures.reshape(15, 3, 4) / 255, rtol=1e-6)
    numbers = draw.standard_normal((7, 2, 3)).astype("<f4")
    found, together = read(numbers.tobytes(), Frame(2, (3,)), rate=16000)
    assert together == 1
    np.testing.assert_array_equal(found, numbers.swapaxes(0, 1))
    samples = draw.integers(-32768, 32768, 9).astype("<i2")
    found, together = read(samples.tobytes(), Frame(1), rate=16000, raw="s16le")
    assert together == 320
    np.testing.assert_allclose(found[0], samples / 32768, rtol=1e-6)


@pytest.mark.parametrize(
    ("data", "wanted", "said"),
    [
        (b"", {}, "the pipe is empty"),
        (bytes(40), {}, "ends within frame 1: 4 bytes of 36"),
        (bytes(36), {"raw": "gray"}, "which is not gray"),
        (bytes(36), {"fps": 5.0}, "a pipe is taken frame by frame"),
    ],
)
def test_pipes_that_cannot_be_read(data: bytes, wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(Unusable, match=said):
        read(data, Frame(3, (3, 4)), **wanted)
