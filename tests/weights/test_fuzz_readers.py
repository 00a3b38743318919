"""Every reader over files that are broken at random, and a fuzzer that sees what is wrong."""

import os
import pickle
from pathlib import Path
from typing import Any

import fuzzing
import hostility
import pytest

from codsl.weights.formats.format import Format

SECONDS = 1
"""Of processor time for one format."""


@pytest.mark.parametrize("row", fuzzing.ROWS, ids=lambda row: row.format.name)
def test_a_broken_file_is_refused_or_read(row: fuzzing.Row) -> None:
    result = fuzzing.fuzz(row, SECONDS)
    assert result.findings == []
    assert sum(result.counts.values()) > 20
    assert result.counts["E0601"] > 0


def test_the_honest_files_are_read(tmp_path: Path) -> None:
    for row in fuzzing.ROWS[:1] + fuzzing.ROWS[2:]:
        path = tmp_path / f"a{row.suffix}"
        path.write_bytes(row.seeds()[0])
        assert fuzzing.tried(row.format.read, path) == ("read", [])


def crashing(path: Path) -> Any:
    raise KeyError(path.stat().st_size)


def calling(path: Path) -> Any:
    del path
    pickle.loads(pickle.dumps(hostility.Calls()))
    Path("canary").rmdir()
    return {}


def writing(path: Path) -> Any:
    path.with_suffix(".cache").write_text("")
    return {}


def growing(path: Path) -> Any:
    del path
    return bytes(2 * fuzzing.MEMORY)


def starting(path: Path) -> Any:
    del path
    os.system("true")
    return {}


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (crashing, "KeyError"),
        (calling, "os.mkdir"),
        (writing, "open"),
        (growing, "MemoryError"),
        (starting, "os.system"),
    ],
)
def test_a_reader_that_does_wrong_is_found(read: Any, words: str) -> None:
    format = Format("wrong", (".wrong",), lambda _: True, lambda _: {})
    row = fuzzing.Row(format, ".npy", lambda: [hostility.npy(1.0)])
    object.__setattr__(format, "read", sometimes(read))
    result = fuzzing.fuzz(row, 5, most=3)
    assert any(words in finding for finding in result.findings)


def sometimes(read: Any) -> Any:
    """A reader that behaves until the first broken file comes."""
    seen: list[Path] = []

    def reader(path: Path) -> Any:
        seen.append(path)
        return read(path) if len(seen) > 1 else {}

    return reader
