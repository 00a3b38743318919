"""`codsl run --output -`: outputs as they come, for who reads them from a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from shell import codsl, environment, in_terminal

import forked


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.npy"
    np.save(path, np.random.default_rng(0).standard_normal((2, 40)).astype(np.float32))
    return path


def line(spec: Path, source: Path | str) -> list[str]:
    return ["run", str(spec), "--input", str(source), "--output", "-"]


def started(spec: Path, source: Path) -> list[str]:
    return [sys.executable, "-m", "codsl", *line(spec, source)]


def test_a_pipe_has_what_a_file_has_and_nothing_else(signal_spec: Path, clip: Path) -> None:
    file = clip.with_name("out.jsonl")
    kept = codsl("run", signal_spec, "--input", clip, "--output", file, "--verify")
    printed = codsl("run", signal_spec, "--input", clip, "--output", "-", "--verify")
    assert (kept.returncode, printed.returncode) == (0, 0)
    assert printed.stdout == file.read_text()
    assert len(printed.stdout.splitlines()) == 40
    said = printed.stderr
    assert [part.split()[0] for part in said.splitlines()] == [
        part.split()[0] for part in kept.stdout.splitlines()
    ]
    assert "written       standard output: a line of JSON for each" in said


def test_the_highest_channels_keep_their_labels(signal_spec: Path, clip: Path) -> None:
    labels = clip.with_name("labels.txt")
    labels.write_text("eins\nzwei\nfünf\n", "utf-8")
    printed = codsl("run", signal_spec, "--input", clip, "--output", "-", "--labels", labels)
    rows = [json.loads(each) for each in printed.stdout.splitlines()]
    assert {each["label"] for each in rows[0]["top"]} == {"eins", "zwei", "fünf"}


def test_each_comes_with_its_frame(signal_spec: Path) -> None:
    """The first output of a delay of 2 is there with the third frame, while the pipe is open."""
    frames = np.ones((5, 2), np.float32)
    (read, out), (given, write) = os.pipe(), os.pipe()
    with (
        os.fdopen(write, "wb") as frames_in,
        os.fdopen(read, "rb") as outputs,
        Path(os.devnull).open("wb") as nowhere,
    ):
        process = forked.begun(
            forked.command,
            *line(signal_spec, "-"),
            streams=(given, out, nowhere.fileno()),
            environment=environment(),
        )
        os.close(given)
        os.close(out)
        frames_in.write(frames[:3].tobytes())
        frames_in.flush()
        assert json.loads(outputs.readline())["frame"] == 2
        frames_in.write(frames[3:].tobytes())
        frames_in.close()
        assert [json.loads(each)["output"] for each in outputs] == [1, 2, 3, 4]
        assert forked.ended(process) == 0


def test_a_pipe_that_ends_within_a_frame(signal_spec: Path) -> None:
    cut = np.ones((4, 2), np.float32).tobytes()[:-2]
    ran = forked.done(forked.command, *line(signal_spec, "-"), given=cut, environment=environment())
    assert ran.returncode == 2
    assert len(ran.stdout.splitlines()) == 1
    assert b"after 3 frames 1 output written to standard output" in ran.stderr


def test_a_reader_that_goes_away_ends_the_stream_quietly(signal_spec: Path, clip: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        ran = subprocess.run(
            started(signal_spec, clip),
            stdout=gone,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
        )
    assert ran.returncode == 141
    assert [part.split()[0] for part in ran.stderr.splitlines()] == [
        *(b"network", b"weights", b"input")
    ]


def test_a_full_disk_is_said(signal_spec: Path, clip: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here to write to")
    with full.open("wb") as out:
        ran = subprocess.run(
            started(signal_spec, clip),
            stdout=out,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
        )
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[3:] == [b"codsl run: error: No space left on device"]


def test_in_a_terminal_no_bar_runs_through_them(signal_spec: Path, clip: Path) -> None:
    status, shown = in_terminal(*line(signal_spec, clip))
    assert status == 0
    assert "40/40" not in shown
    assert shown.count('{"output": ') == 40
