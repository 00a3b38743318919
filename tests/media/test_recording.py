"""Outputs are written whole or not at all, and nothing else is left behind."""

import os
from pathlib import Path

import numpy as np
import pytest

from codsl.algebra.shape import Frame
from codsl.media.recording import Recording


@pytest.mark.parametrize("frame", [Frame(3), Frame(2, (4,)), Frame(1, (2, 3))])
def test_items_become_a_clip(frame: Frame, tmp_path: Path) -> None:
    items = np.random.default_rng(0).standard_normal((7, *frame.shape)).astype(np.float32)
    path = tmp_path / "out.npy"
    with Recording(path, frame, "float32") as recording:
        for item in items:
            recording.add(item)
        assert list(tmp_path.iterdir()) == []
        recording.save()
    assert list(tmp_path.iterdir()) == [path]
    saved = np.load(path, allow_pickle=False)
    assert saved.dtype == np.float32
    np.testing.assert_array_equal(saved, items.swapaxes(0, 1))


def test_an_item_cut_short_is_left_out(tmp_path: Path) -> None:
    with Recording(tmp_path / "out.npy", Frame(2), "float64") as recording:
        recording.add(np.ones(2))
        recording._spool.write(b"half")
        recording.save()
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), np.ones((2, 1)))


def test_what_was_there_stays_where_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.npy"
    path.write_bytes(b"precious")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with Recording(path, Frame(2), "float32") as recording:
        recording.add(np.ones(2))
        monkeypatch.setattr(np.lib.format, "write_array_header_1_0", fail)
        with pytest.raises(KeyboardInterrupt):
            recording.save()
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_has_the_usual_permissions(tmp_path: Path) -> None:
    with Recording(tmp_path / "out.npy", Frame(2), "float32") as recording:
        recording.add(np.ones(2))
        recording.save()
    (tmp_path / "other").touch()
    assert (tmp_path / "out.npy").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(2)):
        Recording(tmp_path / "no" / "out.npy", Frame(2), "float32")
