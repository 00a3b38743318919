"""Files that leave Python do what the network does, or are not there."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import codsl
import codsl.nn as co
from codsl.engine import lister
from codsl.engine.installed import NotInstalled
from codsl.export import export as exporting
from codsl.export.block import block_of
from codsl.export.export import ExportError
from codsl.export.formats.table import FORMATS
from codsl.export.rings import Rings
from export.samples import SPECS, built, proved, runs, streamed, streamed_alone
from harness.contract import randomise
from harness.drawn import Networks

HERE = Path(__file__).parent


def metadata(folder: Path) -> dict[str, Any]:
    import onnx

    (entry,) = onnx.load(folder / "model.onnx").metadata_props
    assert entry.key == "codsl"
    found: dict[str, Any] = json.loads(entry.value)
    return found


def graphs(graph: Any) -> Iterator[Any]:
    """The graph of a model, and those of its branches."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            yield from graphs(attribute.g)


def contents(folder: Path) -> tuple[Counter[str], int]:
    """How many products of matrices and branchings there are in a model, and how many weights."""
    import onnx

    named = {"MatMul": "products", "Gemm": "products", "If": "branchings"}
    found = list(graphs(onnx.load(folder / "model.onnx").graph))
    operators = (node.op_type for graph in found for node in graph.node)
    tensors = [onnx.numpy_helper.to_array(x) for graph in found for x in graph.initializer]
    weights = sum(x.size for x in tensors if x.dtype == np.float32 and x.ndim)
    return Counter(named[each] for each in operators if each in named), weights


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@torch.no_grad()
def test_blocks_are_exact_from_the_first_frame_on(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = phased = 0
    for seed in range(30):
        draw = random.Random(seed)
        spec = Networks(draw, draw.choice((1, 1, 2, 2, 3))).network(draw.randint(1, 6))
        graph = codsl.check(spec)
        if graph.cycle.start + 2 * graph.cycle.turn > 40:
            continue
        net = codsl.build(graph, dtype=torch.float64)
        randomise(net, seed)
        for frames in (None, 1, draw.randint(2, 6)):
            monkeypatch.setattr(lister, "MANY", draw.choice((1, 2, 16)))
            step, layout = block_of(net.eval().program, torch.float64, frames)
            try:
                proved(runs(step, layout), net.program, layout)
            except ValueError as error:
                error.add_note(f"{seed}, {frames} frames, {lister.MANY} one by one: {spec!r}")
                raise
            phased += layout.phases > 1
        tried += 1
    assert tried >= 10
    assert phased >= 5


@pytest.mark.parametrize("name", ["video", "signals", "rates", "heard"])
def test_onnx_files_are_what_the_network_is(name: str, tmp_path: Path) -> None:
    net = built(name)
    done = net.export(tmp_path / "new" / "out")
    graph = net.graph
    assert done.model == tmp_path / "new" / "out" / "model.onnx"
    assert done.proof.frames >= graph.cycle.start + graph.cycle.turn
    assert done.proof.rows == 2
    assert sorted(path.name for path in done.folder.iterdir()) == [
        "README.md", "model.onnx", "run.cpp", "run.py"
    ]  # fmt: skip
    assert [path.name for path in done.folder.parent.iterdir()] == ["out"]
    about = metadata(done.folder)
    assert about["frames"] == graph.cycle.turn
    assert about["spec"]["spec"] == SPECS[name]
    assert about["fingerprint"] == graph.fingerprint.digest
    assert about["batch"] == [1, None]
    assert (about["delay"], about["stride"]) == (graph.delay, str(graph.stride))
    clips = [
        np.random.default_rng(0).random((3, *port["shape"]), np.float32).repeat(9, 2)
        for port in about["inputs"]
    ]
    found, wanted = streamed_alone(done.folder, clips), streamed(net, clips)
    assert found.keys() == wanted.keys()
    for output, y in wanted.items():
        np.testing.assert_allclose(found[output], y, atol=1e-5)


@pytest.mark.parametrize(("name", "to"), [("twice", "onnx"), ("joined", "pt2")])
def test_a_step_of_one_frame_has_a_branch_for_each_phase(
    name: str, to: str, tmp_path: Path
) -> None:
    net = built(name)
    done = net.export(tmp_path / "out", to, frames=1)
    assert done.proof.frames >= net.graph.cycle.start + net.graph.cycle.turn
    inlet = net.graph.inputs[0]
    clip = np.random.default_rng(0).random((3, inlet.frame.channels, 22), np.float32)
    found, wanted = streamed_alone(done.folder, [clip]), streamed(net, [clip])
    assert found.keys() == wanted.keys()
    for output, y in wanted.items():
        np.testing.assert_allclose(found[output], y, atol=1e-5)
    readme = (done.folder / "README.md").read_text()
    assert f"Steps come round after {net.graph.cycle.turn}" in readme
    if to == "onnx":
        assert "kept in a ring of 2, in phase 1, 3 |" in readme
        about = metadata(done.folder)
        assert (about["frames"], about["phases"], about["phase"]) == (1, 4, "phase")
        held = sum(x.numel() for x in net.parameters())
        assert contents(done.folder) == ({"products": 4, "branchings": 3}, held)


@torch.no_grad()
def test_outputs_come_at_their_frames_and_nothing_is_done_between() -> None:
    net = built("twice")
    step, layout = block_of(net.program, torch.float32, 1)
    clip = torch.rand(2, 2, 30)
    stream, done = Rings(layout, 2, runs(step, layout)), []
    for frame in clip.unbind(2):
        with FlopCounterMode(display=False) as counter:
            ((y, valid),) = stream.step([frame.unsqueeze(2)])
        done.append(counter.get_total_flops())
        want = net.forward_step(frame)
        assert valid.tolist() == [[want is not None]] * 2
        if want is not None:
            assert torch.allclose(y.squeeze(2), want, atol=1e-5)
    assert sorted(done[-4:])[:2] == [0, 0]
    assert done[-4:] == done[-8:-4]
    assert min(done[-4::2]) == 0 < min(done[-3::2]) < max(done[-3::2])


@torch.no_grad()
@pytest.mark.parametrize(("frames", "phases"), [(1, 2), (3, 2), (20, 1)])
def test_what_is_pushed_out_of_a_ring_does_not_go_out(frames: int, phases: int) -> None:
    net = codsl.build(
        "codsl 1\nnetwork n { input (1, T) a = conv1d(2, 3) b = conv1d(2, 5, stride=2) }"
    )
    step, layout = block_of(net.eval().program, torch.float32, frames)
    assert layout.phases == phases
    for ring in layout.rings:
        assert max(ring.comes) == len(ring.new) == min(frames, ring.depth)
        assert max(back for _, back in ring.taps) <= ring.depth
    assert proved(runs(step, layout), net.program, layout).apart < 1e-6


def test_a_step_of_too_many_phases_or_frames_is_refused(tmp_path: Path) -> None:
    net = codsl.build("codsl 1\nnetwork n { input (1, T) avg_pool1d(40) }").eval()
    told = "after 40 frames, so that .* in each of 40 calls, .* take 4 frames a step, or 40"
    with pytest.raises(ExportError, match=told):
        net.export(tmp_path / "out", frames=1)
    with pytest.raises(ExportError, match="a step of 1000 frames is too long: 256 are the most"):
        net.export(tmp_path / "out", frames=1000)
    with pytest.raises(ValueError, match="a step takes 1 frame or more, not 0"):
        net.export(tmp_path / "out", frames=0)
    step, layout = block_of(net.program, torch.float32, 4)
    with torch.no_grad():
        assert proved(runs(step, layout), net.program, layout).apart < 1e-5
    assert layout.phases == 10


@pytest.mark.parametrize("to", ["pt2", "aoti", "openvino"])
def test_other_files_are_too(to: str, tmp_path: Path) -> None:
    net = built("plain")
    net.export(tmp_path / "out", to)
    clip = np.random.default_rng(0).random((2, 2, 7), np.float32)
    found = streamed_alone(tmp_path / "out", [clip])
    np.testing.assert_allclose(found["output"], streamed(net, [clip])["output"], atol=1e-5)
    assert ("64 rows" in (tmp_path / "out" / "README.md").read_text()) == (to == "aoti")


def test_a_batch_can_be_fixed_and_numbers_double(tmp_path: Path) -> None:
    net = built("plain", torch.float64)
    assert net.export(tmp_path / "out", batch=1).proof.rows == 1
    about = metadata(tmp_path / "out")
    assert (about["batch"], about["dtype"]) == ([1, 1], "float64")
    assert net.export(tmp_path / "out", "pt2", force=True).model.name == "model.pt2"
    assert not (tmp_path / "out" / "run.cpp").exists()


def test_names_are_all_different() -> None:
    net = codsl.build(
        "codsl 1\nnetwork n { inputs had (2, T), valid (2, T)\n"
        'both = join(aggregation="sum") from had, valid }'
    )
    _, layout = block_of(net.eval().program, torch.float32)
    assert layout.given == ("had", "valid", "had_")
    assert layout.made == ("output", "valid_")


def test_nothing_is_left_of_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = built("plain")
    net.export(tmp_path / "out", "pt2")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    right = FORMATS["pt2"]

    class Off:
        def __init__(self, *given: Any) -> None:
            self._right = right.load(*given)
            self.begin = self._right.begin

        def step(self, clips: Any) -> Any:
            return [(y + 1, valid) for y, valid in self._right.step(clips)]

    monkeypatch.setitem(FORMATS, "pt2", replace(right, load=Off))
    for folder in ("out", "other"):
        with pytest.raises(ExportError, match="does not do: ValueError: its outputs are"):
            net.export(tmp_path / folder, "pt2", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}


class Own(co.CoModule):
    receptive_field = 1

    def forward(self, x: Any) -> Any:
        return x

    def forward_step(self, x: Any, update_state: bool = True) -> Any:
        return x

    def get_state(self) -> Any:
        return None

    def set_state(self, state: Any) -> None:
        pass

    def clean_state(self) -> None:
        pass


def test_mistakes_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = built("plain")
    with pytest.raises(ValueError, match="no format `tflite`; there are onnx, pt2, aoti, openvino"):
        net.export(tmp_path / "out", "tflite")
    with pytest.raises(ValueError, match="a batch is 1 or more, not 0"):
        net.export(tmp_path / "out", batch=0)
    with pytest.raises(ValueError, match="in training mode"):
        codsl.build(SPECS["plain"]).export(tmp_path / "out")
    with pytest.raises(ExportError, match=r"not torch.bfloat16: export float32"):
        codsl.build(SPECS["plain"], dtype=torch.bfloat16).eval().export(tmp_path / "out")
    with pytest.raises(ExportError, match="`openvino` computes in float32, and the network is in"):
        codsl.build(SPECS["plain"], dtype=torch.float64).eval().export(tmp_path / "out", "openvino")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"Not a directory: '.*file'"):
        net.export(tmp_path / "file" / "out", "pt2")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.py").touch()
    with pytest.raises(FileExistsError, match="is there, and not empty"):
        net.export(tmp_path / "out")
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(FileExistsError, match=r"has `mine.txt` in it, which no export"):
        net.export(tmp_path / "out", force=True)
    with pytest.raises(FileExistsError, match="and no folder"):
        net.export(tmp_path / "out" / "mine.txt")
    lacking = replace(FORMATS["onnx"], packages={"no_such_package": "onnx"})
    monkeypatch.setitem(FORMATS, "onnx", lacking)
    with pytest.raises(NotInstalled, match=r'`no_such_package`: pip install "codsl\[onnx\]"'):
        net.export(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_modules_with_a_step_of_their_own_stay(tmp_path: Path) -> None:
    net = co.Sequential(co.Conv1d(2, 2, 3), Own()).eval()
    net.forward_step(torch.zeros(1, 2))
    with pytest.raises(ExportError, match="has a step of its own"):
        exporting.export(net, tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++ to read run.cpp")
@pytest.mark.parametrize(("name", "frames"), [("video", None), ("signals", None), ("twice", 1)])
def test_the_program_in_cpp_is_one(name: str, frames: int | None, tmp_path: Path) -> None:
    """Held against the names and types of ONNX Runtime's header, which no package brings."""
    net = built(name)
    _, layout = block_of(net.program, torch.float32, frames)
    about = exporting.describe(net.graph, layout, (1, None))
    (program,) = FORMATS["onnx"].programs.values()
    (tmp_path / "run.cpp").write_text(program(about))
    shutil.copy(HERE / "stub.h", tmp_path / "onnxruntime_cxx_api.h")
    done = subprocess.run(
        ["g++", "-std=c++17", "-Wall", "-Wextra", "-fsyntax-only", "-I", ".", "run.cpp"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
