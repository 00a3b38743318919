"""`codsl run`: real files, frame by frame; what is kept, and what is refused."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from shell import SIGNAL, codsl, environment, in_terminal

import codsl as package
from codsl.cli import memory
from codsl.cli.main import main
from codsl.graph.graph import Graph
from codsl.media.arrays import array
from codsl.network import Network

RANDOM = np.random.default_rng(5)


def clip_of(path: Path, frames: int, channels: int = 2) -> Path:
    np.save(path, RANDOM.standard_normal((channels, frames)).astype(np.float32))
    return path


def built(spec: Path, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    return package.build(spec).eval()


def whole(spec: Path, clip: Path, seed: int = 0) -> np.ndarray:
    with torch.inference_mode():
        return built(spec, seed)(torch.from_numpy(np.load(clip))[None])[0].numpy()


def test_the_demo_clip_streams_as_it_runs_at_once(video_spec: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.npy"
    ran = codsl("run", video_spec, "--input", "demo", "--verify", "--output", output)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert "60 frames of 160 x 120 at 15 a second, resized to 16 x 12 (area)" in ran.stdout
    assert "fresh, seed 0" in ran.stdout
    assert "at frame 3; declared delay 3" in ran.stdout
    assert "30: 29 from steps, 1 at the end" in ran.stdout
    assert re.search(r"60 in [0-9.]+ s, [0-9.]+ a second", ran.stdout)
    assert "stream = clip" in ran.stdout
    outputs = np.load(output)
    assert (outputs.shape, outputs.dtype) == ((2, 30, 12, 16), np.float32)
    assert outputs.std() > 1e-3


def test_an_array_gives_what_the_clip_gives(signal_spec: Path, tmp_path: Path) -> None:
    clip = clip_of(tmp_path / "clip.npy", 40)
    output = tmp_path / "out.npy"
    assert main(["run", str(signal_spec), "--input", str(clip), "--output", str(output)]) == 0
    expected = whole(signal_spec, clip)
    assert expected.shape == (3, 40)
    np.testing.assert_allclose(np.load(output), expected, rtol=0, atol=5e-6)
    assert sorted(tmp_path.iterdir()) == [clip, output, signal_spec]


def test_the_seed_draws_the_weights(signal_spec: Path, tmp_path: Path) -> None:
    clip = clip_of(tmp_path / "clip.npy", 20)
    output = tmp_path / "out.npy"
    line = ["run", str(signal_spec), "--input", str(clip), "--output", str(output), "--seed", "7"]
    assert main(line) == 0
    np.testing.assert_allclose(np.load(output), whole(signal_spec, clip, 7), rtol=0, atol=5e-6)
    assert np.abs(np.load(output) - whole(signal_spec, clip)).max() > 1e-2


def test_frames_stops_early_and_still_flushes(
    signal_spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = clip_of(tmp_path / "clip.npy", 40)
    assert main(["run", str(signal_spec), "--input", str(clip), "--frames", "9", "--verify"]) == 0
    assert "9: 7 from steps, 2 at the end" in capsys.readouterr().out


def test_double_precision_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "double.yaml"
    spec.write_text(
        "codsl: 1\ninput: [2, T]\nlayers:\n"
        "  - conv1d: {out_channels: 3, kernel_size: 3, dtype: float64}\n"
    )
    clip, output = clip_of(tmp_path / "clip.npy", 12), tmp_path / "out.npy"
    line = ["run", str(spec), "--input", str(clip), "--output", str(output), "--verify"]
    assert main(line) == 0
    assert "1e-10 allowed" in capsys.readouterr().out
    assert np.load(output).dtype == np.float64


def test_verify_fails_where_the_clip_differs(
    signal_spec: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip = clip_of(tmp_path / "clip.npy", 20)
    line = ["run", str(signal_spec), "--input", str(clip), "--verify"]
    sound = Network.forward
    monkeypatch.setattr(Network, "forward", lambda self, x: sound(self, x) + 1e-4)
    assert main(line) == 1
    assert "FAILED: stream and clip are 0.0001" in capsys.readouterr().out
    monkeypatch.setattr(Network, "forward", lambda self, x: sound(self, x)[:, :, 1:])
    assert main(line) == 1
    assert "FAILED: stream and clip differ in how many outputs" in capsys.readouterr().out
    monkeypatch.setattr(Network, "forward", lambda self, x: sound(self, x) * torch.nan)
    assert main(line) == 1
    assert "FAILED" in capsys.readouterr().out
    monkeypatch.setattr(Network, "forward", sound)
    monkeypatch.setattr(Graph, "begins", 1)
    assert main(line) == 1
    assert "another frame than declared" in capsys.readouterr().out


def test_the_first_output_may_come_before_the_delay_of_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, clip = tmp_path / "spec.codsl", clip_of(tmp_path / "clip.npy", 20)
    spec.write_text(
        "codsl 1\nnetwork n {\n input (2, T)\n up = conv_transpose1d(2, 4, stride=2, padding=1)\n"
        " down = conv1d(2, 3, stride=3)\n}\n"
    )
    assert main(["run", str(spec), "--input", str(clip), "--verify"]) == 0
    assert "at frame 1; declared delay 1" in capsys.readouterr().out


def test_a_clip_that_is_too_short(
    signal_spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "valid.yaml"
    spec.write_text(SIGNAL.replace("padding: same", "padding: 0"))
    clip, output = clip_of(tmp_path / "clip.npy", 4), tmp_path / "out.npy"
    line = ["run", str(spec), "--input", str(clip), "--output", str(output), "--verify"]
    assert main(line) == 1
    assert "4 frames are too few: `late` asks for 5" in capsys.readouterr().err
    assert not output.exists()


def test_an_output_is_only_replaced_by_force(signal_spec: Path, tmp_path: Path) -> None:
    clip, output = clip_of(tmp_path / "clip.npy", 20), tmp_path / "out.npy"
    output.write_bytes(b"precious")
    line = ["run", str(signal_spec), "--input", str(clip), "--output", str(output)]
    assert main(line) == 2
    assert output.read_bytes() == b"precious"
    assert main([*line, "--force"]) == 0
    assert np.load(output).shape == (3, 20)


@pytest.mark.parametrize("output", ["out.txt", "nowhere/out.npy", "folder.npy", "file/out.npy"])
def test_outputs_that_cannot_be(
    output: str, signal_spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.npy").mkdir()
    (tmp_path / "file").write_text("")
    line = ["run", str(signal_spec), "--input", "demo", "--force"]
    assert main([*line, "--output", str(tmp_path / output)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def text(path: Path) -> None:
    path.write_text("this is no video\n" * 50)


def playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:4,\nother.mp4\n#EXT-X-ENDLIST\n")


def files(path: Path) -> None:
    path.write_text("ffconcat version 1.0\nfile other.mp4\n")


def pickled(path: Path) -> None:
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)


def small(path: Path) -> None:
    np.save(path, np.zeros((3, 9, 8, 8), np.float32))


def bytes_of(path: Path) -> None:
    np.save(path, np.zeros((3, 9, 12, 16), np.uint8))


def cut(path: Path) -> None:
    np.save(path, np.zeros((3, 9, 12, 16), np.float32))
    path.write_bytes(path.read_bytes()[:-10])


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("text.mp4", text, "is not a video"),
        ("text.npy", text, "is not an .npy"),
        ("list.m3u8", playlist, "is a list of other files"),
        ("list.mp4", playlist, "is a list of other files"),
        ("concat.mp4", files, "is a list of other files"),
        ("empty.mp4", Path.touch, "is empty"),
        ("none.mp4", None, "there is no such file"),
        ("folder", Path.mkdir, "is a directory"),
        ("fifo.mp4", os.mkfifo, "is not a regular file"),
        ("pickled.npy", pickled, "pickled objects"),
        ("small.npy", small, "is 3 x 9 x 8 x 8, the network takes 3 x T x 12 x 16"),
        ("bytes.npy", bytes_of, "holds uint8"),
        ("cut.npy", cut, "is no sound .npy"),
    ],
)
def test_inputs_that_cannot_be_read(
    name: str,
    make: object,
    words: str,
    video_spec: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    if callable(make):
        make(path)
    output = tmp_path / "out.npy"
    assert main(["run", str(video_spec), "--input", str(path), "--output", str(output)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not output.exists()


@pytest.mark.parametrize("given", ["http://example.org/a.mp4", "concat:a.mp4|b.mp4", "file:a.mp4"])
def test_addresses_are_not_read(
    given: str, video_spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(video_spec), "--input", given]) == 2
    assert "only local files are read" in capsys.readouterr().err


def test_a_network_that_takes_no_pictures(
    signal_spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(signal_spec), "--input", "demo"]) == 2
    assert "the network takes 2 x T" in capsys.readouterr().err


def test_a_mistake_in_the_spec(wrong_spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(wrong_spec), "--input", "demo"]) == 1
    assert "convolve" in capsys.readouterr().err


def test_what_this_machine_has_no_memory_for(
    signal_spec: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip = clip_of(tmp_path / "clip.npy", 400)
    line = ["run", str(signal_spec), "--input", str(clip)]
    monkeypatch.setattr(memory, "there", lambda: 2000)
    assert main(line) == 0
    assert main([*line, "--verify"]) == 2
    assert "use --frames" in capsys.readouterr().err
    monkeypatch.setattr(memory, "there", lambda: 100)
    assert main(line) == 2
    assert "the network needs" in capsys.readouterr().err


LONG = ["verify --frames", "bench --chunk", "bench --window"]


@pytest.mark.parametrize("option", LONG)
def test_what_no_machine_has_memory_for(
    option: str, signal_spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *given = f"{option} 99999999999".split()
    assert main([command, str(signal_spec), *given]) == 2
    assert "the network on 99999999999 frames at once needs" in capsys.readouterr().err


def test_a_stream_that_breaks_keeps_its_outputs(
    signal_spec: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from codsl.media import arrays
    from codsl.media.footage import Unusable

    frame = arrays._frame

    def breaking(clip: np.ndarray, at: int) -> np.ndarray:
        if at == 12:
            raise Unusable("`clip.npy` cannot be decoded beyond frame 12")
        return frame(clip, at)

    monkeypatch.setattr(arrays, "_frame", breaking)
    clip, output = clip_of(tmp_path / "clip.npy", 40), tmp_path / "out.npy"
    assert main(["run", str(signal_spec), "--input", str(clip), "--output", str(output)]) == 2
    assert "after 12 frames 10 outputs kept" in capsys.readouterr().err
    np.testing.assert_allclose(np.load(output), whole(signal_spec, clip)[:, :10], rtol=0, atol=5e-6)
    assert array is arrays.array


HEARING_CTRL_C = """
import signal, sys
from codsl.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""
"""The command, also where a shell has put the tests in the background, where Ctrl-C is ignored."""


