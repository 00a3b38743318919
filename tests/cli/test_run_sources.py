"""`codsl run` on sound, pipes and parts of videos, and what it says of classes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from shell import codsl, environment, in_terminal

import codsl as package
import forked
from codsl.cli.main import main
from media.sounds import tone, write

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """codsl 1
network heard {
  input (1, T) rate 4000
  stft(64, 40)
  mel(6, 4000)
  log(eps=1e-6)
  conv = conv1d(8, 3, padding="causal")
  relu
  head = conv1d(3, 1)
  softmax
}
"""
STEP, WINDOW = 40, 64


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "heard.codsl"
    path.write_text(SPEC)
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("yes\nno\n[red]maybe\n")
    return path


def whole(spec: Path, samples: np.ndarray) -> np.ndarray:
    torch.manual_seed(0)
    net = package.build(spec).eval()
    with torch.inference_mode():
        return net(torch.from_numpy(samples.astype(np.float32))[None, None])[0].numpy()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_wav_becomes_lines_with_labels(
    spec: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, output = write(tmp_path / "a.wav", tone(440, 4000)[None], 4000), tmp_path / "o.jsonl"
    line = ["run", str(spec), "--input", str(clip), "--output", str(output), "--verify"]
    assert main([*line, "--labels", str(labels), "--top-k", "2"]) == 0
    said = capsys.readouterr().out
    assert "sound, 4000 samples a second" in said
    assert f"first output  at frame {WINDOW - 1}; declared delay {WINDOW - 1}" in said
    assert "stream = clip" in said
    found = lines(output)
    wanted = whole(spec, np.round(tone(440, 4000) * 32767) / 32768)
    assert [each["frame"] for each in found] == [
        WINDOW - 1 + STEP * index for index in range(wanted.shape[1])
    ]
    assert found[2]["seconds"] == pytest.approx((WINDOW - 1 + 2 * STEP) / 4000, abs=1e-6)
    names = ("yes", "no", "[red]maybe")
    for index, each in enumerate(found):
        best = np.argsort(-wanted[:, index])[:2]
        assert [top["label"] for top in each["top"]] == [names[at] for at in best]
        scores = [top["score"] for top in each["top"]]
        np.testing.assert_allclose(scores, wanted[best, index], atol=5e-6)
    assert f"last          frame {found[-1]['frame']}, " in said


def test_a_pipe_is_what_the_file_is(spec: Path, tmp_path: Path) -> None:
    numbers = np.round(tone(300, 4000) * 32767).astype("<i2")
    output = tmp_path / "o.npz"
    line = ["run", str(spec), "--input", "-", "--raw", "s16le", "--output", str(output)]
    ran = forked.done(
        forked.command,
        *(*line, "--start", "0.1s"),
        given=numbers.tobytes(),
        environment=environment(),
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == b""
    assert "s16le from a pipe, from frame 400 on" in ran.stdout.decode()
    with np.load(output) as found:
        wanted = whole(spec, numbers[400:] / 32768)
        np.testing.assert_allclose(found["outputs"], wanted, atol=5e-6)
        assert found["frames"][0] == WINDOW - 1


def test_a_video_in_parts(
    video_spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "o.npz"
    line = ["run", str(video_spec), "--input", "demo", "--output", str(output), "--verify"]
    assert main([*line, "--fps", "30/4", "--start", "2s", "--frames", "12"]) == 0
    said = capsys.readouterr().out
    assert "7.5 a second taken, from 2 s on" in said
    assert "frames        12 in" in said
    with np.load(output) as found:
        assert found["outputs"].shape == (2, 6, 12, 16)
        np.testing.assert_allclose(found["seconds"], found["frames"] / 7.5)
    assert main([*line, "--force", "--start", "59"]) == 0
    assert "frames        1 in" in capsys.readouterr().out
    for start in ("60", "4s"):
        assert main([*line, "--force", "--start", start]) == 2
        assert "behind the end" in capsys.readouterr().err


def test_many_outputs_a_frame_are_streamed(tmp_path: Path) -> None:
    spec, clip, output = tmp_path / "up.codsl", tmp_path / "c.npy", tmp_path / "o.jsonl"
    spec.write_text("codsl 1\nnetwork up { input (2, T) rate 10 upsample(3) }\n")
    np.save(clip, np.ones((2, 4), np.float32))
    line = ["run", str(spec), "--input", str(clip), "--output", str(output), "--verify"]
    assert main(line) == 0
    assert [each["frame"] for each in lines(output)] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--top-k", "0"], "`0` is not a whole number"),
        (["--start", "-1"], "neither a frame"),
        (["--start", "1.5"], "neither a frame, `40`, nor a second, `2.5s`"),
        (["--fps", "0"], "not a number of frames a second"),
        (["--fps", "1/0"], "not a number of frames a second"),
        (["--raw", "yuv420p"], "invalid choice"),
    ],
)
def test_arguments_that_cannot_be(
    words: list[str], said: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["run", str(spec), "--input", "demo", *words])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_classes_must_fit(
    spec: Path, labels: Path, video_spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels.write_text("yes\nno\n")
    clip = spec.with_name("c.npy")
    np.save(clip, np.zeros((1, 400), np.float32))
    cases = [
        ([spec, "--input", clip, "--labels", labels], "has 2 labels for 3 channels"),
        ([spec, "--input", clip, "--labels", labels.with_name("no")], "cannot be read"),
        ([video_spec, "--input", "demo", "--top-k", "2"], "for outputs without space"),
        ([spec, "--input", clip, "--fps", "9"], "an array is taken frame by frame"),
    ]
    for words, said in cases:
        assert main(["run", *map(str, words)]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1


def test_footage_of_another_rate_is_told(
    video_spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is left out or repeated unasked, and the delay in seconds is another."""
    text = video_spec.read_text()
    words = ["run", str(video_spec), "--input", "demo", "--frames", "9"]
    said = []
    for rate in ("30", "15"):
        video_spec.write_text(text.replace("rate 15", f"rate {rate}"))
        assert main(words) == 0
        said.append("the spec has" in capsys.readouterr().out)
    assert said == [True, False]


def test_seconds_need_a_rate(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "c.npy"
    np.save(clip, np.zeros((1, 4000), np.float32))
    line = ["run", str(spec), "--input", str(clip), "--start", "0.5s"]
    assert main(line) == 0
    assert "from frame 2000 on" in capsys.readouterr().out
    spec.write_text(SPEC.replace(" rate 4000", ""))
    assert main(line) == 2
    assert "the spec names no rate" in capsys.readouterr().err


def test_the_last_outputs_are_seen_in_a_terminal(spec: Path, labels: Path, tmp_path: Path) -> None:
    clip = write(tmp_path / "a.wav", tone(440, 4000)[None], 4000)
    status, shown = in_terminal("run", spec, "--input", clip, "--labels", labels, columns=100)
    assert status == 0
    assert "2000/2000" in shown
    assert shown.count("[red]maybe") > 1
    piped = codsl("run", spec, "--input", clip, "--labels", labels)
    assert piped.stdout.count("[red]maybe") == 1
    assert piped.stderr == ""
