"""Where the files that a spec imports are: in a folder that none of them leaves, or in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Protocol, final

from codsl.source import Source


class Outside(Exception):
    """A file lies where imports may not lead; the message says where in a plain sentence."""


class Files(Protocol):
    """The files beside a spec, named by their ways from it."""

    def open(self, name: str) -> Source:
        """The text of a file; raises `Outside`, or `ValueError` or `OSError` with a plain
        sentence where there is none to be had."""

    def identity(self, name: str) -> str:
        """What is the same for two names of one file, as with links."""


@final
@dataclass(frozen=True)
class Folder:
    """The files around the folder `at`, of which none may lie outside `root`."""

    at: Path
    root: Path

    def open(self, name: str) -> Source:
        """The text of a file, wherever links lead within the root."""
        path = self._path(name)
        if not path.is_relative_to(self.root.resolve()):
            where = "the folder of the spec" if self.root == self.at else f"`{self.root}`"
            raise Outside(f"lies outside {where}")
        return Source(normpath(self.at / name), Source.load(path).text)

    def identity(self, name: str) -> str:
        """The path of a file without links."""
        return str(self._path(name))

    def _path(self, name: str) -> Path:
        """Dots are taken off by name alone, so that a file means the same in memory."""
        try:
            return Path(normpath(self.at.resolve() / name)).resolve()
        except RuntimeError as error:
            raise ValueError("is a link that leads to itself") from error


@final
@dataclass(frozen=True)
class Texts:
    """Files that are in memory, which came out of the file `origin`."""

    origin: str
    texts: Mapping[str, str]

    def open(self, name: str) -> Source:
        """The text of a file."""
        if name not in self.texts:
            raise ValueError("there is no such file")
        return Source(f"{self.origin}/{name}", self.texts[name])

    def identity(self, name: str) -> str:
        """The name, as there are no links."""
        return name
