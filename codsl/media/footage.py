"""Frames of a medium as a network takes them, what is wanted of it, and which files are read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LARGEST = 16 * 1024**3
"""Bytes of a file at most."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


class Unusable(ValueError):
    """A medium that cannot be read, or holds other frames than are asked for; the message says
    why in one line."""


@dataclass(frozen=True)
class Footage:
    """Frames in order, each float32, with `double` float64, `(C, *S)`; `count` is how many, and
    `rate` how many a second, as far as that is known. So many may be taken `together` that nobody
    has to wait for them."""

    words: str
    count: int | None
    frames: Iterator[NDArray[np.floating]]
    rate: float | None = None
    together: int = 1
    double: bool = False


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a medium: `fps` frames a second, from frame `skip` on, or from so many
    seconds `after` its beginning. `rate` is how many a second the network is meant for, and `raw`
    says how numbers are written that come without a file. With `ids` frames may be integers."""

    rate: float | None = None
    fps: float | None = None
    skip: int = 0
    after: float = 0.0
    raw: str | None = None
    ids: bool = False


ALL = Wanted()
"""A medium as it is."""


def untimed(what: str, wanted: Wanted) -> None:
    """Raise `Unusable` where frames a second are wanted of a medium that has no seconds."""
    if wanted.fps is not None:
        raise Unusable(f"{what} is taken frame by frame: it has no seconds that --fps could count")


def begun(found: Footage, wanted: Wanted) -> Footage:
    """The part of the footage that is wanted; raises `Unusable`, at once or once it is read, where
    there is none."""
    skip = wanted.skip
    if wanted.after:
        if found.rate is None:
            raise Unusable("--start in seconds needs frames a second; the spec names no rate")
        skip = round(wanted.after * found.rate)
    if not skip:
        return found
    count = None if found.count is None else max(0, found.count - skip)
    words = f"{found.words}, from frame {skip} on"
    return replace(found, words=words, count=count, frames=_beyond(found.frames, skip))


def _beyond(frames: Iterator[NDArray[np.floating]], skip: int) -> Iterator[NDArray[np.floating]]:
    """Frames from `skip` on, of which there is one at least."""
    passed = 0
    for passed, frame in enumerate(frames, 1):
        if passed > skip:
            yield frame
    if passed <= skip:
        raise Unusable(f"--start is behind the end, after {passed} frames")


def local_file(given: str) -> Path:
    """The path of a regular file that is there, and no larger than `LARGEST`."""
    path = Path(given)
    try:
        if not path.exists():
            if _ADDRESS.match(given):
                raise Unusable(f"`{given}` is an address; only local files are read")
            raise Unusable(f"`{given}`: there is no such file")
        if path.is_dir():
            raise Unusable(f"`{given}` is a directory")
        if not path.is_file():
            raise Unusable(f"`{given}` is not a regular file")
        size = path.stat().st_size
    except OSError as error:
        raise Unusable(f"`{given}` cannot be read: {error.strerror}") from error
    if size == 0:
        raise Unusable(f"`{given}` is empty")
    if size > LARGEST:
        raise Unusable(f"`{given}` is larger than {LARGEST // 1024**3} GB, the most that is read")
    return path
