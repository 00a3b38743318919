"""Pickles of Haiku, Paddle and Caffe2, through the reader, their layouts and the rules of a user.

Haiku's own wrote its files. Paddle and Caffe2 are too large to have here: their files are made as
`paddle.save` and Python 2's `cPickle` make them, by the same calls and opcodes.
"""

from __future__ import annotations

import json
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import codsl
from codsl.weights import WeightsError, read
from weights.samples_frameworks import Tensor, old
from weights.test_cuts import filled
from weights.test_golden_weights import GOLDEN, array
from weights.test_megengine_files import numbers

FILES = Path(__file__).parent / "files"
GIVEN = json.loads((GOLDEN / "files.json").read_text("utf-8"))

HAIKU = """codsl 1
network n {
  input (2, T, 4)
  stem = conv2d(3, (3, 2), bias=false)
  norm = batch_norm2d
  relu
  adaptive_avg_pool2d(1, kernel_size=1)
  flatten
  head = linear(2)
}
"""
KERAS = """codsl 1
network n { input (2, T) memory = lstm(3) gates = gru(4) look = multihead_attention(2, past=9) }
"""


@pytest.mark.parametrize("suffix", ["pkl", "npz"])
def test_a_net_that_haiku_wrote(suffix: str, tmp_path: Path) -> None:
    net, path = codsl.build(HAIKU).eval(), FILES / "haiku" / f"net.{suffix}"
    terms: dict[str, Any] = {"rename": "net.{x:path} -> {x}", "layout": "haiku"}
    report = codsl.load_weights(net, path, **terms)
    assert len(report.loaded) + len(report.kept) == len(net.state_dict())
    assert {name.rpartition(".")[2] for name in report.skipped} == {"counter", "hidden"}
    compare(net, GIVEN["haiku"])
    codsl.save_weights(net, tmp_path / "back.npz", like=path, **terms)
    back, theirs = read(tmp_path / "back.npz"), read(path)
    assert set(back) == set(theirs) - set(report.skipped)
    assert all(np.array_equal(back[name], theirs[name]) for name in back)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_cells_that_keras_wrote(suffix: str) -> None:
    net, path = codsl.build(KERAS).eval(), FILES / "keras" / f"cells.{suffix}"
    rules = ["memory.lstm_cell.{x} -> memory.{x}", "gates.gru_cell.{x} -> gates.{x}"]
    codsl.load_weights(net, path, rename=rules, layout="keras")
    compare(net, GIVEN["keras"])


def compare(net: nn.Module, given: Any) -> None:
    with torch.no_grad():
        found = net(torch.from_numpy(array(given["input"]))).numpy()
    np.testing.assert_allclose(found, array(given["output"]), rtol=0, atol=3e-7)


PADDLE = """codsl 1
network n {
  input (4, T, 6)
  stem = conv2d(6, (3, 2), groups=2)
  bn = batch_norm2d
  up = conv_transpose2d(4, (2, 3), groups=2)
  act = prelu(num_parameters=4)
  flatten
  ln = layer_norm
  fc = linear(3)
  memory = lstm(3, num_layers=2)
}
"""


def paddle_state(net: nn.Module) -> dict[str, np.ndarray[Any, Any]]:
    """The state as Paddle has it, written down from its manual, not by our layouts."""
    words = {"bn.running_mean": "bn._mean", "bn.running_var": "bn._variance"}
    words["act.weight"] = "act._weight"
    state = {}
    for name, tensor in net.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            held = tensor.numpy()
            state[words.get(name, name)] = held.T.copy() if name == "fc.weight" else held
    return state


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("alone", [False, True])
def test_what_paddle_saves(tmp_path: Path, protocol: int, alone: bool) -> None:
    net, path = filled(codsl.build(PADDLE)), tmp_path / "net.pdparams"
    before = {name: each.clone() for name, each in net.state_dict().items()}
    state = paddle_state(net)
    table = {name: f"param_{at}" for at, name in enumerate(state)}
    held: dict[str, Any] = {**state, "StructuredToParameterName@@": table}
    if alone:
        held = {name: Tensor(table[name], each) for name, each in state.items()}
    path.write_bytes(pickle.dumps(held, protocol))
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    report = codsl.load_weights(net, path, layout="paddle")
    assert report.format == "pickle"
    counted = "bn.num_batches_tracked"
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items() if k != counted)
    codsl.save_weights(net, tmp_path / "back.npz", layout="paddle")
    back = read(tmp_path / "back.npz")
    assert all(np.array_equal(back[name], state[name]) for name in state)
    assert set(back) == set(state)


