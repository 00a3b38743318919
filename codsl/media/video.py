"""Frames of video files, by PyAV; local files only, and only formats that refer to no others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codsl.algebra.shape import Frame
from codsl.media.footage import Footage, Unusable

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,flv,ogg,"
    "asf,gif,apng,nut,mjpeg,yuv4mpegpipe"
)
"""Containers that hold their own pictures; playlists and lists of files are not among them."""

OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}

LARGEST_SIDE = 8192
"""Pixels of a picture at most, across and down."""

MOST_FRAMES = 1_000_000

PIXELS = {1: "gray", 3: "rgb24"}
"""What PyAV calls pictures of so many channels."""

RESIZING = "AREA"
"""The mean of what a pixel covers where a picture shrinks, linear between pixels where it grows."""

PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<MPD", b"<?xml", b"[playlist]", b"file ")
"""How files begin that only name other files."""


@contextmanager
def video(path: Path, frame: Frame) -> Iterator[Footage]:
    """The pictures of a local file, RGB or grey from 0 to 1, resized by area to the frame.

    The picture is stretched to the frame's height and width, after it has become RGB; nothing is
    cut off. Raises `Unusable`
    where the frame is no picture, PyAV is missing or the file is no video, also while it is read.
    """
    pixels = check_pictures(frame)
    av = pyav()
    try:
        file = path.open("rb")
    except OSError as error:
        raise Unusable(f"`{path}` cannot be read: {error.strerror}") from error
    with file:
        if file.read(16).startswith(PLAYLISTS):
            raise Unusable(f"`{path}` is a list of other files; only videos themselves are read")
        file.seek(0)
        try:
            container = av.open(file, options=OPTIONS)
        except (av.FFmpegError, OSError) as error:
            raise Unusable(f"`{path}` is not a video that can be read") from error
        with container:
            stream = _stream(container, path)
            words = _words(stream, frame)
            frames = _decoded(av, container, stream, path, frame, pixels)
            yield Footage(words, stream.frames or None, frames)


def check_pictures(frame: Frame) -> str:
    """What PyAV calls such pictures; raises `Unusable` where a frame is none."""
    if frame.channels not in PIXELS or len(frame.space) != 2:
        raise Unusable(
            f"the network takes {frame}, a video has 3 channels (or 1, grey) and two dimensions of "
            f"space; give an .npy"
        )
    if max(frame.space) > LARGEST_SIDE:
        raise Unusable(
            f"pictures of {frame.space[1]} x {frame.space[0]} are too large to resize to"
        )
    return PIXELS[frame.channels]


def pyav() -> ModuleType:
    """The module `av`; raises `Unusable` where it is not installed."""
    try:
        import av
    except ImportError as error:
        raise Unusable("videos need PyAV: pip install 'codsl[video]'") from error
    return av


def _stream(container: "InputContainer", path: Path) -> "VideoStream":
    if not container.streams.video:
        raise Unusable(f"`{path}` has no pictures")
    stream = container.streams.video[0]
    _check_size(stream, path)
    return stream


def _check_size(picture: Any, path: Path) -> None:
    """Refuse a stream or a picture that is too large, before it is decoded or resized."""
    if max(picture.width, picture.height) > LARGEST_SIDE:
        size = f"{picture.width} x {picture.height}"
        raise Unusable(f"`{path}` has pictures of {size}, more than {LARGEST_SIDE} a side")


def _words(stream: "VideoStream", frame: Frame) -> str:
    count = f"{stream.frames} frames" if stream.frames else "frames"
    rate = f" at {float(stream.average_rate):g} a second" if stream.average_rate else ""
    height, width = frame.space
    same = (stream.width, stream.height) == (width, height)
    size = "" if same else f", resized to {width} x {height} (area)"
    return f"{count} of {stream.width} x {stream.height}{rate}{size}"


def _decoded(
    av: ModuleType,
    container: "InputContainer",
    stream: "VideoStream",
    path: Path,
    frame: Frame,
    pixels: str,
) -> Iterator[NDArray[np.float32]]:
    """The pictures one after the other, `(C, H, W)`."""
    height, width = frame.space
    done = 0
    try:
        for picture in container.decode(stream):
            if done == MOST_FRAMES:
                raise Unusable(f"`{path}` has more than {MOST_FRAMES} frames; use --frames")
            _check_size(picture, path)
            shown = picture.reformat(format="rgb24").reformat(
                width=width, height=height, format=pixels, interpolation=RESIZING
            )
            yield _channels_first(shown.to_ndarray())
            done += 1
    except (av.FFmpegError, OSError) as error:
        raise Unusable(f"`{path}` cannot be decoded beyond frame {done}") from error
    if not done:
        raise Unusable(f"`{path}` has no frames")


def _channels_first(picture: NDArray[Any]) -> NDArray[np.float32]:
    """`(H, W, 3)` or `(H, W)` from 0 to 255, as `(C, H, W)` from 0 to 1."""
    planes = picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)
    return np.ascontiguousarray(planes, dtype=np.float32) / np.float32(255)
