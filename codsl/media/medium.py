"""Which media there are: the demo clip, arrays, videos."""

from collections.abc import Iterator
from contextlib import contextmanager

from codsl.algebra.shape import Frame
from codsl.media.arrays import array, is_array
from codsl.media.demo import demo
from codsl.media.footage import Footage, local_file
from codsl.media.video import video

DEMO = "demo"
"""The word for a clip that is made on the spot."""


@contextmanager
def footage(given: str, frame: Frame) -> Iterator[Footage]:
    """Open `demo`, an `.npy` or a video, as frames of this shape.

    Raises `Unusable`, here or while the frames are read.
    """
    if given == DEMO:
        with demo(frame) as found:
            yield found
        return
    path = local_file(given)
    with array(path, frame) if is_array(path) else video(path, frame) as found:
        yield found
