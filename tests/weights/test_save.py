"""Saving: one file that makes its network again, files for others, and nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import codsl
from codsl.cli.main import main
from codsl.weights import WeightsError, read
from codsl.weights.settle import sum_of

TEXT = """codsl 1
network n(width: int = 4, kind: layer = "relu") {
  input (3, T)
  conv = conv1d(width, 3)
  kind
}
variant wide { width = 9 }
weights "keras" { layout = "keras"  "model.{rest}" -> "{rest}" }
"""


def network(**given: object) -> codsl.Network:
    torch.manual_seed(0)
    return codsl.build(TEXT, **given)


def same(net: torch.nn.Module, other: torch.nn.Module) -> bool:
    left, right = net.state_dict(), other.state_dict()
    return list(left) == list(right) and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"variant": "wide"},
        {"params": {"width": 5}},
        {"variant": "wide", "params": {"kind": {"leaky_relu": {"negative_slope": 0.1}}}},
    ],
)
def test_one_file_makes_its_network_again(given: dict[str, object], tmp_path: Path) -> None:
    net, path = network(**given), tmp_path / "net.safetensors"
    codsl.save_weights(net, path)
    again = codsl.build(path)
    assert same(net, again)
    assert codsl.build(str(path)).graph.fingerprint == net.graph.fingerprint
    assert codsl.check(path).fingerprint == net.graph.fingerprint
    x = torch.randn(1, 3, 9)
    assert torch.equal(net(x), again(x))


IMPORTING = """codsl 1
import "../lib/blocks.yaml" as blocks
network n { input (3, T) u = blocks.unit(4) }
"""
BLOCKS = """codsl: 1
import: {more: ./more.codsl}
templates:
  unit: {params: {out: int}, layers: [{conv1d: {out_channels: $out, kernel_size: 3}}, $more.end]}
