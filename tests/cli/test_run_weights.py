"""`codsl run --weights` and `codsl verify --weights`: a checkpoint instead of fresh weights."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from shell import started

import codsl
from codsl.cli.main import main
from codsl.network import Network
from codsl.testing import ContractError
from codsl.testing import verify as held

SPEC = """codsl 1
network n {
  input (2, T)
  conv = conv1d(3, 3, padding="causal")
  head = conv1d(2, 1)
}
weights "theirs" { layout = "keras" "model.{rest}" -> "{rest}" allow_missing = "head.{leaf}" }
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "n.codsl"
    path.write_text(SPEC)
    np.save(tmp_path / "clip.npy", np.random.default_rng(1).standard_normal((2, 9), np.float32))
    return path


def network(seed: int = 5) -> Network:
    torch.manual_seed(seed)
    return codsl.build(SPEC).eval()


def run(spec: Path, *words: object) -> int:
    line = [spec, "--input", spec.with_name("clip.npy"), *words]
    return main(["run", *map(str, line)])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    out = capsys.readouterr().out
    return next(line[14:] for line in out.splitlines() if line.startswith("weights"))


def of_clip(net: Network, spec: Path) -> np.ndarray:
    with torch.inference_mode():
        return net(torch.from_numpy(np.load(spec.with_name("clip.npy")))[None])[0].numpy()


def test_by_the_specs_names(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, path, out = network(), spec.with_name("w.npz"), spec.with_name("out.npy")
    codsl.save_weights(net, path)
    assert run(spec, "--weights", path, "--output", out, "--verify") == 0
    assert said(capsys) == f"{path}: 4 tensors, NumPy, layout torch"
    np.testing.assert_allclose(np.load(out), of_clip(net, spec), rtol=0, atol=5e-6)
    assert np.abs(np.load(out) - of_clip(network(0), spec)).max() > 1e-2


def test_by_a_checkpoint_that_the_spec_knows(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net, path, out = network(), spec.with_name("w.npz"), spec.with_name("out.npy")
    kernel = net.conv.weight.detach().numpy().transpose(2, 1, 0)
    bias = net.conv.bias.detach().numpy()
    np.savez(path, **{"model.conv.kernel": kernel, "model.conv.bias": bias})
    assert run(spec, "--weights", path, "--output", out, "--seed", 3) == 0
    words = "2 tensors, NumPy, layout keras, known as theirs; 2 tensors fresh, seed 3"
    assert said(capsys) == f"{path}: {words}"
    fresh = network(3)
    fresh.load_state_dict({"conv.weight": net.conv.weight, "conv.bias": net.conv.bias}, False)
    np.testing.assert_allclose(np.load(out), of_clip(fresh, spec), rtol=0, atol=5e-6)


def test_a_file_with_its_spec_has_its_weights(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net, path, out = network(), spec.with_name("n.safetensors"), spec.with_name("out.npy")
    codsl.save_weights(net, path)
    assert run(path, "--input", spec.with_name("clip.npy"), "--output", out) == 0
    assert said(capsys) == f"{path}: 4 tensors, safetensors, layout torch"
    np.testing.assert_allclose(np.load(out), of_clip(net, spec), rtol=0, atol=5e-6)


def test_nan_is_told(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, path = network(), spec.with_name("w.npz")
    with torch.no_grad():
        net.conv.bias[0] = torch.nan
    codsl.save_weights(net, path)
    assert run(spec, "--weights", path) == 0
    assert said(capsys).endswith("layout torch; NaN or infinity in 1")


@pytest.mark.parametrize("command", ["run", "verify"])
def test_what_does_not_fit_is_a_diagnostic(
    command: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, none = spec.with_name("w.npz"), spec.with_name("none.pt")
    np.savez(wrong, **{"conv.weight": np.ones((3, 2, 4))})
    words = ["--input", str(spec.with_name("clip.npy"))] if command == "run" else []
    for path, code in ((wrong, "E0609"), (none, "E0601")):
        assert main([command, str(spec), *words, "--weights", str(path)]) == 1
        caught = capsys.readouterr()
        assert f"error[{code}]" in caught.err
        assert "Traceback" not in caught.err
        assert caught.out == ""


def test_in_a_process_of_its_own(spec: Path) -> None:
    path = spec.with_name("w.pt")
    path.write_bytes(b"PK\3\4 and no more")
    ran = started("run", spec, "--input", spec.with_name("clip.npy"), "--weights", path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("error[E0601]")
    assert "\n\n1 error\n" in ran.stderr


def test_verify_tries_the_weights_of_the_file(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    net, path = network(), spec.with_name("w.safetensors")
    codsl.save_weights(net, path)
    seen: list[Any] = []
    module = import_module("codsl.testing.verify")
    monkeypatch.setattr(module, "hold", lambda trial: seen.append(trial.net.state_dict()))
    for words in ([str(spec), "--weights", str(path)], [str(path)], [str(spec)]):
        assert main(["verify", *words]) == 0
        assert "n: 2 x T, float64" in capsys.readouterr().out
    expected = [each.double() for each in net.state_dict().values()]
    for given in seen[:2]:
        assert all(map(torch.equal, given.values(), expected))
    assert not torch.equal(seen[2]["conv.bias"], expected[1])


def test_weights_that_are_kept_are_tried_as_they_are() -> None:
    net = network()
    with torch.no_grad():
        net.conv.bias[0] = torch.nan
    assert held(net).checks["clips"] > 0
    with pytest.raises(ContractError):
        held(net, keep_weights=True)
    assert net.conv.bias[0].isnan()
