"""Outputs as they come, a line of JSON each, in a pipe."""

from types import TracebackType
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from codsl.media.forms import Stamps, line


class Lines:
    """Items `(C, *S)`, each of which is in the pipe once it is added.

    `add` raises `OSError` where the pipe does not take it: `BrokenPipeError` where nobody reads it.
    """

    def __init__(self, pipe: BinaryIO, stamps: Stamps) -> None:
        self.items = 0
        self._pipe = pipe
        self._stamps = stamps

    def __enter__(self) -> "Lines":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """The pipe stays open: it is another's."""

    @property
    def kept(self) -> str:
        """Where the items are."""
        return "written to standard output"

    @property
    def written(self) -> str:
        """Where the items are, and as what."""
        return "standard output: a line of JSON for each"

    def add(self, item: NDArray[np.floating]) -> None:
        """Write one more item."""
        self._pipe.write(line(self.items, item, self._stamps))
        self._pipe.flush()
        self.items += 1

    def save(self) -> None:
        """All of them are where they belong."""