"""
MORE = "codsl 1\ntemplate end() { end = conv1d(2, 1) }\n"


def test_imported_files_travel_with_their_spec(tmp_path: Path) -> None:
    """Also those beside its folder, and from a folder that is gone."""
    files = {"nets/n.codsl": IMPORTING, "lib/blocks.yaml": BLOCKS, "lib/more.codsl": MORE}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    net = codsl.build(tmp_path / "nets" / "n.codsl", root=tmp_path)
    path = tmp_path / "net.safetensors"
    codsl.save_weights(net, path)
    shutil.rmtree(tmp_path / "lib")
    again = codsl.build(path)
    assert same(net, again)
    assert again.graph.fingerprint == net.graph.fingerprint
    codsl.save_weights(again, tmp_path / "again.safetensors")
    assert same(net, codsl.build(tmp_path / "again.safetensors"))
    spoilt = MORE.replace("conv1d", "conv2d").replace("1)", "3)")
    imports = json.dumps({"../lib/blocks.yaml": BLOCKS, "../lib/more.codsl": spoilt})
    with pytest.raises(codsl.SpecError, match=r"other.safetensors/../lib/more.codsl:2:24"):
        codsl.check(rewritten(path, imports))


def rewritten(path: Path, imports: str) -> Path:
    """The file with other imports in its metadata, and no hash."""
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del metadata["sha256"]
    other = path.with_name("other.safetensors")
    save_file(tensors, other, {**metadata, "imports": imports})
    return other


@pytest.mark.parametrize(
    "imports", ["[]", "{", "[" * 100_000, '{"../lib/blocks.yaml": 3}', "", "{}"]
)
def test_spoilt_imports_are_refused(imports: str, tmp_path: Path) -> None:
    for name, text in (("blocks.yaml", BLOCKS), ("more.codsl", MORE)):
        (tmp_path / name).write_text(text)
    path = tmp_path / "net.safetensors"
    codsl.save_weights(codsl.build(IMPORTING.replace("../lib/", ""), root=tmp_path), path)
    with pytest.raises(codsl.SpecError, match=r"E0103|E0501"):
        codsl.check(rewritten(path, imports))
    with pytest.raises(codsl.SpecError, match="not the one that was written"):
        codsl.check(retouched(path))


def retouched(path: Path) -> Path:
    """The file with one character of an imported text exchanged, and nothing else."""
    content = path.read_bytes()
    assert content.count(b"conv1d(2, 1)") == 1
    other = path.with_name("retouched.safetensors")
    other.write_bytes(content.replace(b"conv1d(2, 1)", b"conv1d(3, 1)"))
    return other


def test_the_file_has_the_text_and_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    codsl.save_weights(network(variant="wide"), path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    assert metadata["spec"] == TEXT
    assert metadata["variant"] == "wide"
    assert len(metadata["sha256"]) == 64
    assert json.loads(metadata["params"]) == {}


@pytest.mark.parametrize(("key", "value"), [("sha256", "0" * 64), ("version", "2")])
def test_a_spec_that_was_tampered_with_is_refused(key: str, value: str, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    codsl.save_weights(network(), path)
    with safe_open(path, framework="pt") as file:
        metadata = {**file.metadata(), key: value}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, path, metadata)
    with pytest.raises(codsl.SpecError, match="E0103"):
        codsl.build(path)


def test_a_dict_and_a_file_of_yaml_are_kept_too(tmp_path: Path) -> None:
    spec = {
        "codsl": 1,
        "input": [3, "T"],
        "layers": [{"conv1d": {"out_channels": 2, "kernel_size": 2}}],
    }
    net, path = codsl.build(spec), tmp_path / "n.safetensors"
    codsl.save_weights(net, path)
    assert same(net, codsl.build(path))
    assert same(net, codsl.build(spec, weights=path))


def test_what_is_no_network_has_no_spec(tmp_path: Path) -> None:
    path = tmp_path / "n.safetensors"
    codsl.save_weights(torch.nn.Conv1d(2, 2, 2), path)
    assert set(read(path)) == {"weight", "bias"}
    with pytest.raises(codsl.SpecError, match="there is no spec"):
        codsl.build(path)
    with pytest.raises(codsl.SpecError, match="E0103"):
        codsl.build(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"12")
    with pytest.raises(codsl.SpecError, match="E0103"):
        codsl.build(tmp_path / "bad.safetensors")


def test_shared_weights_are_written_under_each_name(tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    net[1].weight = net[0].weight
    for suffix in ("safetensors", "npz", "pt"):
        path = tmp_path / f"n.{suffix}"
        codsl.save_weights(net, path)
        assert len(read(path)) == 4
        codsl.load_weights(net, path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_short_floats_survive(suffix: str, tmp_path: Path) -> None:
    net, path = network(dtype=torch.bfloat16), tmp_path / f"n{suffix}"
    codsl.save_weights(net, path)
    other = network(dtype=torch.bfloat16)
    assert not codsl.load_weights(other, path).cast
    assert same(net, other)


def test_numpy_has_no_bfloat16(tmp_path: Path) -> None:
    path = tmp_path / "n.npz"
    with pytest.raises(WeightsError, match="bfloat16"):
        codsl.save_weights(network(dtype=torch.bfloat16), path)
    assert not list(tmp_path.iterdir())


def test_the_names_and_the_layout_of_a_known_checkpoint(tmp_path: Path) -> None:
    net, path = network(), tmp_path / "theirs.npz"
    codsl.save_weights(net, path, known="keras")
    found = read(path)
    assert {name: found[name].shape for name in found} == {
        "model.conv.kernel": (3, 3, 4),
        "model.conv.bias": (4,),
    }
    assert same(codsl.build(TEXT, weights=path), net)
    again = tmp_path / "again.npz"
    codsl.save_weights(net, again, like=path)
    assert {name: found[name].tolist() for name in found} == {
        name: read(again)[name].tolist() for name in read(again)
    }


ADAPTED = (
    TEXT
    + """
