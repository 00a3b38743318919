"""What commands write takes the place of nothing that they read, and is refused before any work."""

from pathlib import Path

import numpy as np
import pytest
from shell import codsl

import codsl as package


@pytest.fixture
def folder(signal_spec: Path, tmp_path: Path) -> Path:
    package.save_weights(package.build(signal_spec), tmp_path / "weights.npz")
    np.save(tmp_path / "clip.npy", np.zeros((2, 9), np.float32))
    (tmp_path / "labels.jsonl").write_text("a\nb\nc\n")
    (tmp_path / "rules.npz").write_text("conv.* -> conv.*\n")
    (tmp_path / "layers.jsonl").write_text("")
    (tmp_path / "old.json").write_text("")
    return tmp_path


RUN = "run signal.yaml --input clip.npy --force"
CONVERT = "weights convert signal.yaml weights.npz --force"
REFUSED = {
    f"{RUN} --output clip.npy": "`clip.npy` is the input itself",
    f"{RUN} --weights weights.npz --output weights.npz": "`weights.npz` is the file of weights",
    f"{RUN} --labels labels.jsonl --output ./labels.jsonl": "is the file of labels",
    f"{RUN} --output nowhere/out.npy": "`nowhere` is no folder that is there",
    f"{CONVERT} -o weights.npz": "`weights.npz` is the input itself",
    f"{CONVERT} --rename rules.npz -o rules.npz": "`rules.npz` is the file of rules",
    f"{CONVERT} -o nowhere/out.npz": "`nowhere` is no folder that is there",
    "bench signal.yaml --json signal.yaml": "`signal.yaml` is the spec",
    "bench signal.yaml --weights weights.npz --svg weights.npz": "is the file of weights",
    "bench signal.yaml --use layers.jsonl --svg layers.jsonl": "is a file of --use",
    "bench signal.yaml --json x --svg ./x": "--json and --svg are the same file",
    "bench signal.yaml --json -": "--json and --svg write files",
    "bench signal.yaml --svg /dev/null": "`/dev/null` is no plain file to write over",
    "report signal.yaml --svg x --html x": "--svg and --html are the same file",
    "report signal.yaml --svg nowhere/x.svg": "`nowhere` is no folder that is there",
    "convert signal.yaml -o nowhere/x.codsl": "`nowhere` is no folder that is there",
    "convert signal.yaml -o ./signal.yaml --force": "`signal.yaml` is the spec",
    "convert signal.yaml --use layers.jsonl -o layers.jsonl --force": "is a file of --use",
    "export signal.yaml --to onnx -o -": "`-` is no folder to write to",
    "export signal.yaml --to onnx -o clip.npy --weights x.npz": "is there, and no folder",
    "export signal.yaml --to onnx -o . --weights x.npz": "and not empty; use --force",
}


@pytest.mark.parametrize(("line", "why"), REFUSED.items(), ids=REFUSED)
def test_nothing_that_is_read_is_written_over(line: str, why: str, folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    done = codsl(*line.split(), cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_an_export_spares_its_weights(folder: Path) -> None:
    there = folder / "old" / "model.bin"
    there.parent.mkdir()
    (folder / "weights.npz").rename(there)
    before = there.read_bytes()
    line = "export signal.yaml --to onnx -o old --force --weights old/model.bin"
    done = codsl(*line.split(), cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "`old/model.bin` is the file of weights" in done.stderr
    assert there.read_bytes() == before


def test_a_network_that_is_not_there_is_told_whatever_is_written(folder: Path) -> None:
    done = codsl("bench", "codsl:nothing", "--json", "old.json", cwd=folder)
    assert done.returncode == 1
    assert "error[E0103]" in done.stderr


def test_a_spec_is_printed(signal_spec: Path, tmp_path: Path) -> None:
    printed = codsl("convert", signal_spec, "-o", "-", cwd=tmp_path)
    assert printed.stdout == codsl("convert", signal_spec).stdout
    assert printed.stdout.startswith("codsl 1\n")
    assert list(tmp_path.iterdir()) == [signal_spec]
