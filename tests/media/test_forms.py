"""Outputs as files: numbers, when they are due, and the labels of the highest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from codsl.algebra.shape import Frame
from codsl.media.classes import Classes, read_labels
from codsl.media.footage import Unusable
from codsl.media.forms import Stamps
from codsl.media.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path

ITEMS = np.array([[0.1, 0.7, 0.2], [0.5, np.nan, 0.5]], np.float32)


def kept(path: Path, frame: Frame, items: Any, stamps: Stamps) -> Path:
    with Recording(path, frame, "float32", stamps) as recording:
        for item in items:
            recording.add(item)
        recording.save()
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_an_archive_says_when(tmp_path: Path) -> None:
    items = np.arange(24, dtype=np.float32).reshape(3, 2, 4)
    stamps = Stamps(lambda index: 5 + 2 * index, 10.0)
    with np.load(kept(tmp_path / "a.npz", Frame(2, (4,)), items, stamps)) as found:
        np.testing.assert_array_equal(found["outputs"], items.swapaxes(0, 1))
        assert found["frames"].tolist() == [5, 7, 9]
        assert found["seconds"].tolist() == [0.5, 0.7, 0.9]
    with np.load(kept(tmp_path / "b.npz", Frame(2, (4,)), items, Stamps())) as found:
        assert sorted(found) == ["frames", "outputs"]


def test_a_line_for_each_output(tmp_path: Path) -> None:
    stamps = Stamps(lambda index: 3 + index, 2.0)
    first, second = lines(kept(tmp_path / "a.jsonl", Frame(3), ITEMS, stamps))
    assert list(first) == ["output", "frame", "seconds", "values"]
    assert (first["output"], first["frame"], first["seconds"]) == (0, 3, 1.5)
    assert first["values"] == ITEMS[0].tolist()
    assert second["values"] == [0.5, None, 0.5]


def test_lines_of_the_highest(tmp_path: Path) -> None:
    stamps = Stamps(classes=Classes(2, ("cat", "dög", "<b>")))
    first, second = lines(kept(tmp_path / "a.jsonl", Frame(3), ITEMS, stamps))
    assert [each["label"] for each in first["top"]] == ["dög", "<b>"]
    assert [each["index"] for each in second["top"]] == [0, 2]
    assert first["top"][0]["score"] == pytest.approx(0.7)
    assert "seconds" not in first
    assert "values" not in first
    plain = lines(kept(tmp_path / "b.jsonl", Frame(3), ITEMS, Stamps(classes=Classes(1))))
    assert list(plain[0]["top"][0]) == ["index", "score"]


@pytest.mark.parametrize("text", ["cat\n dog\r\nmouse\n\n", '["cat", "dog", "mouse"]'])
def test_labels_are_lines_or_json(text: str, tmp_path: Path) -> None:
    (tmp_path / "labels").write_text(text)
    assert read_labels(tmp_path / "labels") == ("cat", "dog", "mouse")


@pytest.mark.parametrize("text", ["[PAD]\ncat\n", "{unk}\n[PAD]\n", "[" * 100_000])
def test_labels_may_begin_as_json_does(text: str, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(text)
    assert read_labels(tmp_path / "labels.txt") == tuple(text.split())


@pytest.mark.parametrize("text", ["[PAD]\ncat\n", '["cat"', "cat\n", "[" * 100_000])
def test_what_is_named_json_is_json(text: str, tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(Unusable, match="no sound JSON"):
        read_labels(tmp_path / "labels.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no labels"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b'["cat", 3]', "a list of texts"),
        (b'{"0": "cat"}', "a list of texts"),
        (None, "cannot be read"),
    ],
)
def test_labels_that_are_none(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "labels"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unusable, match=said):
        read_labels(path)
