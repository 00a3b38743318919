"""Clips in `.npy` files, `(C, T, *S)` as inputs are written; pickles are never read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray

from codsl.algebra.shape import Frame
from codsl.media.footage import ALL, Footage, Unusable, Wanted, untimed

MAGIC = b"\x93NUMPY"

BROKEN = (ValueError, SyntaxError, TokenError, OverflowError, RecursionError, MemoryError)
"""What numpy raises on a broken header, which is read by Python's own parser."""


def is_array(path: Path) -> bool:
    """Whether a file is, or claims to be, an `.npy`."""
    if path.suffix.lower() == ".npy":
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise Unusable(f"`{path}` cannot be read: {error.strerror}") from error


@contextmanager
def array(path: Path, frame: Frame, wanted: Wanted = ALL) -> Iterator[Footage]:
    """The frames of an `.npy` that holds floats, or ids as integers, `(C, T, *S)` or with a batch
    of one before it.

    It is read as it is used; values pass unchanged, in float64 where float32 has fewer digits.
    """
    untimed("an array", wanted)
    clip = _mapped(path)
    if clip.dtype.kind not in ("fiu" if wanted.ids else "f"):
        raise Unusable(f"`{path}` holds {clip.dtype}; a clip is of floats, pictures from 0 to 1")
    if clip.dtype.itemsize > 8:
        raise Unusable(f"`{path}` holds {clip.dtype}; float64 is the most that is read")
    shape = clip.shape[1:] if clip.ndim == 2 + frame.rank and clip.shape[0] == 1 else clip.shape
    if len(shape) != 1 + frame.rank or (shape[0], *shape[2:]) != frame.shape:
        found = " x ".join(map(str, clip.shape)) or "a single number"
        raise Unusable(f"`{path}` is {found}, the network takes {frame}")
    if shape[1] == 0:
        raise Unusable(f"`{path}` has no frames")
    clip = clip.reshape(shape)
    words = f"{shape[1]} frames of {clip.dtype}"
    frames = (_frame(clip, at) for at in range(shape[1]))
    yield Footage(words, shape[1], frames, wanted.rate, double=_kind(clip) is np.float64)


def _frame(clip: NDArray[np.floating], at: int) -> NDArray[np.floating]:
    return np.array(clip[:, at], dtype=_kind(clip), order="C")


def _kind(clip: NDArray[np.floating]) -> type[np.floating]:
    """The precision that has all numbers of an array."""
    return np.float32 if np.can_cast(clip.dtype, np.float32) else np.float64


def _mapped(path: Path) -> NDArray[np.floating]:
    """The array of a file, mapped into memory."""
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise Unusable(f"`{path}` is not an .npy file")
        clip = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise Unusable(f"`{path}` cannot be read: {error.strerror or error}") from error
    except Unusable:
        raise
    except BROKEN as error:
        if "Python objects" in str(error):
            raise Unusable(f"`{path}` holds pickled objects; they are never read") from error
        raise Unusable(f"`{path}` is no sound .npy file, or has no frames") from error
    return clip
