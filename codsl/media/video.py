"""Frames of video files, by PyAV; local files only, and only formats that refer to no others."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codsl.algebra.shape import Frame
from codsl.media.footage import ALL, Footage, Unusable, Wanted
from codsl.media.pose import Pose
from codsl.media.times import chosen

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
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
def opened(
    av: ModuleType, path: Path, options: dict[str, str], kind: str, itself: str
) -> "Iterator[InputContainer]":
    """A local file of a kind of medium, open; `itself` says what is read where lists are not."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise Unusable(f"`{path}` cannot be read: {error.strerror}") from error
    with file:
        if file.read(16).startswith(PLAYLISTS):
            raise Unusable(f"`{path}` is a list of other files; only {itself}")
        file.seek(0)
        try:
            container = av.open(file, options=options)
        except (av.FFmpegError, OSError) as error:
            raise Unusable(f"`{path}` is not {kind} that can be read") from error
        with container:
            yield container


@contextmanager
def video(path: Path, frame: Frame, wanted: Wanted = ALL) -> Iterator[Footage]:
    """The pictures of a local file, RGB or grey from 0 to 1, resized by area to the frame.

    The picture is turned and mirrored as the file says that it is shown, and stretched to the
    frame's height and width, after it has become RGB; nothing is cut off. Raises `Unusable` where
    the frame is no picture, PyAV is missing or the file is no video, also while it is read.
    """
    pixels = check_pictures(frame)
    av = pyav()
    with opened(av, path, OPTIONS, "a video", "videos themselves are read") as container:
        stream = _stream(container, path)
        decoded = _decoded(av, container, stream, path)
        first = next(decoded)
        shown = chosen(chain((first,), decoded), _rate(stream), wanted)
        frames = (_sized(picture, frame, pixels) for picture in shown)
        whole = not wanted.after and wanted.fps is None
        count = stream.frames if whole and stream.frames else None
        rate = wanted.fps or _rate(stream)
        yield Footage(_words(stream, Pose.of(first[1]), frame, wanted), count, frames, rate)


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


def pyav(what: str = "videos need") -> ModuleType:
    """The module `av`; raises `Unusable` where it is not installed."""
    try:
        import av
    except ImportError as error:
        raise Unusable(f"{what} PyAV: pip install 'codsl[video]'") from error
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


def _rate(stream: "VideoStream") -> float | None:
    """How many pictures a second, on average."""
    return float(stream.average_rate) if stream.average_rate else None


def _words(stream: "VideoStream", pose: Pose, frame: Frame, wanted: Wanted) -> str:
    count = f"{stream.frames} frames" if stream.frames else "frames"
    rate = f" at {_rate(stream):g} a second" if _rate(stream) else ""
    height, width = frame.space
    across, down = (stream.width, stream.height)[:: -1 if pose.turns % 2 else 1]
    same = (across, down) == (width, height)
    size = "" if same else f", resized to {width} x {height} (area)"
    taken = "" if wanted.fps is None else f", {wanted.fps:g} a second taken"
    start = f", from {wanted.after:g} s on" if wanted.after else ""
    return f"{count} of {across} x {down}{rate}{pose.words}{size}{taken}{start}"


def _decoded(
    av: ModuleType, container: "InputContainer", stream: "VideoStream", path: Path
) -> Iterator[tuple[float | None, "VideoFrame"]]:
    """The pictures one after the other, and when each is shown, where that is known."""
    done = 0
    try:
        for picture in container.decode(stream):
            if done == MOST_FRAMES:
                raise Unusable(f"`{path}` has more than {MOST_FRAMES} frames; use --frames")
            _check_size(picture, path)
            yield picture.time, picture
            done += 1
    except (av.FFmpegError, OSError) as error:
        raise Unusable(f"`{path}` cannot be decoded beyond frame {done}") from error
    if not done:
        raise Unusable(f"`{path}` has no frames")


def _sized(picture: "VideoFrame", frame: Frame, pixels: str) -> NDArray[np.float32]:
    """A picture as RGB, then in the size and the colours of the frame, `(C, H, W)`."""
    height, width = frame.space
    shown = Pose.of(picture).shown(picture.reformat(format="rgb24"))
    sized = shown.reformat(width=width, height=height, format=pixels, interpolation=RESIZING)
    return _channels_first(sized.to_ndarray())


def _channels_first(picture: NDArray[Any]) -> NDArray[np.float32]:
    """`(H, W, 3)` or `(H, W)` from 0 to 255, as `(C, H, W)` from 0 to 1."""
    planes = picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)
    return np.ascontiguousarray(planes, dtype=np.float32) / np.float32(255)
