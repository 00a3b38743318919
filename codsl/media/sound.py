"""Samples of sound files: plain `.wav` by itself, all others and other rates by PyAV."""

import wave
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from codsl.algebra.shape import Frame
from codsl.media.footage import ALL, Footage, Unusable, Wanted
from codsl.media.video import opened, pyav

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

FORMATS = "wav,w64,flac,mp3,ogg,aac,aiff,au,caf,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts"
"""Containers that hold their own sound."""

OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}

HIGHEST_RATE = 768_000
"""Samples a second at most."""

CHUNKS = 50
"""So many chunks a second are enough for a stream of sound."""

BLOCK = 8192
"""Samples that are read at once."""

WIDEST = 4
"""Bytes of a number of a plain `.wav` at most."""

UNSAID = 0x7FFF0000
"""Bytes from which on a length that a file lacks is none: programs that write into a pipe say the
largest there is, of 32 bits (FFmpeg) or of 31 (SoX), or a little less."""

BROKEN = (wave.Error, EOFError, RuntimeError)
"""What `wave` raises on a broken header."""


@contextmanager
def sound(path: Path, frame: Frame, wanted: Wanted = ALL) -> Iterator[Footage]:
    """The samples of a local file, from -1 to 1: the mean of its channels, resampled to `fps` a
    second, or to the network's rate, or at its own where neither is said.

    Raises `Unusable` where the network takes no single channel, PyAV is missing where it is needed,
    or the file is no sound, also while it is read.
    """
    if frame.shape != (1,):
        raise Unusable(
            f"the network takes {frame}; sound is one channel, 1 x T, and a video needs two "
            f"dimensions of space; give an .npy"
        )
    rate = _whole(wanted.fps or wanted.rate)
    with _opened(path) as file:
        if file is not None and rate in (None, file.getframerate()):
            words = _words(file.getnchannels(), file.getframerate(), None)
            count = _said(file, path)
            blocks = _plain(file, path, count or 0)
            yield _footage(words, count, blocks, file.getframerate())
            return
    av = pyav("other sound than plain .wav files of the spec's rate needs")
    with _container(av, path) as container:
        stream = container.streams.audio[0]
        blocks = _decoded(av, container, stream, path, rate or stream.rate)
        words = _words(stream.channels, stream.rate, rate)
        yield _footage(words, None, blocks, rate or stream.rate)


def _whole(rate: float | None) -> int | None:
    """A rate as sound has it, a whole number of samples a second."""
    if rate is not None and (rate != int(rate) or rate > HIGHEST_RATE):
        raise Unusable(f"sound has a whole number of samples a second, not {rate:g}; use --fps")
    return None if rate is None else int(rate)


def _words(channels: int, rate: int, wanted: int | None) -> str:
    mixed = "" if channels == 1 else f", the mean of {channels} channels"
    resampled = "" if wanted in (None, rate) else f", resampled to {wanted}"
    return f"sound, {rate} samples a second{mixed}{resampled}"


def _footage(
    words: str, count: int | None, blocks: Iterable[NDArray[np.float32]], rate: int
) -> Footage:
    samples = (sample for block in blocks for sample in block.reshape(-1, 1))
    return Footage(words, count, samples, float(rate), max(1, rate // CHUNKS))


@contextmanager
def _opened(path: Path) -> Iterator[wave.Wave_read | None]:
    """A plain `.wav`, or None for whatever else a file is."""
    try:
        file = wave.open(str(path), "rb")  # noqa: SIM115
    except BROKEN:
        yield None
        return
    except OSError as error:
        raise Unusable(f"`{path}` cannot be read: {error.strerror}") from error
    with file:
        sound = file.getnframes() and file.getframerate() and file.getsampwidth() <= WIDEST
        yield file if sound else None


def _said(file: wave.Wave_read, path: Path) -> int | None:
    """How many samples a header says that there are; None where it was written before that was
    known."""
    size = file.getnframes() * file.getsampwidth() * file.getnchannels()
    return None if size >= UNSAID and size > path.stat().st_size else file.getnframes()


def _plain(file: wave.Wave_read, path: Path, left: int) -> Iterator[NDArray[np.float32]]:
    """Blocks of samples, of which there are so many at least: integers of 1 to 4 bytes, those of
    one byte without a sign."""
    width, channels = file.getsampwidth(), file.getnchannels()
    while data := file.readframes(BLOCK):
        whole = len(data) // (width * channels)
        left -= whole
        octets = np.frombuffer(data[: whole * width * channels], "u1").reshape(-1, width)
        wide = np.zeros((len(octets), 4), np.uint8)
        wide[:, 4 - width :] = octets
        numbers = wide.view("<i4")[:, 0] / 2.0**31
        if width == 1:
            numbers = numbers + np.where(numbers < 0, 1, -1)
        yield numbers.reshape(-1, channels).mean(1).astype(np.float32)
    if left > 0:
        raise Unusable(f"`{path}` ends {left} samples before it should")


@contextmanager
def _container(av: ModuleType, path: Path) -> "Iterator[InputContainer]":
    """A local file with sound in it, open."""
    with opened(av, path, OPTIONS, "sound", "sound itself is read") as container:
        if not any(getattr(each, "rate", 0) for each in container.streams.audio[:1]):
            raise Unusable(f"`{path}` has no sound that can be read")
        yield container


def _decoded(
    av: ModuleType, container: "InputContainer", stream: "AudioStream", path: Path, rate: int
) -> Iterator[NDArray[np.float32]]:
    """Blocks of samples of one channel at a rate.

    They are resampled side by side: more than eight planes are not safe in PyAV.
    """
    resampler = av.AudioResampler(format="flt", layout=stream.layout, rate=rate)
    done = 0
    try:
        for block in container.decode(stream):
            for made in resampler.resample(block):
                yield made.to_ndarray().reshape(made.samples, -1).mean(1)
                done += made.samples
        for made in resampler.resample(None):
            yield made.to_ndarray().reshape(made.samples, -1).mean(1)
            done += made.samples
    except (av.FFmpegError, OSError) as error:
        raise Unusable(f"`{path}` cannot be decoded beyond sample {done}") from error
    if not done:
        raise Unusable(f"`{path}` has no samples")
