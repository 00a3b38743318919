"""The examples run, and say of themselves that stream and clip agree."""

import re
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
QUICK = {
    "by_hand.py": [],
    "cameras.py": ["--ticks", "34"],
    "train_tcn.py": ["--steps", "25"],
}
"""Each with the arguments that make it small."""


def run(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    path = str(EXAMPLES / name)
    monkeypatch.setattr("sys.argv", [path, *QUICK[name]])
    runpy.run_path(path, run_name="__main__")
    return capsys.readouterr().out


def test_every_example_is_tried() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(QUICK)


def test_a_network_is_trained_on_clips_and_streamed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run("train_tcn.py", capsys, monkeypatch)
    clips, stream = re.findall(r"^accuracy of the \w+ +(0\.\d{4})$", told, flags=re.MULTILINE)
    assert clips == stream
    assert float(clips) > 0.8


def test_networks_by_hand_are_streamed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run("by_hand.py", capsys, monkeypatch)
    shapes = re.findall(r"(\([\d, ]+\)) from the clip, (\([\d, ]+\)) from the stream", told)
    assert len(shapes) == 2
    assert all(clip == stream for clip, stream in shapes)


def test_cameras_share_a_batch(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run("cameras.py", capsys, monkeypatch).splitlines()
    assert told[0] == "camera 0: 30 frames, 24 answers"
    assert told[-1].endswith("alone: the same answers")


@pytest.mark.parametrize("name", QUICK)
def test_a_stream_that_is_not_the_clip_ends_an_example(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.allclose", lambda *_, **__: False)
    with pytest.raises(SystemExit):
        run(name, capsys, monkeypatch)