def test_second_names_of_paddle_s_cells_are_left_out_where_one_says_so() -> None:
    net = filled(codsl.build(PADDLE))
    state = paddle_state(net)
    given = state | {"memory.0.cell.weight_ih": state["memory.weight_ih_l0"]}
    with pytest.raises(WeightsError, match="E0608"):
        codsl.load_weights(net, given, layout="paddle")
    report = codsl.load_weights(net, given, layout="paddle", allow_unexpected=["{:path}.cell.{}"])
    assert report.skipped == ("memory.0.cell.weight_ih",)


def test_a_tensor_of_paddle_s_own_kind_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "net.pdparams"
    path.write_bytes(b"\x80\x02cbuiltins\neval\n(X\x04\0\0\0dataX\x04\0\0\0datatR.")
    with pytest.raises(WeightsError, match="E0602") as caught:
        read(path)
    assert "`builtins.eval`" in str(caught.value)
    path.write_bytes(b"\x80\x02cpaddle.nn.layer.common\nLinear\n)\x81.")
    with pytest.raises(WeightsError, match="whole module") as caught:
        read(path)
    assert "paddle.save(net.state_dict(), path)" in str(caught.value)
    assert "modules" not in str(caught.value)


CAFFE2 = """codsl 1
network n {
  input (3, T, 8)
  stem = { conv = conv2d(16, (3, 5), bias=false) bn = batch_norm2d }
  body[i in 1..2] = { conv = conv2d(16, 1, bias=false) bn = batch_norm2d }
  flatten
  head = linear(5)
}
"""
RULES = [
    "conv1_{x:part} -> stem.conv.{x}",
    "res_conv1_bn_{x} -> stem.bn.{x}",
    "res{i+1}_branch2a_bn_{x} -> body{i}.bn.{x}",
    "res{i+1}_branch2a_{x:part} -> body{i}.conv.{x}",
    "pred_{x} -> head.{x}",
]


def blobs(net: nn.Module) -> dict[str, np.ndarray[Any, Any]]:
    """The state under the names that Caffe2's model zoos have, with what the solver kept."""
    layers = {"stem.conv": "conv1", "stem.bn": "res_conv1_bn", "head": "pred"}
    for i in (1, 2):
        layers[f"body{i}.conv"] = f"res{i + 1}_branch2a"
        layers[f"body{i}.bn"] = f"res{i + 1}_branch2a_bn"
    words = {"running_mean": "rm", "running_var": "riv", "bias": "b", "weight": "w"}
    found = {}
    for name, tensor in net.state_dict().items():
        layer, _, leaf = name.rpartition(".")
        if leaf in words:
            word = "s" if layer.endswith("bn") and leaf == "weight" else words[leaf]
            found[f"{layers[layer]}_{word}"] = tensor.numpy()
    momenta = {f"{name}_momentum": each for name, each in found.items() if name[-1] in "wb"}
    return {**found, **momenta, "lr": np.float32(0.1) * np.ones(1, "f4"), "model_iter": np.ones(1)}


