"""A text with a name, and the places in it."""

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

LARGEST = 4 * 1024 * 1024
"""Bytes of a spec at most; ten thousand written layers need one megabyte."""


@dataclass(frozen=True, eq=False)
class Source:
    """A spec as it was written: `name` is its path, or a word in angle brackets."""

    name: str
    text: str

    @classmethod
    def load(cls, path: str | Path) -> "Source":
        """The UTF-8 text of a file.

        Raises `ValueError` or `OSError` with a plain sentence where there is none to be had.
        """
        path = Path(path)
        if path.is_dir():
            raise ValueError("is a directory, not a spec")
        if not path.exists():
            raise ValueError("there is no such file")
        if not path.is_file():
            raise ValueError("is not a regular file")
        if path.stat().st_size > LARGEST:
            raise ValueError(f"is larger than {LARGEST // 1024**2} MB, the most that is read")
        raw = path.read_bytes()
        try:
            return cls(str(path), raw.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise ValueError(f"is not UTF-8 text: byte {error.start} cannot be read") from error

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        at = self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def start(self, number: int) -> int:
        """The first character of a line."""
        return self._starts[number - 1]

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        start = self._starts[number - 1]
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r")

    def span(self, start: int, end: int) -> "Span":
        """The characters from `start` up to `end`."""
        return Span(self, start, end)


@dataclass(frozen=True)
class Span:
    """A stretch of a source: characters `start` up to, not including, `end`.

    `barred` is what no edit may put there, as the quotes around it; an empty text bars all.
    """

    source: Source
    start: int
    end: int
    barred: str | None = field(default=None, compare=False)

    @property
    def line(self) -> int:
        """The line of its first character, from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column of its first character, from 1."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """What is written there."""
        return self.source.text[self.start : self.end]

    def within(self, text: str) -> "Span":
        """Where `text` first stands in it, as a word in its quotes; itself where it does not."""
        at = self.text.find(text) if text and self.barred != "" else -1
        start = self.start + at
        return self if at < 0 else replace(self, start=start, end=start + len(text))

    def admits(self, replacement: str) -> bool:
        """Whether an edit may put this there."""
        return self.barred is None or self.barred not in replacement
