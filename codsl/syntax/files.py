"""Where the files that a spec imports are: in a folder that none of them leaves, or in memory."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from os.path import normpath
from pathlib import Path
from typing import Protocol, final

from codsl.source import Source

SUFFIXES = (".codsl", ".yaml", ".yml")
"""What the names of specs end in."""
MOST_BESIDE = 200
"""Specs of a folder at most among which one is looked for."""


class Outside(Exception):
    """A file lies where imports may not lead; the message says where in a plain sentence."""


class Files(Protocol):
    """The files beside a spec, named by their ways from it."""

    def open(self, name: str) -> Source:
        """The text of a file; raises `Outside`, or `ValueError` or `OSError` with a plain
        sentence where there is none to be had."""

    def identity(self, name: str) -> str:
        """What is the same for two names of one file, as with links."""

    def beside(self, name: str) -> list[str]:
        """The names of specs in the folder of a file, without the way to it."""


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

    def beside(self, name: str) -> list[str]:
        """Those in its folder, where that is not outside of the root."""
        try:
            folder = self._path(name).parent
        except (OSError, ValueError):
            return []
        if not folder.is_relative_to(self.root.resolve()) or not folder.is_dir():
            return []
        specs = (each for each in folder.iterdir() if each.suffix in SUFFIXES)
        return sorted(each.name for each in islice(specs, MOST_BESIDE))

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

    def beside(self, name: str) -> list[str]:
        """Those in the same folder."""
        folder = posixpath.dirname(name)
        same = (each for each in self.texts if posixpath.dirname(each) == folder)
        return sorted(map(posixpath.basename, same))