@pytest.mark.parametrize("dump", [old, pickle.dumps], ids=["python 2", "python 3"])
@pytest.mark.parametrize("protocol", [0, 2])
def test_what_caffe2_saves(
    tmp_path: Path, dump: Callable[[Any, int], bytes], protocol: int
) -> None:
    net, path = filled(codsl.build(CAFFE2)), tmp_path / "model.pkl"
    before = {name: each.clone() for name, each in net.state_dict().items()}
    given = blobs(net)
    path.write_bytes(dump({"blobs": given, "cfg": "MODEL: {DEPTH: 1}"}, protocol))
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    terms: dict[str, Any] = {"rename": RULES, "layout": "caffe2"}
    report = codsl.load_weights(net, path, **terms)
    assert report.opened == ("blobs",)
    assert set(report.skipped) == {name for name in given if name[-1] == "m" or name[0] in "lm"} - {
        name for name in given if name.endswith("_rm")
    }
    counted = "num_batches_tracked"
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items() if counted not in k)
    codsl.save_weights(net, tmp_path / "back.npz", **terms)
    back = read(tmp_path / "back.npz")
    assert set(back) == set(given) - set(report.skipped)
    assert all(np.array_equal(back[name], given[name]) for name in back)


def test_strings_of_python_2_are_texts_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    array = np.array([0, 1, 10, 13, 39, 92, 200, 255], "u1")
    for protocol in (0, 1, 2):
        path.write_bytes(old(OrderedDict(a=array, b={"c": array.astype("f4")}), protocol))
        found = read(path)
        assert list(found) == ["a", "b.c"]
        assert np.array_equal(found["a"], array)


OLD = {
    "a string without end": ("E0601", b"(dp0\nS'abc\n"),
    "a string without quotes": ("E0601", b"(dp0\nSabc\ns."),
    "30 GB of a string": ("E0603", b"\x80\x02}T\xff\xff\xff\x7f."),
    "a negative string": ("E0601", b"\x80\x02}T\xff\xff\xff\xff."),
    "a call by a string": ("E0602", b"(S'echo'\nios\nsystem\n."),
    "a tuple of a pair of no array": (
        "E0601",
        b"\x80\x02c__builtin__\ntuple\nU\x01aK\x01\x86\x85R.",
    ),
    "an array of another array's maker": (
        "E0602",
        b"\x80\x02cjax._src.array\n_reconstruct_array\n(cos\nsystem\n)NNtR.",
    ),
    "a maker in a maker": (
        "E0602",
        b"\x80\x02" + b"cjax._src.array\n_reconstruct_array\n(" * 500 + b")NNt" * 500 + b"R.",
    ),
    "a mapping of a number": (
        "E0602",
        b"\x80\x02chaiku._src.data_structures\nFlatMapping\nK\x01\x85R.",
    ),
    "an array of jax without a state": (
        "E0601",
        b"\x80\x02cjax._src.array\n_reconstruct_array\n(cnumpy.core.multiarray\n_reconstruct\n"
        b"cnumpy\nndarray\nK\0\x85U\x01b\x87N}tR.",
    ),
}


@pytest.mark.parametrize("name", OLD)
def test_riddles_are_refused(tmp_path: Path, name: str) -> None:
    code, data = OLD[name]
    path = tmp_path / "a.pkl"
    path.write_bytes(data)
    with pytest.raises(WeightsError) as caught:
        read(path)
    assert {each.code for each in caught.value.diagnostics} == {code}, str(caught.value)


def test_an_array_of_a_text_is_still_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(numbers(b"K\x01\x85", b"X\x04\0\0\0abcd"))
    with pytest.raises(WeightsError, match="E0602"):
        read(path)


def test_slashes_are_a_tree_and_what_methods_made_is_not_told() -> None:
    one = np.ones(2)
    given = {"net/~/a": {"w": one}, "net": {"b": one}, "net/a/~/ema": {"average": one}}
    assert list(read(given)) == ["net.a.w", "net.a.ema.average", "net.b"]
    twice = {"net/~/a": {"w": one}, "net/a": {"w": one}}
    assert list(read(twice)) == ["net/~/a.w", "net/a.w"]
