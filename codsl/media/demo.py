"""A real video made on the spot: a game of life, encoded as H.264 and decoded again."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from codsl.algebra.shape import Frame
from codsl.media.footage import ALL, Footage, Unusable, Wanted
from codsl.media.video import check_pictures, pyav, video

WIDTH, HEIGHT, RATE, FRAMES = 160, 120, 15, 60
SOURCE = (
    f"life=size={WIDTH}x{HEIGHT}:rate={RATE}:ratio=0.3:seed=7:mold=10"
    ":life_color=#00ff00:death_color=#aa0000:mold_color=#0000ff"
)
"""FFmpeg's source that moves most; without a `mold_color` it is not repeatable."""

ENCODER = {"crf": "28", "x264-params": "mbtree=0"}
"""With x264's `mbtree` the same pictures give another file from run to run."""


@contextmanager
def demo(frame: Frame, wanted: Wanted = ALL) -> Iterator[Footage]:
    """The frames of the demo clip, as `video` gives them; the file is gone at the end."""
    check_pictures(frame)
    with TemporaryDirectory(prefix="codsl-") as folder:
        path = Path(folder) / "demo.mp4"
        encode(path)
        with video(path, frame, wanted) as found:
            yield found


def encode(path: Path) -> None:
    """Write the demo clip; raises `Unusable` where PyAV lacks what it takes."""
    av = pyav()
    try:
        with av.open(SOURCE, format="lavfi") as life, av.open(str(path), "w") as out:
            stream = out.add_stream("libx264", rate=RATE, options=ENCODER)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for picture in islice(life.decode(video=0), FRAMES):
                out.mux(stream.encode(picture.reformat(format="yuv420p")))
            out.mux(stream.encode())
    except (av.FFmpegError, ValueError, OSError) as error:
        raise Unusable(f"this PyAV cannot make the demo clip: {error}") from error
