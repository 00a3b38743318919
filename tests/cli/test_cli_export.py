"""`codsl export`: what it writes, says and exits with."""

from pathlib import Path

import pytest
from shell import codsl


def test_an_export_is_verified_and_said(signal_spec: Path, tmp_path: Path) -> None:
    ran = codsl("export", signal_spec, "--to", "pt2", "--dtype", "float64", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    network, weights, model, verified = ran.stdout.splitlines()
    assert (network, weights) == ("network   signal", "weights   fresh, seed 0")
    assert model == "model     signal-pt2/model.pt2"
    assert verified.startswith("verified  14 frames, 2 rows, ")
    assert {path.name for path in (tmp_path / "signal-pt2").iterdir()} == {
        "README.md", "model.pt2", "run.py"
    }  # fmt: skip
    again = codsl("export", signal_spec, "--to", "pt2", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == (
        "codsl export: error: `signal-pt2` is there, and not empty; use --force, or another -o\n"
    )


def test_a_wrong_spec_is_told(wrong_spec: Path, tmp_path: Path) -> None:
    ran = codsl("export", wrong_spec, "--to", "onnx", cwd=tmp_path)
    assert ran.returncode == 1
    assert "2 errors" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.yaml"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the following arguments are required: --to"),
        (("--to", "tflite"), "invalid choice: 'tflite'"),
        (("--to", "onnx", "--batch", "0"), "`0` is neither a number of rows nor `dynamic`"),
        (("--to", "cpp", "--batch", "dynamic"), "the batch of `cpp` is fixed"),
        (("--to", "onnx", "--dtype", "bfloat16"), "invalid choice: 'bfloat16'"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], message: str, signal_spec: Path) -> None:
    ran = codsl("export", signal_spec, *arguments)
    assert ran.returncode == 2
    assert message in ran.stderr
