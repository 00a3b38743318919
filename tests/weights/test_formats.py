"""Which format a file is, and files that are none."""

import os
import socket
from pathlib import Path
from typing import Any

import hostility
import pytest
from fuzzing import ROWS
from readings import refused, written

from codsl.weights.formats.table import FORMATS, format_of
from codsl.weights.refusal import WeightsError


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.format.name)
def test_a_file_is_known_by_its_first_bytes_or_its_suffix(tmp_path: Path, row: Any) -> None:
    honest = row.seeds()[0]
    assert format_of(written(tmp_path, honest, "a.what")) is row.format
    for suffix in row.format.suffixes:
        assert format_of(written(tmp_path, honest, f"A{suffix.upper()}")) is row.format
        assert format_of(written(tmp_path, b"", f"b{suffix}")) is row.format


def test_every_format_is_broken_at_random() -> None:
    assert {row.format.name for row in ROWS} == {format.name for format in FORMATS}


def test_the_first_bytes_decide(tmp_path: Path) -> None:
    numpy = hostility.npz(**hostility.ARRAYS)
    assert format_of(written(tmp_path, numpy, "a.pt")).name == "NumPy"
    assert format_of(written(tmp_path, hostility.saved({}), "a.npz")).name == "PyTorch"


def test_what_is_unknown_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, b"what?", "a.what")
    with pytest.raises(WeightsError) as caught:
        format_of(path)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0601"
    for format in FORMATS:
        assert all(suffix in diagnostic.helps[0].text for suffix in format.suffixes)


READERS = [format_of, *(format.read for format in FORMATS)]
NAMES = ["table", *(format.name for format in FORMATS)]


def named_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "a.pt")
    return folder / "a.pt"


def door(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(folder / "a.pt"))
    return folder / "a.pt"


def ring(folder: Path) -> Path:
    (folder / "a.pt").symlink_to("a.pt")
    return folder / "a.pt"


PLACES: dict[str, tuple[str, Any]] = {
    "nothing": ("no such file", lambda folder: folder / "a.pt"),
    "a folder": ("it is a folder", lambda folder: folder),
    "a pipe": ("no ordinary file", named_pipe),
    "a socket": ("no ordinary file", door),
    "a device": ("no ordinary file", lambda _: Path("/dev/zero")),
    "a ring of links": ("too many levels", ring),
    "a NUL": ("null", lambda folder: folder / "a\0.pt"),
    "a long name": ("too long", lambda folder: folder / ("a" * 999)),
}


@pytest.mark.parametrize("read", READERS, ids=NAMES)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_file_is_refused(
    tmp_path: Path, place: str, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words, make = PLACES[place]
    with pytest.raises(WeightsError) as caught:
        read(make(tmp_path))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0601"
    assert words in diagnostic.message


def test_a_link_to_a_file_is_fine(tmp_path: Path) -> None:
    written(tmp_path, hostility.saved(hostility.state()), "a.pt")
    (tmp_path / "link.pth").symlink_to("a.pt")
    assert "conv.weight" in format_of(tmp_path / "link.pth").read(tmp_path / "link.pth")  # type: ignore[operator]


def test_the_refusal_of_one_path_names_it(tmp_path: Path) -> None:
    assert refused(format_of, tmp_path / "none.pt")[0] == "E0601"