weights "averaged" { envelope = "train.model_ema"  "model.{rest}" -> "{rest}" }
weights "image" { "model.{rest}" -> "{rest}"  "conv.weight" = "inflate_last" }
weights "folded" { "conv" = "fold bn" }
weights "elsewhere" { "model.{rest}" -> "{rest}"  "other.{}" = "inflate_last" }
"""
)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".npz", ".safetensors"])
def test_an_envelope_is_put_around_what_was_in_one(suffix: str, tmp_path: Path) -> None:
    net, path, like = codsl.build(ADAPTED), tmp_path / f"n{suffix}", tmp_path / f"l{suffix}"
    codsl.save_weights(net, path, known="averaged")
    codsl.save_weights(net, like, known="averaged", like=path)
    names = {"model.conv.weight", "model.conv.bias"}
    for each in (path, like):
        other = codsl.build(ADAPTED)
        codsl.load_weights(other, each, known="averaged")
        assert same(net, other)
        assert set(read(each, envelope="train.model_ema")) == names
    if suffix in (".pt", ".pth"):
        assert set(torch.load(path)["train"]["model_ema"]) == names


@pytest.mark.parametrize("known", ["image", "folded"])
def test_what_is_adapted_when_it_is_loaded_is_not_written_back(known: str, tmp_path: Path) -> None:
    net, path, here = codsl.build(ADAPTED), tmp_path / "n.pt", tmp_path / "net.codsl"
    with pytest.raises(WeightsError, match="what was adapted cannot be undone") as error:
        codsl.save_weights(net, path, known=known)
    assert [each.code for each in error.value.diagnostics] == ["E0610"]
    here.write_text(ADAPTED)
    codsl.save_weights(net, tmp_path / "own.pt")
    words = ["weights", "convert", str(here), str(tmp_path / "own.pt"), "-o", str(path)]
    assert main([*words, "--reverse", "--known", known]) == 1
    assert not path.exists()


def test_an_adapter_of_other_layers_is_nothing_to_undo(tmp_path: Path) -> None:
    net, path = codsl.build(ADAPTED), tmp_path / "n.pt"
    codsl.save_weights(net, path, known="elsewhere")
    other = codsl.build(ADAPTED)
    codsl.load_weights(other, path, known="elsewhere")
    assert same(net, other)


def test_what_cannot_be_undone_is_refused(tmp_path: Path) -> None:
    net, path = network(), tmp_path / "n.npz"
    with pytest.raises(WeightsError, match="no name is renamed to"):
        codsl.save_weights(net, path, rename={"conv.{x}": "other.{x}"})
    with pytest.raises(ValueError, match="are written to"):
        codsl.save_weights(net, tmp_path / "n.h5")
    with pytest.raises(TypeError, match="has its rules and its layout in the spec"):
        codsl.save_weights(net, path, known="keras", layout="torch")
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "n.safetensors"
    codsl.save_weights(network(), path)
    before = path.read_bytes()

    def failing(*args: object, **kwargs: object) -> None:
        Path(str(args[1])).write_bytes(b"half")
        raise OSError("no space")

    monkeypatch.setattr("codsl.weights.save.save_file", failing)
    with pytest.raises(OSError, match="no space"):
        codsl.save_weights(network(), path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises((OSError, RuntimeError)):
        codsl.save_weights(network(), tmp_path / "no" / "n.pt")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes, and links only for some users")
@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pt"])
def test_links_and_modes_stay(suffix: str, tmp_path: Path) -> None:
    plain, path, link = (tmp_path / f"{name}{suffix}" for name in ("plain", "there", "link"))
    plain.touch()
    codsl.save_weights(network(), path)
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o640)
    path.write_bytes(b"older")
    link.symlink_to(path.name)
    codsl.save_weights(network(), link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert len(read(path)) == 2
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pt"])
def test_a_tensor_may_be_called_as_an_argument_is(suffix: str, tmp_path: Path) -> None:
    path, rules = tmp_path / f"n{suffix}", {"file": "conv.weight", "allow_pickle": "conv.bias"}
    net, other = network(), network()
    codsl.save_weights(net, path, rename=rules)
    assert set(read(path)) == {"file", "allow_pickle"}
    codsl.load_weights(other, path, rename=rules)
    assert torch.equal(other.get_submodule("conv").weight, net.get_submodule("conv").weight)


@pytest.mark.parametrize("envelope", ["", 'envelope = "train.model_ema"'])
def test_what_is_saved_of_one_with_a_hash_has_another(envelope: str, tmp_path: Path) -> None:
    """It is told from the file that is known, and loaded once it is read."""
    text = TEXT + f'weights "public" {{ {envelope} sha256 = "{{}}" "old.{{x}}" -> "conv.{{x}}" }}'
    path, again = tmp_path / "public.pt", tmp_path / "again.pt"
    codsl.save_weights(codsl.build(text.replace("{}", "0" * 64)), path, known="public")
    net = codsl.build(text.replace("{}", sum_of(path)), weights=path)
    codsl.save_weights(net, again, known="public")
    for known in ("public", None):
        other = codsl.build(text.replace("{}", sum_of(path)))
        with pytest.raises(WeightsError, match="is not the file that the spec knows") as error:
            codsl.load_weights(other, again, known=known)
        assert f"load `codsl.weights.read('{again}')` instead" in str(error.value)
        if known:
            codsl.load_weights(other, read(again), known=known)
            assert same(net, other)


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pt"])
def test_parts_of_one_memory_are_written_apart(suffix: str, tmp_path: Path) -> None:
    net, path = torch.nn.Module(), tmp_path / f"net{suffix}"
    memory = torch.arange(10.0)
    for name, part in {"a": memory[:6], "b": memory[4:], "c": memory}.items():
        net.register_buffer(name, part)
    codsl.save_weights(net, path)
    found = read(path)
    assert {name: found[name].tolist() for name in found} == {
        name: each.tolist() for name, each in net.state_dict().items()
    }
