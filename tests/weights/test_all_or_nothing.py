"""A load that fails leaves the network as it was, and one that does not takes little memory."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import codsl
from codsl.weights import WeightsError, overwrite, read
from codsl.weights.entry import Array, Entry


def network(dtype: torch.dtype = torch.float32) -> nn.Module:
    net = nn.Sequential(nn.Linear(5, 5), nn.BatchNorm1d(5), nn.Linear(5, 5)).to(dtype)
    net.register_parameter("empty", nn.Parameter(torch.zeros(0, 3)))
    net[2].bias = net[0].bias
    return net


def values(net: nn.Module) -> dict[str, torch.Tensor]:
    return {name: each.clone() for name, each in net.state_dict().items()}


def alike(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return list(left) == list(right) and all(torch.equal(left[name], right[name]) for name in left)


class Failing:
    """A tensor that is read so many times."""

    def __init__(self, entry: Entry, times: int, error: BaseException) -> None:
        self.entry, self.left, self.error = entry, times, error

    def __call__(self) -> Array:
        if not self.left:
            raise self.error
        self.left -= 1
        return self.entry.read()


@pytest.mark.parametrize("error", [OSError("gone"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("most", [overwrite.IN_MEMORY, 0])
def test_a_reader_that_fails_in_the_middle(
    error: BaseException, dtype: torch.dtype, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overwrite, "IN_MEMORY", most)
    net = network(dtype)
    before = values(net)
    for name in before:
        tensors = read({name: each + 1 for name, each in before.items()})
        entry = tensors.entries[name]
        tensors.entries[name] = replace(entry, read=Failing(entry, 1, error))
        with pytest.raises(type(error)):
            codsl.load_weights(net, tensors)
        assert alike(values(net), before)
    codsl.load_weights(net, {name: each + 1 for name, each in before.items()})
    assert alike(values(net), {name: each + 1 for name, each in before.items()})


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    net, path = network(), tmp_path / "n.safetensors"
    codsl.save_weights(net, path)
    before = values(net)
    tensors = read(path)
    entry = tensors.entries["2.weight"]

    def changing() -> Array:
        array = entry.read()
        path.write_bytes(path.read_bytes()[:-8])
        return array

    tensors.entries["2.weight"] = replace(entry, read=changing)
    with pytest.raises(WeightsError):
        codsl.load_weights(net, tensors)
    assert alike(values(net), before)


class Full(io.BytesIO):
    """A file on a disk with room for so many tensors."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, data: Any) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        self.room -= 1
        return super().write(data)


@pytest.mark.parametrize("room", [0, 1, 4])
def test_a_disk_without_room(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overwrite, "IN_MEMORY", 0)
    monkeypatch.setattr(overwrite, "TemporaryFile", partial(Full, room))
    net = network()
    before = values(net)
    with pytest.raises(WeightsError, match=r"no room in .*(\n.*)*TMPDIR"):
        codsl.load_weights(net, {name: each + 1 for name, each in before.items()})
    assert alike(values(net), before)


def test_a_disk_that_is_not_to_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing() -> Any:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(overwrite, "IN_MEMORY", 0)
    monkeypatch.setattr(overwrite, "TemporaryFile", refusing)
    net = network()
    given = {name: each + 1 for name, each in values(net).items()}
    codsl.load_weights(net, given)
    assert alike(values(net), given)


