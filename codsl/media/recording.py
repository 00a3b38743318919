"""Outputs as they come, on disk, and at the end all of them in one file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from codsl.algebra.shape import Frame
from codsl.media.forms import FORMS, Stamps


class Recording:
    """Items `(C, *S)` of one shape; `save` writes those that are whole, in the form that the ending
    of the path names.

    Until then they lie in a file without a name, which is gone however the program ends. All
    methods raise `OSError` where the folder does not take them.
    """

    def __init__(
        self, path: Path, frame: Frame, dtype: DTypeLike, stamps: Stamps | None = None
    ) -> None:
        self.path = path
        self.items = 0
        self._frame = frame
        self._stamps = stamps or Stamps()
        self.dtype = np.dtype(dtype)
        self._spool = TemporaryFile(dir=path.parent)  # noqa: SIM115

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._spool.close()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that `save` would write."""
        return (self._frame.channels, self.items, *self._frame.space)

    @property
    def kept(self) -> str:
        """Where the items are once they are saved."""
        return f"kept in {self.path}"

    @property
    def written(self) -> str:
        """Where the items are, and as what."""
        return f"{self.path}: {' x '.join(map(str, self.shape))}, {self.dtype}"

    def add(self, item: NDArray[np.floating]) -> None:
        """Keep one more item."""
        self._spool.write(np.ascontiguousarray(item, self.dtype).tobytes())
        self.items += 1

    def save(self) -> None:
        """Write the file whole or not at all, in the place of one that is there."""
        self._spool.flush()
        items = np.memmap(self._spool, self.dtype, "r", shape=(self.items, *self._frame.shape))
        with _whole(self.path) as file:
            FORMS[self.path.suffix](file, items, self._stamps)


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only once it is written to the end."""
    part = path.with_name(f".codsl-{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
