"""`codsl run`: inputs and outputs by name, one of each at most."""

from pathlib import Path

import numpy as np
import pytest
from shell import SIGNAL, codsl

from codsl.cli.main import main


def clip_of(path: Path) -> Path:
    np.save(path, np.random.default_rng(5).standard_normal((2, 9)).astype(np.float32))
    return path


PORTS = "codsl 1\nnetwork two {\n  inputs near (2, T), far (2, T)\n  join from near, far\n}\n"


def test_inputs_and_outputs_by_name_are_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "two.codsl"
    clip = clip_of(tmp_path / "clip.npy")
    for text, named in (
        (PORTS, "the input `near`, the input `far`"),
        (SIGNAL.replace("layers:", "outputs: [conv, late]\nlayers:"), "the output `conv`"),
    ):
        spec.with_suffix(".yaml" if text.startswith("codsl:") else ".codsl").write_text(text)
        written = spec.with_suffix(".yaml") if text.startswith("codsl:") else spec
        assert main(["run", str(written), "--input", str(clip)]) == 2
        said = capsys.readouterr().err
        assert "streams one input to one output" in said
        assert named in said


def test_one_input_and_one_output_may_have_names(tmp_path: Path) -> None:
    body = 'conv1d(3, 4, stride=2, padding="causal")'
    clip, found = clip_of(tmp_path / "clip.npy"), []
    for ports, layer in (
        ("input (2, T)", body),
        ("input (2, T)\n  outputs a", f"a = {body}"),
        ("inputs x (2, T)\n  outputs a", f"a = {body} from x"),
    ):
        spec, output = tmp_path / "spec.codsl", tmp_path / "out.npy"
        spec.write_text(f"codsl 1\nnetwork n {{\n  {ports}\n  {layer}\n}}\n")
        line = ("run", spec, "--input", clip, "--output", output, "--force", "--verify")
        assert codsl(*line).returncode == 0
        found.append(np.load(output))
    assert found[0].shape == (3, 5)
    assert all(np.array_equal(each, found[0]) for each in found)


def test_check_and_report_take_inputs_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "two.codsl"
    spec.write_text(PORTS)
    assert main(["check", str(spec)]) == 0
    assert "fine: 1 layer" in capsys.readouterr().out
    assert main(["report", str(spec)]) == 0
    assert "input near" in capsys.readouterr().out
