"""Gates and heads: what Keras, Flax, Haiku, ONNX and Paddle compute, our layers compute.

The figures in `golden/cells.json` were made by running Keras 3.15.1, Flax 0.12.8 and Haiku 0.0.17
on JAX 0.10.2; each case names its source. Inputs and outputs have their channels first there.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import helper, numpy_helper
from torch import nn

import codsl
from codsl.weights import WeightsError
from weights.test_golden_weights import GOLDEN, array

CASES = [
    pytest.param(each, id=each["name"])
    for each in json.loads((GOLDEN / "cells.json").read_text("utf-8"))["cases"]
]


def network(x: np.ndarray[Any, Any], layer: str) -> codsl.Network:
    space = "".join(f", {size}" for size in x.shape[3:])
    text = f"codsl 1\nnetwork n {{\n  input ({x.shape[1]}, T{space})\n  layer = {layer}\n}}\n"
    return codsl.build(text).eval()


def filled(net: nn.Module) -> nn.Module:
    """The network with numbers that are not those of a fresh one."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
    return net


@pytest.mark.parametrize("case", CASES)
def test_what_a_framework_computes(case: Any, tmp_path: Path) -> None:
    x = array(case["input"])
    net = filled(network(x, case["layer"]))
    given = {f"theirs.{name}": array(each) for name, each in case["weights"].items()}
    terms: dict[str, Any] = {"rename": {"theirs.{x}": "layer.{x}"}, "layout": case["layout"]}
    report = codsl.load_weights(net, given, **terms)
    assert len(report.loaded) + len(report.kept) == len(net.state_dict())
    with torch.no_grad():
        found = net(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, array(case["output"]), rtol=0, atol=3e-7)

    codsl.save_weights(net, tmp_path / "back.npz", like=given, **terms)
    back = codsl.weights.read(tmp_path / "back.npz")
    assert set(back) == set(given) - set(report.skipped)
    assert all(np.array_equal(back[name], given[name]) for name in back)


