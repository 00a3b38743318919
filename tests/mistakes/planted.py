"""A mistake in a spec, where it is, and what becomes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import codsl
from codsl.diagnostics import Diagnostic, Help
from codsl.mending import edited
from codsl.pipeline import inspect
from codsl.source import Source

SPECS = Path(__file__).parent / "specs"
NETWORKS = Path(__file__).parents[2] / "networks"
OPEN, CLOSE = "«»"


@dataclass(frozen=True)
class Planted:
    """A spec, one of these or a shipped one, in which `old`, which stands there once, is `new`.

    The culprit is between « and » in `new`, or in `culprit`, which then stands once in the result.
    """

    kind: str
    spec: str
    old: str
    new: str
    culprit: str = ""

    @property
    def _path(self) -> Path:
        here = SPECS / self.spec
        return here if here.exists() else NETWORKS / self.spec

    @cached_property
    def _marked(self) -> str:
        """The text with the culprit between its marks."""
        text = self._path.read_text("utf-8")
        assert text.count(self.old) == 1, f"{self.spec}: {self.old!r}: {text.count(self.old)} times"
        text = text.replace(self.old, self.new)
        if self.culprit:
            plain = _plain(self.culprit)
            assert text.count(plain) == 1, f"{self.spec}: {plain!r}: {text.count(plain)} times"
            text = text.replace(plain, self.culprit)
        assert text.count(OPEN) == text.count(CLOSE) == 1, f"{self.spec}: {self.new!r}"
        return text

    @property
    def text(self) -> str:
        """The spec with the mistake in it."""
        return _plain(self._marked)

    @property
    def place(self) -> tuple[int, int]:
        """Where the culprit stands."""
        start = self._marked.index(OPEN)
        return start, self._marked.index(CLOSE) - 1

    @cached_property
    def found(self) -> tuple[Diagnostic, ...]:
        """What is said of it."""
        return diagnostics(self.text, str(self._path))

    @property
    def exact(self) -> bool:
        """Whether the culprit is what is pointed at."""
        span = self.found[0].span if self.found else None
        return span is not None and (span.start, span.end) == self.place

    @property
    def alone(self) -> bool:
        """Whether one thing is said of the one mistake."""
        return len(self.found) == 1

    @property
    def mended(self) -> str | None:
        """The text after the first remedy that is an edit; None where there is no such."""
        remedy = first_edit(self.found)
        return edited(self.text, remedy.edits) if remedy else None

    @property
    def mends(self) -> bool:
        """Whether the spec checks after that."""
        text = self.mended
        return text is not None and not errors(text, str(self._path))

    def __str__(self) -> str:
        return f"{self.kind}, in {self.spec}"


def _plain(text: str) -> str:
    return text.replace(OPEN, "").replace(CLOSE, "")


def kind(name: str, *planted: tuple[str, ...]) -> Iterable[Planted]:
    """Mistakes of one kind."""
    return (Planted(name, *each) for each in planted)


def first_edit(found: Iterable[Diagnostic]) -> Help | None:
    """The first remedy that is an edit."""
    return next((help_ for each in found for help_ in each.helps if help_.edits), None)


def diagnostics(text: str, name: str) -> tuple[Diagnostic, ...]:
    """Mistakes and warnings of a spec."""
    try:
        return inspect(Source(name, text))[1]
    except codsl.SpecError as error:
        return error.diagnostics


def errors(text: str, name: str) -> list[Diagnostic]:
    """Its mistakes."""
    return [each for each in diagnostics(text, name) if each.severity == "error"]
