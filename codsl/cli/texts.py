"""Specs as texts on the command line: read from files or standard input, and written."""

import io
import sys
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

from codsl.cli.misuse import Misuse
from codsl.diagnostics import Findings
from codsl.pipeline import open_source
from codsl.source import LARGEST, Source
from codsl.writing import in_place

STDIN = "-"
"""What stands for standard input and standard output."""

SURFACES = {".codsl": "text", ".yaml": "yaml", ".yml": "yaml"}
"""What files of a name are written in."""


def load(name: str) -> Source:
    """The text of a file, or of standard input.

    Raises `SpecError` where a file cannot be read, `Misuse` where standard input is no text.
    """
    if name == STDIN:
        try:
            return Source("<stdin>", sys.stdin.buffer.read(LARGEST + 1).decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise Misuse(f"standard input is not UTF-8 text: byte {error.start}") from error
    findings = Findings()
    source = open_source(Path(name), findings)
    findings.settle()
    if source is None:
        raise RuntimeError("a file gave neither a text nor a mistake")
    return source


def show(text: str) -> None:
    """Print a spec as it is, in UTF-8 wherever it goes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    print(text, end="")


def put(path: Path, text: str) -> None:
    """Write a file, all at once. Raises `Misuse` where it cannot be written."""
    try:
        with in_place(path) as part:
            part.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise Misuse(f"`{path}` cannot be written: {error.strerror or error}") from error


def surface_of(to: str | None, output: Path | None) -> str | None:
    """What to write, if it is said; files are read as their names say."""
    named = SURFACES.get(output.suffix) if output else None
    if to and named and to != named:
        raise Misuse(f"`{output}` is named after {named}, not {to}")
    return to or named


def difference(old: str, new: str, name: str) -> Iterator[str]:
    """A unified diff, as `patch` takes it."""
    before, after = (text.splitlines(keepends=True) for text in (old, new))
    for line in unified_diff(before, after, name, name):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
