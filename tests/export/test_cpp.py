"""C++ of a network is the network, compiled here and run where there is no codsl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import codsl
from codsl.engine.installed import NotInstalled
from codsl.export.about import about as describe
from codsl.export.block import block_of
from codsl.export.export import ExportError
from codsl.export.phases import PhasedStep
from codsl.export.plain.interface import model_h
from codsl.export.plain.names import apart
from codsl.export.plain.steps import written
from codsl.native import graph
from codsl.native.source import Held
from export.samples import built, streamed, streamed_alone
from harness.contract import randomise

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++")
QUICK = ["-std=c++17", "-O0", "-march=native", "-Wall", "-Wextra", "-Werror"]
ROOT = Path(__file__).parents[2]
FILES = ["README.md", "model.bin", "model.cpp", "model.h", "run.cpp", "run.py"]
TWO = """codsl 1
network two {
  inputs int (2, T), quick (2, T)
  outputs both, tap
  tap = conv1d(3, 3, padding=1) from int
  down = conv1d(4, 3, stride=2, padding=1) from quick
  memory = lstm(4)
  up = conv_transpose1d(3, 2, stride=2)
  both = join(aggregation="sum") from up, tap
}
"""


@pytest.fixture(autouse=True)
def quickly_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXXFLAGS", "-O0")


def clips_for(net: Any, rows: int, frames: int) -> list[np.ndarray]:
    draw = np.random.default_rng(0)
    shapes = [inlet.frame.shape for inlet in net.graph.inputs]
    return [draw.random((rows, c, frames, *space), np.float32) for c, *space in shapes]


def printed(
    folder: Path, model: str, clips: list[np.ndarray], block: int
) -> dict[str, list[list[float]]]:
    """What `run.cpp` prints of each output, an item a row."""
    command = ["g++", *QUICK, "run.cpp", model, "-Wl,-rpath,.", "-o", "run"]
    subprocess.run(command, cwd=folder, check=True)
    starts = range(0, clips[0].shape[2], block)
    given = b"".join(clip[:, :, t : t + block].tobytes() for t in starts for clip in clips)
    done = subprocess.run(["./run"], cwd=folder, input=given, capture_output=True, check=True)
    found: dict[str, list[list[float]]] = {}
    for line in done.stdout.decode().splitlines():
        name, *numbers = line.split()
        found.setdefault(name, []).append([float(number) for number in numbers])
    return found


def in_lines(y: np.ndarray) -> list[list[float]]:
    """The items of an output `(B, C, T, *S)` as they are printed, in some order."""
    return sorted(np.moveaxis(y, 2, 1).reshape(y.shape[0] * y.shape[2], -1).tolist())


def test_images_and_strides(tmp_path: Path) -> None:
    net = built("video")
    done = net.export(tmp_path / "out", "cpp")
    assert done.model == tmp_path / "out" / "model.cpp"
    assert done.proof.frames > net.graph.receptive_field
    assert sorted(path.name for path in done.folder.iterdir()) == FILES
    clips = clips_for(net, 1, 24)
    lines = printed(done.folder, "model.cpp", clips, net.graph.cycle.turn)
    (wanted,) = streamed(net, clips).values()
    np.testing.assert_allclose(sorted(lines["output"]), in_lines(wanted), atol=1e-5)


def test_phases_and_what_is_carried_of_several_streams(tmp_path: Path) -> None:
    net = codsl.build(TWO)
    randomise(net, 1)
    done = net.eval().export(tmp_path / "out", "cpp", frames=1, batch=2)
    assert done.proof.rows == 2
    clips = clips_for(net, 2, 24)
    found, wanted = streamed_alone(done.folder, clips), streamed(net, clips)
    lines = printed(done.folder, "./model.so", clips, 1)
    assert found.keys() == wanted.keys() == lines.keys()
    for output, y in wanted.items():
        np.testing.assert_allclose(found[output], y, atol=1e-5)
        np.testing.assert_allclose(sorted(lines[output]), in_lines(y), atol=1e-5)
    assert "B is 2." in (done.folder / "README.md").read_text()
    assert "const float* int_, const float* quick" in (done.folder / "model.h").read_text()


def test_mistakes_are_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = built("plain")
    monkeypatch.delitem(graph.OPERATORS, "relu")
    with pytest.raises(ExportError, match=r"there is no kernel for `relu`$"):
        net.export(tmp_path / "out", "cpp")
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        NotInstalled, match=r"an export to `cpp` needs a C.. compiler, which is not"
    ):
        net.export(tmp_path / "out", "cpp")
    assert not list(tmp_path.iterdir())


def test_what_it_says_to_compile_with_is_fast(tmp_path: Path) -> None:
    built("plain").export(tmp_path / "out", "cpp")
    for name in ("README.md", "run.cpp", "run.py"):
        assert "-O3 -std=c++17 -march=native" in (tmp_path / "out" / name).read_text("utf-8")


def test_what_its_programs_made_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "model.so").touch()
    (tmp_path / "run").touch()
    built("plain").export(tmp_path, "pt2", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "model.pt2", "run.py"]


def test_phases_share_their_weights() -> None:
    net = built("twice")
    step, layout = block_of(net.program, torch.float32, 1)
    assert isinstance(step, PhasedStep)
    given, held = layout.zeros(1), Held()
    del given[step.place]
    for phase, each in enumerate(step.steps):
        written(each, given, layout, phase, held)
    assert held.size < 1.1 * 4 * sum(x.numel() for x in net.parameters())


def test_the_program_in_the_documents_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    spec, program = (page.split(f"```{kind}\n")[1].split("```")[0] for kind in ("text", "cpp"))
    net = codsl.build(spec).eval()
    _, layout = block_of(net.program, torch.float32)
    (tmp_path / "model.h").write_text(model_h(describe(net.graph, layout, (1, 1))))
    (tmp_path / "watch.cpp").write_text(program)
    command = ["g++", *QUICK, "-fsyntax-only", "watch.cpp"]
    subprocess.run(command, cwd=tmp_path, check=True)


def test_names_are_those_of_c() -> None:
    assert apart(["int", "valid.a", "valid_a", "state"], ["state"]) == [
        "int_", "valid_a", "valid_a_", "state_"
    ]  # fmt: skip
