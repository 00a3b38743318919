"""Frames that are piped in as bare numbers, such as FFmpeg's raw video and sound."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from codsl.algebra.shape import Frame
from codsl.media.footage import Footage, Unusable, Wanted, untimed
from codsl.media.layouts import NUMBERS, PICTURES


def piped(pipe: BinaryIO, frame: Frame, wanted: Wanted) -> Footage:
    """The frames in a pipe; the spec says how large each is, and how many there are a second.

    They are read as they come. Raises `Unusable` where the network takes other frames than such,
    and, while they are read, where the pipe ends within one.
    """
    untimed("a pipe", wanted)
    if pipe.isatty():
        raise Unusable("nothing is piped in; `-` is for `ffmpeg ... - | codsl run ...`")
    layout = wanted.raw or _usual(frame)
    channels = PICTURES.get(layout)
    if channels is not None and (channels != frame.channels or len(frame.space) != 2):
        raise Unusable(f"the network takes {frame}, which is not {layout}; see --raw")
    sound = frame.shape == (1,) and wanted.rate is not None
    together = max(1, round((wanted.rate or 0) / 50)) if sound else 1
    size = " x ".join(map(str, frame.space[::-1]))
    words = f"{layout} {f'of {size} ' if channels else ''}from a pipe"
    return Footage(words, None, _read(pipe, frame, layout), wanted.rate, together)


def _usual(frame: Frame) -> str:
    """What such frames are written as, where nothing is said."""
    if len(frame.space) != 2:
        return "f32le"
    return next((name for name, count in PICTURES.items() if count == frame.channels), "f32le")


def _read(pipe: BinaryIO, frame: Frame, layout: str) -> Iterator[NDArray[np.float32]]:
    """The frames `(C, *S)` of a pipe, to its end."""
    kind, most = NUMBERS.get(layout, ("u1", 255.0))
    size = frame.size * np.dtype(kind).itemsize
    done = 0
    while data := pipe.read(size):
        if len(data) < size:
            raise Unusable(f"the pipe ends within frame {done}: {len(data)} bytes of {size}")
        numbers = np.frombuffer(data, kind).astype(np.float32) / np.float32(most)
        if layout in PICTURES:
            yield numbers.reshape(*frame.space, frame.channels).transpose(2, 0, 1).copy()
        else:
            yield numbers.reshape(frame.shape)
        done += 1
    if not done:
        raise Unusable("the pipe is empty")
