"""`codsl run`: numbers that a network cannot take are told with their frame, none is changed."""

from pathlib import Path

import numpy as np
import pytest
from shell import codsl

LOOKED_UP = """codsl 1
network ids {
  input (1, T)
  embedding(5, 4)
}
"""


def written(folder: Path, numbers: object, dtype: str) -> Path:
    np.save(folder / "clip.npy", np.array(numbers, dtype))
    return folder / "clip.npy"


@pytest.mark.parametrize(("dtype", "wrong"), [("f4", 9), ("i8", -1), ("u1", 5)])
def test_ids_that_are_none(dtype: str, wrong: int, tmp_path: Path) -> None:
    spec, output = tmp_path / "ids.codsl", tmp_path / "out.npy"
    spec.write_text(LOOKED_UP)
    clip = written(tmp_path, [[0, 1, 4, 2]], dtype)
    done = codsl("run", spec, "--input", clip, "--verify")
    assert (done.returncode, done.stderr) == (0, "")
    clip = written(tmp_path, [[0, 1, wrong, 2]], dtype)
    done = codsl("run", spec, "--input", clip, "--output", output)
    assert done.returncode == 2
    words = f"frame 2 is refused: ids are 0 to 4, found {wrong} to {wrong}"
    assert f"{words}; after 2 frames 2 outputs kept" in done.stderr
    assert np.load(output).shape == (4, 2)


def test_integers_are_for_ids_alone(signal_spec: Path, tmp_path: Path) -> None:
    clip = written(tmp_path, np.zeros((2, 9)), "i8")
    done = codsl("run", signal_spec, "--input", clip)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "holds int64; a clip is of floats" in done.stderr


@pytest.mark.parametrize(
    ("dtype", "number", "said"),
    [
        ("float32", 1e39, "frame 5 has 1e+39, and the largest float32 is 3.403e+38"),
        ("float16", -1e5, "frame 5 has 1e+05, and the largest float16 is 6.55e+04"),
        ("float32", np.inf, ""),
        ("float64", 1e39, ""),
    ],
)
def test_numbers_beyond_a_precision(dtype: str, number: float, said: str, tmp_path: Path) -> None:
    spec, numbers = tmp_path / "n.codsl", np.zeros((2, 9))
    layer = f'conv1d(3, 3, padding="causal", dtype="{dtype}")'
    spec.write_text(f"codsl 1\nnetwork n {{\n  input (2, T)\n  {layer}\n}}\n")
    numbers[1, 5] = number
    done = codsl("run", spec, "--input", written(tmp_path, numbers, "f8"))
    assert done.returncode == (2 if said else 0)
    assert said in done.stderr
    assert (f"9 frames of float64, taken as {dtype}" in done.stdout) == (dtype != "float64")


@pytest.mark.skipif(np.dtype("longdouble").itemsize == 8, reason="it is float64 here")
def test_no_more_than_double_precision_is_read(signal_spec: Path, tmp_path: Path) -> None:
    clip = written(tmp_path, np.zeros((2, 9)), "longdouble")
    done = codsl("run", signal_spec, "--input", clip)
    assert done.returncode == 2
    assert "float64 is the most that is read" in done.stderr


def test_double_precision_is_read_as_such(tmp_path: Path) -> None:
    spec, output = tmp_path / "n.codsl", tmp_path / "out.npy"
    layer = 'conv1d(1, 1, bias=false, dtype="float64")'
    spec.write_text(f"codsl 1\nnetwork n {{\n  input (1, T)\n  {layer}\n}}\n")
    numbers = np.random.default_rng(3).standard_normal((1, 9))
    clip = written(tmp_path, numbers, "f8")
    assert codsl("run", spec, "--input", clip, "--output", output).returncode == 0
    ratios = np.load(output) / numbers
    np.testing.assert_allclose(ratios, ratios[0, 0], rtol=1e-14)
