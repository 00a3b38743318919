"""Frames of a medium as a network takes them, and which files are looked at."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
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
    """Frames in order, each float32 `(C, *S)`; `count` is how many, as far as that is known."""

    words: str
    count: int | None
    frames: Iterator[NDArray[np.float32]]


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