MEASURE = """
import re, sys, torch, codsl
from torch import nn
def seen(what):
    status = open("/proc/self/status").read()
    return int(re.search(what + r":\\s+(\\d+)", status)[1]) / 1024
def peak(): return seen("VmHWM")
def now(): return seen("VmRSS")
bare = [nn.utils.skip_init(nn.Linear, 1024, 1024, bias=False) for _ in range(40)]
net = nn.Sequential(*bare)
for each in bare: nn.init.zeros_(each.weight)
codsl.load_weights(nn.Linear(2, 2), {"weight": torch.ones(2, 2), "bias": torch.ones(2)})
before = now()
codsl.load_weights(net, sys.argv[1])
assert float(net[7].weight.detach()[0, 0]) == 7
print(peak() - max(before, 0))
"""
"""The most that a load of 160 MiB takes besides its network, in MiB: a second copy would be 160."""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
@pytest.mark.parametrize("suffix", ["safetensors", "npz"])
def test_a_load_takes_little_more_than_the_network(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"n.{suffix}"
    layers = [nn.utils.skip_init(nn.Linear, 1024, 1024, bias=False) for _ in range(40)]
    for at, layer in enumerate(layers):
        nn.init.constant_(layer.weight, at)
    codsl.save_weights(nn.Sequential(*layers), path)
    found = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert float(found.stdout) < 100


def test_what_shares_memory_with_what_is_written_is_read_before() -> None:
    """Layers change places with one another, given as they are, as views and as arrays."""
    for given in (lambda each: each, lambda each: each.detach().numpy(), lambda each: each[:]):
        net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        first, second = (each.weight.detach().clone() for each in net)
        tensors = {name: given(each) for name, each in net.state_dict().items()}
        codsl.load_weights(net, read(tensors), rename=["0.{x} -> 1.{x}", "1.{x} -> 0.{x}"])
        assert torch.equal(net[0].weight, second)
        assert torch.equal(net[1].weight, first)


def test_a_transposed_view_of_itself() -> None:
    net = nn.Linear(4, 4, bias=False)
    before = net.weight.detach().clone()
    codsl.load_weights(net, {"kernel": net.weight.detach()}, layout="keras")
    assert torch.equal(net.weight, before.T)


def test_one_tensor_under_two_names_is_not_loaded_from_two() -> None:
    net = network()
    given = values(net)
    codsl.load_weights(net, {name: each + 1 for name, each in given.items()})
    before = values(net)
    given["2.bias"] = given["0.bias"] + 7
    with pytest.raises(WeightsError, match=r"`\{0, 2\}\.bias` are one tensor") as error:
        codsl.load_weights(net, given)
    assert [each.code for each in error.value.diagnostics] == ["E0606"]
    assert alike(values(net), before)


def test_a_network_without_numbers_is_told(tmp_path: Path) -> None:
    net = nn.Linear(4, 4, device="meta")
    given = values(nn.Linear(4, 4))
    assert len(codsl.load_weights(net, given, dry_run=True).loaded) == 2
    with pytest.raises(ValueError, match=r"on `meta`.*to_empty"):
        codsl.load_weights(net, given)
    with pytest.raises(ValueError, match=r"on `meta`.*to_empty"):
        codsl.save_weights(net, tmp_path / "net.pt")
    codsl.load_weights(net.to_empty(device="cpu"), given)
    assert alike(values(net), given)


def test_a_network_of_inference_mode_is_loaded_within_it() -> None:
    given = values(nn.Linear(4, 4))
    with torch.inference_mode():
        net = nn.Linear(4, 4)
        codsl.load_weights(net, given)
    with pytest.raises(ValueError, match="build it outside"):
        codsl.load_weights(net, given)


def test_what_cannot_be_written_to_keeps_nothing_from_its_way_back() -> None:
    net = nn.Linear(4, 4)
    net.register_buffer("spread", torch.ones(1).expand(5))
    before = values(net)
    with pytest.raises(RuntimeError, match="single memory location"):
        codsl.load_weights(net, {name: each + 1 for name, each in before.items()})
    assert alike(values(net), before)


def test_a_network_in_eight_bits() -> None:
    net = nn.Linear(4, 4).to(torch.float8_e4m3fn)
    codsl.load_weights(net, {"weight": torch.full((4, 4), 2.0), "bias": torch.zeros(4)})
    assert net.weight.float().eq(2).all()
    with pytest.raises(WeightsError, match="too large for float8_e4m3fn"):
        codsl.load_weights(net, {"weight": torch.full((4, 4), 9e9), "bias": torch.zeros(4)})


def test_a_compiled_network_takes_its_own_names() -> None:
    net, compiled = nn.Linear(4, 4), nn.Module()
    given = {name: each + 1 for name, each in values(net).items()}
    compiled.add_module("_orig_mod", net)
    codsl.load_weights(compiled, {f"_orig_mod.{name}": each for name, each in given.items()})
    assert alike(values(net), given)