def test_ctrl_c_keeps_what_there_is(signal_spec: Path, tmp_path: Path) -> None:
    clip, output = tmp_path / "long.npy", tmp_path / "out.npy"
    np.lib.format.open_memmap(clip, "w+", np.float32, (2, 20_000_000)).flush()
    line = ["run", str(signal_spec), "--input", str(clip), "--output", str(output)]
    process = subprocess.Popen(
        [sys.executable, "-c", HEARING_CTRL_C, *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("input"):
            assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    found = re.search(r"interrupted; after (\d+) frames (\d+) outputs kept", error)
    assert found, error
    assert "Traceback" not in error
    assert "written" in out
    outputs = np.load(output)
    assert outputs.shape == (3, int(found[2]))
    assert 0 < int(found[2]) <= int(found[1])
    assert sorted(tmp_path.iterdir()) == [clip, output, signal_spec]
    expected = whole(signal_spec, clip_zeros(tmp_path, 20))
    np.testing.assert_allclose(outputs[:, :18], expected[:, :18], rtol=0, atol=5e-6)


def clip_zeros(folder: Path, frames: int) -> Path:
    np.save(folder / "zeros.npy", np.zeros((2, frames), np.float32))
    return folder / "zeros.npy"


def test_the_progress_bar_is_for_terminals_only(signal_spec: Path, tmp_path: Path) -> None:
    clip = clip_of(tmp_path / "clip.npy", 40)
    status, shown = in_terminal("run", signal_spec, "--input", clip, columns=80)
    assert status == 0
    assert "40/40" in shown
    piped = codsl("run", signal_spec, "--input", clip)
    assert piped.stderr == ""
    assert "40/40" not in piped.stdout
    assert "\x1b" not in piped.stdout


def test_the_input_is_never_written_over(signal_spec: Path, tmp_path: Path) -> None:
    clip = clip_of(tmp_path / "clip.npy", 40)
    before = clip.read_bytes()
    done = codsl("run", signal_spec, "--input", clip, "--output", clip, "--force")
    assert (done.returncode, clip.read_bytes()) == (2, before)
    assert "is the input itself" in done.stderr


def test_a_long_name_can_be_written(signal_spec: Path, tmp_path: Path) -> None:
    clip, output = clip_of(tmp_path / "clip.npy", 40), tmp_path / f"{'a' * 246}.npy"
    assert codsl("run", signal_spec, "--input", clip, "--output", output).returncode == 0
    assert output.exists()
