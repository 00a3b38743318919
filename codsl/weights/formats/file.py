"""An ordinary file: its claims are held against its size, and it is opened anew for each read."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np

from codsl.weights.entry import Array, Entry
from codsl.weights.formats.dtypes import DType
from codsl.weights.refusal import oversized, unreadable

RANKS = 32
"""Dimensions of a tensor at most, as NumPy 1 has it."""
NODES = 1_000_000
"""Tensors, names and other values of one file at most."""
DEPTH = 64
"""Levels at most that what a file holds is nested in."""

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class File:
    """A file that was there, of `size` bytes, when it was first looked at."""

    path: Path
    size: int
    stamp: Stamp = field(repr=False)

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> "File":
        """Refuses folders, pipes and devices (E0601), none of which is opened."""
        with _opened(Path(path).absolute()) as stream:
            stamp = _stamp(stream)
        return cls(Path(path).absolute(), stamp[2], stamp)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Its bytes; E0601 where it is another file by now, or where reading fails."""
        with _opened(self.path) as stream:
            if _stamp(stream) != self.stamp:
                raise unreadable(self.path, "it has changed since it was first looked at")
            try:
                yield stream
            except OSError as error:
                raise unreadable(self.path, _reason(error)) from error

    def slice(self, start: int, count: int) -> bytes:
        """`count` bytes from `start` on, or those that are left."""
        with self.opened() as stream:
            stream.seek(start)
            return stream.read(count)

    def entry(self, start: int, shape: tuple[int, ...], dtype: DType) -> Entry:
        """A tensor in row-major order whose first byte is `start`; the end was checked before."""

        def read() -> Array:
            with self.opened() as stream:
                stream.seek(start)
                return filled(self.path, stream, shape, dtype)

        return Entry(shape, dtype.newbyteorder("="), read)


def filled(path: Path, stream: IO[bytes], shape: tuple[int, ...], dtype: DType) -> Array:
    """The numbers of a tensor in row-major order, from where the stream is, in native order."""
    array = np.empty(shape, dtype)
    octets = array.reshape(-1).view(np.uint8).data
    done = 0
    while done < len(octets):
        count = stream.readinto(octets[done : done + (1 << 20)])  # type: ignore[attr-defined]
        if not count:
            raise unreadable(path, f"it is cut short: {len(octets) - done} bytes are missing")
        done += count
    return native(array)


def native(array: Array) -> Array:
    """The same numbers in the byte order of this machine; of booleans, all but zero is true."""
    if array.dtype == np.bool_:
        return cast(Array, array.view(np.uint8) != 0)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def measure(path: Path, name: str, shape: tuple[int, ...], dtype: DType) -> int:
    """Bytes of a tensor that a file claims to hold; E0603 where no array is of such a shape."""
    if len(shape) > RANKS:
        raise unreadable(path, f"tensor `{name}` has {len(shape)} dimensions, more than {RANKS}")
    if prod(max(1, each) for each in shape) * dtype.itemsize >= 1 << 63:
        raise oversized(path, f"tensor `{name}` has more numbers than can be counted")
    return prod(shape) * dtype.itemsize


def sizes(path: Path, name: str, value: Any) -> tuple[int, ...]:
    """A shape as a file writes it; E0601 where it is none."""
    whole = isinstance(value, list | tuple) and all(type(each) is int for each in value)
    if not whole or any(each < 0 for each in value):
        raise unreadable(path, f"the shape of tensor `{name}` is no list of sizes")
    return tuple(value)


def check_name(path: Path, name: str) -> None:
    """Refuse a name that cannot be shown: with controls, turns of direction, halves of letters."""
    if not name.isprintable():
        raise unreadable(path, f"the name {name[:80]!a} has characters that cannot be shown")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        _refuse_unordinary(path, path.stat().st_mode)
        handle = os.open(path, os.O_RDONLY | _flag("O_NONBLOCK") | _flag("O_BINARY"))
    except (OSError, ValueError) as error:
        raise unreadable(path, _reason(error)) from error
    with os.fdopen(handle, "rb") as stream:
        _refuse_unordinary(path, os.fstat(handle).st_mode)
        yield stream


def _refuse_unordinary(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise unreadable(path, "it is a folder")
    if not stat.S_ISREG(mode):
        raise unreadable(path, "it is no ordinary file")


def _flag(name: str) -> int:
    """A flag of `os.open` that not every system has."""
    flag: int = getattr(os, name, 0)
    return flag


def _stamp(stream: BinaryIO) -> Stamp:
    status = os.fstat(stream.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
