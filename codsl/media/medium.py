"""Which media there are: the demo clip, arrays, videos, sound, and what is piped in."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from codsl.algebra.shape import Frame
from codsl.media.arrays import array, is_array
from codsl.media.demo import demo
from codsl.media.footage import ALL, Footage, Unusable, Wanted, begun, local_file
from codsl.media.pipe import piped
from codsl.media.sound import sound
from codsl.media.video import video

DEMO = "demo"
"""The word for a clip that is made on the spot."""


PIPE = "-"
"""The word for what is piped in."""


@contextmanager
def footage(given: str, frame: Frame, wanted: Wanted = ALL) -> Iterator[Footage]:
    """Open `demo`, `-` for standard input, an `.npy`, a video, or sound for a network that takes
    one channel without space, as frames of this shape.

    Raises `Unusable`, here or while the frames are read.
    """
    if given == DEMO:
        with demo(frame, wanted) as found:
            yield begun(found, replace(wanted, after=0.0))
    elif given == PIPE:
        if sys.stdin is None:
            raise Unusable("nothing is piped in: there is no standard input")
        yield begun(piped(sys.stdin.buffer, frame, wanted), wanted)
    else:
        with _file(local_file(given), frame, wanted) as found:
            yield found


@contextmanager
def _file(path: Path, frame: Frame, wanted: Wanted) -> Iterator[Footage]:
    """The part of a file that is wanted; a video knows itself when its pictures are shown."""
    if wanted.raw is not None:
        raise Unusable(f"--raw says how standard input is written, and `{path}` is a file")
    if is_array(path):
        with array(path, frame, wanted) as found:
            yield begun(found, wanted)
    elif frame.space:
        with video(path, frame, wanted) as found:
            yield begun(found, replace(wanted, after=0.0))
    else:
        with sound(path, frame, wanted) as found:
            yield begun(found, wanted)
