"""Writing a file all at once: the old one or the whole new one, whatever goes wrong."""

import os
from pathlib import Path

import pytest

from codsl.writing import in_place


def written(path: Path, text: str) -> None:
    with in_place(path) as part:
        part.write_text(text)


def test_all_is_on_the_disk_before_it_takes_the_old_one_s_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, str]] = []
    target = tmp_path / "file"
    target.write_text("old")
    monkeypatch.setattr(
        os, "fsync", lambda file: seen.append((os.fstat(file).st_size, target.read_text()))
    )
    written(target, "brand new")
    assert seen == [(len("brand new"), "old")]
    assert target.read_text() == "brand new"


def test_what_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int) -> None:
        raise OSError(28, "no space left")

    target = tmp_path / "file"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        written(target, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert target.read_text() == "old"


def test_a_writer_that_is_interrupted_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupted() -> None:
        with in_place(tmp_path / "file") as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_one_and_who_may_read_stays_too(tmp_path: Path) -> None:
    target, link = tmp_path / "file", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to("file")
    written(link, "new")
    assert link.is_symlink()
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", 0o640)


def test_what_is_no_plain_file_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no plain file"):
        written(tmp_path / "pipe", "new")
    assert [(path.name, path.is_fifo()) for path in tmp_path.iterdir()] == [("pipe", True)]
