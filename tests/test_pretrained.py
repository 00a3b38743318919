"""Folders of model hubs: what is written is read, and what is wrong with one is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import codsl
from codsl import pretrained
from codsl.weights import WeightsError, from_pretrained, save_pretrained

TEXT = """codsl 1
network n(width = 3, deep = false) {
  input (2, T)
  stem = conv1d(width, 3, padding="causal")
  when deep { more = conv1d(width, 1) }
  head = conv1d(2, 1)
}
variant big { width = 5 }
"""
YAML = """codsl: 1
name: n
input: [2, T]
layers:
  - conv1d: {name: stem, out_channels: 3, kernel_size: 3, padding: causal}
  - conv1d: {name: head, out_channels: 2, kernel_size: 1}
"""


def made(spec: str = TEXT, **given: Any) -> codsl.pipeline.Network:
    torch.manual_seed(3)
    return codsl.build(spec, **given).eval()


def alike(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    state = one.state_dict()
    return all(torch.equal(each, state[name]) for name, each in other.state_dict().items())


@pytest.mark.parametrize(
    ("spec", "given", "name"),
    [
        (TEXT, {}, "network.codsl"),
        (TEXT, {"variant": "big", "params": {"deep": True}}, "network.codsl"),
        (YAML, {}, "network.yaml"),
    ],
)
def test_what_is_written_is_read(
    tmp_path: Path, spec: str, given: dict[str, Any], name: str
) -> None:
    net = made(spec, **given)
    save_pretrained(net, tmp_path / "hub" / "n")
    files = {each.name for each in (tmp_path / "hub" / "n").iterdir()}
    assert files == {"config.json", "model.safetensors", name}
    assert (tmp_path / "hub" / "n" / name).read_text() == spec
    config = json.loads((tmp_path / "hub" / "n" / "config.json").read_text())
    assert config == {"codsl": {"spec": name, **given}}
    again = from_pretrained(tmp_path / "hub" / "n", dtype=torch.float32)
    assert alike(net, again)
    assert not again.training
    assert alike(net, codsl.build(tmp_path / "hub" / "n" / "model.safetensors"))


def test_what_others_have_in_the_configuration_stays(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["N"], "codsl": {"spec": "old"}}')
    save_pretrained(made(), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config == {"architectures": ["N"], "codsl": {"spec": "network.codsl"}}


def test_weights_in_several_files(tmp_path: Path) -> None:
    net = made()
    places = {}
    for at, (name, tensor) in enumerate(net.state_dict().items()):
        places[name] = f"model-{at}.safetensors"
        save_file({name: tensor}, tmp_path / places[name])
    index = json.dumps({"metadata": {}, "weight_map": places})
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(WeightsError, match="it has no spec"):
        from_pretrained(tmp_path)
    (tmp_path / "n.codsl").write_text(TEXT)
    assert alike(net, from_pretrained(tmp_path))


def test_the_spec_inside_the_weights_is_enough(tmp_path: Path) -> None:
    net = made(variant="big")
    codsl.save_weights(net, tmp_path / "model.safetensors")
    assert alike(net, from_pretrained(tmp_path))


def test_weights_of_others_under_their_names(tmp_path: Path) -> None:
    net = made()
    state = {f"encoder.{name}": each for name, each in net.state_dict().items()}
    torch.save(state, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text('{"model_type": "theirs"}')
    (tmp_path / "n.codsl").write_text(TEXT)
    assert alike(net, from_pretrained(tmp_path, rename="encoder.{x:path} -> {x}"))
    with pytest.raises(WeightsError, match="E0607"):
        from_pretrained(tmp_path, rename="encoder.{x:path} -> {x}", params={"deep": True})


def test_a_spec_that_imports_others_is_inside_the_weights(tmp_path: Path) -> None:
    (tmp_path / "blocks.codsl").write_text(
        "codsl 1\ntemplate unit(out: int) { c = conv1d(out, 3) }\n"
    )
    (tmp_path / "n.codsl").write_text(
        'codsl 1\nimport "./blocks.codsl" as b\n'
        "network n(width = 3) { input (2, T)\n u = b.unit(out=width) }\n"
    )
    net = codsl.build(tmp_path / "n.codsl", params={"width": 5})
    save_pretrained(net, tmp_path / "hub")
    assert {each.name for each in (tmp_path / "hub").iterdir()} == {
        "config.json",
        "model.safetensors",
    }
    assert alike(net, from_pretrained(tmp_path / "hub"))


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "no weights": ({"model.safetensors": ""}, "it has no weights"),
    "two specs": ({"n.codsl": TEXT, "n.yaml": YAML, "config.json": "{}"}, "n.codsl, n.yaml"),
    "a spec that is not there": ({"config.json": '{"codsl": {"spec": "b.codsl"}}'}, "not there"),
    "a spec elsewhere": ({"config.json": '{"codsl": {"spec": "../n.codsl"}}'}, "not there"),
    "a spec of a long name": (
        {"config.json": json.dumps({"codsl": {"spec": "n" * 9999}})},
        "not there",
    ),
    "a spec that is no name": ({"config.json": '{"codsl": {"spec": 3}}'}, "not there"),
    "a broken configuration": ({"config.json": "{"}, "no JSON"),
    "an endless configuration": ({"config.json": "[" * 9999}, "no JSON"),
    "a large configuration": ({"config.json": " " * (1 << 21)}, "larger than 1024 KiB"),
    "a configuration that is none": ({"config.json": "[]"}, "no mapping"),
    "codsl that is none": ({"config.json": '{"codsl": 3}'}, "no mapping"),
    "params that are none": ({"config.json": '{"codsl": {"params": [1]}}'}, "no mapping"),
    "a variant that is none": ({"config.json": '{"codsl": {"variant": 1}}'}, "no name"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path, name: str) -> None:
    files, words = WRONG[name]
    save_pretrained(made(), tmp_path)
    for file in ("network.codsl", "config.json"):
        (tmp_path / file).unlink()
    for file, text in files.items():
        (tmp_path / file).write_text(text)
        if not text:
            (tmp_path / file).unlink()
    with pytest.raises(WeightsError, match="E0601") as caught:
        from_pretrained(tmp_path)
    assert words in str(caught.value)


def test_what_is_no_folder_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none", Path(__file__)):
        with pytest.raises(WeightsError, match="it is no folder"):
            from_pretrained(path)


def test_a_network_without_a_spec_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without a spec"):
        save_pretrained(torch.nn.Linear(2, 3), tmp_path / "n")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_configuration_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightsError, match="no JSON"):
        save_pretrained(made(), tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["config.json"]


def test_both_are_where_weights_are() -> None:
    assert codsl.weights.from_pretrained is pretrained.from_pretrained
    assert {"from_pretrained", "save_pretrained"} <= set(codsl.weights.__all__)
    with pytest.raises(AttributeError, match="no attribute 'from_hub'"):
        codsl.weights.from_hub  # noqa: B018