def answers(net: nn.Module) -> torch.Tensor:
    x = torch.randn(2, 4, 7, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        given: torch.Tensor = net(x)
    return given


STACK = """codsl 1
network n {
  input (4, T)
  deep = lstm(3, num_layers=2)
  gru = gru(6, bias=BIAS)
  rnn = rnn(4)
  mha = multihead_attention(2, past=3)
}
"""


@pytest.mark.parametrize(
    ("layout", "bias"),
    [
        ("torch", "true"),
        ("torch", "false"),
        ("keras", "true"),
        ("keras", "false"),
        ("flax", "false"),  # with a bias its usual GRU is linen's, which is asked for below
        ("onnx", "true"),
        ("onnx", "false"),
        ("paddle", "true"),
        ("paddle", "false"),
    ],
)
def test_what_is_saved_in_a_layout_computes_the_same(
    layout: str, bias: str, tmp_path: Path
) -> None:
    net, other = (filled(codsl.build(STACK.replace("BIAS", bias))) for _ in range(2))
    codsl.save_weights(net, tmp_path / "a.npz", layout=layout)
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    codsl.load_weights(other, tmp_path / "a.npz", layout=layout)
    assert torch.allclose(answers(other), answers(net), rtol=0, atol=1e-6)


def test_several_layers_are_told_apart(tmp_path: Path) -> None:
    net = filled(codsl.build(STACK.replace("BIAS", "true")))
    rules = {"lstm.{x}": "deep.l0.{x}", "lstm_1.{x}": "deep.l1.{x}"}
    codsl.save_weights(net, tmp_path / "a.npz", layout="keras", rename=rules)
    names = list(codsl.weights.read(tmp_path / "a.npz"))
    words = ("kernel", "recurrent_kernel", "bias")
    assert names[:6] == [f"{layer}.{word}" for layer in ("lstm", "lstm_1") for word in words]
    report = codsl.load_weights(net, tmp_path / "a.npz", layout="keras", rename=rules)
    assert {each.change for each in report.loaded if each.name.startswith("deep.weight")} == {
        "cut anew and transposed"
    }
    assert {each.source for each in report.loaded if each.name == "deep.bias_hh_l1"} == {""}
    assert "joined and transposed" in str(report)


def test_both_directions_of_a_module_of_torch(tmp_path: Path) -> None:
    one, other = (filled(nn.LSTM(4, 3, bidirectional=True)) for _ in range(2))
    codsl.save_weights(one, tmp_path / "a.npz", layout="keras")
    assert "l0_reverse.kernel" in codsl.weights.read(tmp_path / "a.npz")
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    codsl.load_weights(other, tmp_path / "a.npz", layout="keras")
    x = torch.randn(5, 2, 4)
    assert torch.allclose(one(x)[0], other(x)[0], rtol=0, atol=1e-6)


def test_projections_apart_are_stacked(tmp_path: Path) -> None:
    net = network(np.zeros((1, 4, 5)), "multihead_attention(2, past=3)")
    state = {name: each.clone() for name, each in filled(net).state_dict().items()}
    given = {
        f"layer.out_proj.{leaf}": state[f"layer.out_proj.{leaf}"] for leaf in ("weight", "bias")
    }
    for letter, weight, bias in zip(
        "qkv",
        state["layer.in_proj_weight"].chunk(3),
        state["layer.in_proj_bias"].chunk(3),
        strict=True,
    ):
        given |= {f"layer.{letter}_proj.weight": weight, f"layer.{letter}_proj.bias": bias}
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    codsl.load_weights(net, given)
    assert all(torch.equal(each, state[name]) for name, each in net.state_dict().items())
    turned = {name: each.T if each.dim() == 2 else each for name, each in given.items()}
    codsl.load_weights(net, turned, layout="paddle")
    assert all(torch.equal(each, state[name]) for name, each in net.state_dict().items())


def lstm() -> tuple[nn.Module, dict[str, np.ndarray[Any, Any]]]:
    net = network(np.zeros((1, 2, 5)), "lstm(3)")
    given = {
        f"layer.{side}{gate}.kernel": np.ones((3 if side == "h" else 2, 3), np.float32)
        for side in "ih"
        for gate in "ifgo"
    }
    return net, given | {f"layer.h{gate}.bias": np.ones(3, np.float32) for gate in "ifgo"}


def refused(net: nn.Module, given: Any, layout: str, **terms: Any) -> str:
    before = {name: each.clone() for name, each in net.state_dict().items()}
    with pytest.raises(WeightsError) as caught:
        codsl.load_weights(net, given, layout=layout, **terms)
    assert all(torch.equal(each, before[name]) for name, each in net.state_dict().items())
    return str(caught.value)


def test_a_gate_that_is_missing_is_named_and_not_excused() -> None:
    net, given = lstm()
    del given["layer.hg.kernel"]
    for allowed in ([], ["{:path}"]):
        message = refused(net, given, "flax", allow_missing=allowed)
        assert "E0607" in message
        assert "`layer.hg.kernel`" in message


def test_a_gate_of_another_shape_is_named() -> None:
    net, given = lstm()
    given["layer.if.kernel"] = np.ones((3, 2), np.float32)
    message = refused(net, given, "flax")
    assert "E0609" in message
    assert "`layer.if.kernel` is (3, 2)" in message


def test_biases_that_a_source_lacks_may_stay_as_they_are() -> None:
    net = filled(network(np.zeros((1, 2, 5)), "gru(3)"))
    bias = net.state_dict()["layer.bias_hh_l0"].clone()
    given = {"layer.kernel": np.ones((2, 9)), "layer.recurrent_kernel": np.ones((3, 9))}
    assert "bias_hh_l0" in refused(net, given, "keras")
    report = codsl.load_weights(net, given, layout="keras", allow_missing=["layer.bias_{}"])
    assert report.kept == ("layer.bias_ih_l0", "layer.bias_hh_l0")
    assert torch.equal(net.state_dict()["layer.bias_hh_l0"], bias)


def test_a_gru_that_resets_before_it_multiplies_is_refused() -> None:
    net = network(np.zeros((1, 2, 5)), "gru(3)")
    given = {"kernel": (2, 9), "recurrent_kernel": (3, 9), "bias": (9,)}
    tensors = {f"layer.{name}": np.ones(shape) for name, shape in given.items()}
    assert "`layer.bias` is (9,)" in refused(net, tensors, "keras")
    given = {"w_i": (2, 9), "w_h": (3, 9), "b": (9,)}
    tensors = {f"layer.{name}": np.ones(shape) for name, shape in given.items()}
    assert "E0608" in refused(net, tensors, "haiku")


def test_what_a_layout_has_no_room_for_is_not_written(tmp_path: Path) -> None:
    net = filled(network(np.zeros((1, 2, 5)), "gru(3)"))
    with pytest.raises(WeightsError, match="nothing like"):
        codsl.save_weights(net, tmp_path / "a.npz", layout="haiku")
    fused = {
        "layer.dense_i.kernel": (2, 9),
        "layer.dense_h.kernel": (3, 9),
        "layer.dense_i.bias": (9,),
    }
    like = {name: np.ones(shape) for name, shape in fused.items()}
    with pytest.raises(WeightsError, match=r"no room for what is in `layer\.bias_hh_l0`"):
        codsl.save_weights(net, tmp_path / "a.npz", layout="flax", like=like)
    assert list(tmp_path.iterdir()) == []


class Cells(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.deep = nn.LSTM(4, 3, num_layers=2, batch_first=True)
        self.gru = nn.GRU(3, 6, batch_first=True)
        self.rnn = nn.RNN(6, 4, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in (self.deep, self.gru, self.rnn):
            x = layer(x)[0]
        return x


SHALLOW = STACK.replace("BIAS", "true").replace("  mha = multihead_attention(2, past=3)\n", "")


def test_what_torch_exports_to_onnx(tmp_path: Path) -> None:
    theirs, path = filled(Cells().eval()), tmp_path / "cells.onnx"
    x = torch.randn(1, 7, 4, generator=torch.Generator().manual_seed(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(theirs, (x,), str(path), dynamo=False, verbose=False)
    net = codsl.build(SHALLOW).eval()
    codsl.load_weights(net, path, layout="onnx")
    session = onnxruntime.InferenceSession(path)
    given = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    with torch.no_grad():
        found = net(x.transpose(1, 2)).transpose(1, 2).numpy()
    np.testing.assert_allclose(found, given, rtol=0, atol=1e-6)
    state = theirs.state_dict()
    assert all(torch.equal(each, state[name]) for name, each in net.state_dict().items())


@pytest.mark.parametrize(
    ("named", "attributes"),
    [
        (True, {"linear_before_reset": 1}),
        (True, {"linear_before_reset": 1, "direction": "forward"}),
        (False, {}),
        (False, {"linear_before_reset": 0}),
        (False, {"linear_before_reset": 1, "direction": "reverse"}),
    ],
)
def test_a_gru_of_onnx_that_is_torch_s(tmp_path: Path, named: bool, attributes: Any) -> None:
    shapes = {"onnx::GRU_1": (1, 9, 2), "onnx::GRU_2": (1, 9, 3), "onnx::GRU_3": (1, 18)}
    tensors = [
        numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in shapes.items()
    ]
    node = helper.make_node("GRU", ["x", *shapes], ["y"], "/gru/GRU", **attributes)
    graph = helper.make_graph([node], "net", [], [], tensors)
    path = tmp_path / "gru.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    names = ["gru.W", "gru.R", "gru.B"] if named else list(shapes)
    assert list(codsl.weights.read(path)) == names


@pytest.mark.parametrize("piece", ["q_proj.weight", "k_proj.bias"])
def test_no_piece_is_left_out_of_its_layer(piece: str) -> None:
    layer = "attn = multihead_attention(num_heads=2, past=3)"
    net = codsl.build(f"codsl 1\nnetwork n {{ input (4, T) {layer} }}")
    state = {name: each.clone() for name, each in net.state_dict().items()}
    given = {
        "attn.out_proj.weight": state["attn.out_proj.weight"],
        "attn.out_proj.bias": state["attn.out_proj.bias"],
    }
    for at, word in enumerate(("q_proj", "k_proj", "v_proj")):
        given[f"attn.{word}.weight"] = state["attn.in_proj_weight"][4 * at : 4 * at + 4]
        given[f"attn.{word}.bias"] = state["attn.in_proj_bias"][4 * at : 4 * at + 4]
    wrong = {**given, f"attn.{piece}": torch.ones(5, *given[f"attn.{piece}"].shape[1:])}
    name = [f"attn.{piece}"]
    with pytest.raises(WeightsError) as error:
        codsl.load_weights(net, wrong, allow_missing=name, allow_unexpected=name)
    assert [each.code for each in error.value.diagnostics] == ["E0609"]
    assert "to leave it as it is" not in str(error.value)
    lacking = {each: array for each, array in given.items() if each not in name}
    with pytest.raises(WeightsError, match="none may be missing") as error:
        codsl.load_weights(net, lacking, allow_missing=name)
    assert "allow_missing" not in str(error.value)
    codsl.load_weights(net, given)


def test_a_gru_that_resets_before_is_told_from_torchs() -> None:
    net = codsl.build("codsl 1\nnetwork n { input (2, T) a = gru(4) }")
    given = {"kernel": (2, 12), "recurrent_kernel": (4, 12), "bias": (12,)}
    tensors = {f"a.{name}": torch.zeros(shape) for name, shape in given.items()}
    with pytest.raises(WeightsError, match="`reset_after=False`"):
        codsl.load_weights(net, tensors, layout="keras")
