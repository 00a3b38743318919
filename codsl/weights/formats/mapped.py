"""The bytes of a file as memory, fetched where they are looked at, and as a file again."""

import io
import mmap
from pathlib import Path
from typing import Any

from codsl.weights.formats.doubt import Broken
from codsl.weights.formats.file import File


def mapped(path: Path) -> memoryview:
    """The bytes of an ordinary file. Raises `Broken` where there are none."""
    there = File.at(path)
    if there.size == 0:
        raise Broken("it is empty")
    with there.opened() as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


class Window(io.RawIOBase):
    """Bytes in memory as a file that is only read."""

    def __init__(self, data: memoryview) -> None:
        super().__init__()
        self.data = data
        self.at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        place = offset + (0, self.at, len(self.data))[whence]
        if place < 0:
            raise OSError("a place before the beginning")
        self.at = place
        return place

    def readinto(self, buffer: Any) -> int:
        piece = self.data[self.at : self.at + len(buffer)]
        buffer[: len(piece)] = piece
        self.at += len(piece)
        return len(piece)
