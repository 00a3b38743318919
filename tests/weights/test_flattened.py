"""Channels that were space: in a row they stand otherwise where frames have channels last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import codsl
from codsl.network import Network
from codsl.weights.layouts import CHANNELS_LAST, LAYOUTS
from harness.contract import randomise

LAST = sorted(CHANNELS_LAST)
FRAME = (2, 3, 4)
"""Channels and space of what is flattened."""


def network(layers: str) -> Network:
    torch.manual_seed(0)
    net = codsl.build(f"codsl 1\nnetwork n {{ input (2, T, 3, 4)\n{layers} }}")
    randomise(net, 3)
    return net.eval()


def values(net: Network) -> dict[str, Tensor]:
    return {name: each.clone() for name, each in net.state_dict().items()}


def last(tensor: Tensor, axis: int = 0) -> Tensor:
    """An axis of channels that were a frame, in the order of a frame with channels last."""
    frame = tensor.unflatten(axis, FRAME)
    return frame.movedim(axis, axis + 2).flatten(axis, axis + 2).contiguous()


def loaded(layers: str, given: dict[str, Tensor], layout: str) -> dict[str, Tensor]:
    net = network(layers)
    with torch.no_grad():
        for each in net.state_dict().values():
            each.zero_()
    codsl.load_weights(net, given, layout=layout)
    return values(net)


WORDS = {"haiku": ("w", "b")}
BETWEEN = ["", "relu", "dropout", "relu square delay(1)", "identity residual { gelu }"]


@pytest.mark.parametrize("layout", LAST)
@pytest.mark.parametrize("between", BETWEEN)
def test_a_linear_layer_of_a_flattened_frame_gives_what_it_gave(layout: str, between: str) -> None:
    """Where its kernel is applied to the frame with channels last."""
    weight, bias = WORDS.get(layout, ("kernel", "bias"))
    kernel, shift = torch.randn(24, 5), torch.randn(5)
    net = network(f"flatten {between} fc = linear(5)")
    codsl.load_weights(net, {f"fc.{weight}": kernel, f"fc.{bias}": shift}, layout=layout)
    front = network(f"{between or 'identity'}")
    x = torch.rand(1, 2, 6, 3, 4)
    frames = front(x).permute(0, 2, 3, 4, 1).flatten(2)
    wanted = (frames @ kernel + shift).transpose(1, 2)
    assert torch.allclose(net(x), wanted, atol=1e-5)


@pytest.mark.parametrize("layout", [each for each in LAYOUTS if each not in CHANNELS_LAST])
def test_where_channels_are_first_a_row_is_torchs(layout: str) -> None:
    net = network("flatten fc = linear(5)")
    weight = net.get_parameter("fc.weight").detach().clone()
    given = {"fc.weight": weight.T if layout == "paddle" else weight, "fc.bias": torch.zeros(5)}
    assert torch.equal(loaded("flatten fc = linear(5)", given, layout)["fc.weight"], weight)


FLAT = """
  flatten
  bn = batch_norm1d
  act = prelu(num_parameters=24)
  factor = scale(each="channel")
  conv = conv1d(7, 3)
  fc = linear(4)
"""


@pytest.mark.parametrize("layout", ["keras", "flax"])
def test_all_that_counts_the_channels_of_a_row_is_brought_in_order(layout: str) -> None:
    state = values(network(FLAT))
    norm = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean"}
    if layout == "flax":
        norm = {"weight": "scale", "bias": "bias", "running_mean": "mean"}
    norm["running_var"] = "moving_variance" if layout == "keras" else "var"
    given = {f"bn.{word}": last(state[f"bn.{leaf}"]) for leaf, word in norm.items()}
    given["act.alpha" if layout == "keras" else "act.negative_slope"] = last(state["act.weight"])
    given["factor.weight"] = last(state["factor.weight"])
    given["conv.kernel"] = last(state["conv.weight"].permute(2, 1, 0), 1)
    given["fc.kernel"] = state["fc.weight"].T.contiguous()
    given |= {f"{name}.bias": state[f"{name}.bias"] for name in ("conv", "fc")}
    found = loaded(FLAT, given, layout)
    state["bn.num_batches_tracked"] = found["bn.num_batches_tracked"]
    assert all(torch.equal(found[name], each) for name, each in state.items())


def test_gates_read_a_row_too() -> None:
    layers = "flatten rnn = lstm(3)"
    state = values(network(layers))
    given = {
        "rnn.kernel": last(state["rnn.weight_ih_l0"], 1).T.contiguous(),
        "rnn.recurrent_kernel": state["rnn.weight_hh_l0"].T.contiguous(),
        "rnn.bias": state["rnn.bias_ih_l0"],
    }
    found = loaded(layers, given, "keras")
    assert torch.equal(found["rnn.weight_ih_l0"], state["rnn.weight_ih_l0"])
    assert torch.equal(found["rnn.weight_hh_l0"], state["rnn.weight_hh_l0"])


@pytest.mark.parametrize("layout", LAST)
@pytest.mark.parametrize("norm", ["layer_norm", "rms_norm"])
def test_a_norm_over_a_frame_has_its_channels_last(layout: str, norm: str) -> None:
    layers = f'n = {norm}(over="frame")'
    state = values(network(layers))
    words = {"weight": "scale", "bias": "offset" if layout == "haiku" else "bias"}
    if layout in ("keras", "tensorflow"):
        words = {"weight": "gamma", "bias": "beta"}
    given = {
        f"n.{words[name[2:]]}": each.movedim(0, -1).contiguous() for name, each in state.items()
    }
    found = loaded(layers, given, layout)
    assert all(torch.equal(found[name], each) for name, each in state.items())


SAVED = [
    "flatten rnn = lstm(3) fc = linear(2)",
    'n = layer_norm(over="frame") reshape(sizes=(-1,)) relu fc = linear(2)',
    "up = conv_transpose3d(2, (1, 2, 3)) relu flatten batch_norm1d fc = linear(2)",
    "flatten up = conv_transpose1d(3, 2)",
]


@pytest.mark.parametrize("layout", LAST)
@pytest.mark.parametrize("layers", SAVED)
def test_what_is_saved_is_loaded_again(layers: str, layout: str, tmp_path: Path) -> None:
    net = network(layers)
    if "rnn" in layers:
        bias = net.get_parameter("rnn.bias_hh_l0").data.zero_()
        bias[3:6] = layout == "haiku"
    path = tmp_path / "saved.npz"
    codsl.save_weights(net, path, layout=layout)
    again = codsl.build(f"codsl 1\nnetwork n {{ input (2, T, 3, 4)\n{layers} }}").eval()
    codsl.load_weights(again, path, layout=layout)
    x = torch.rand(1, 2, 9, 3, 4)
    assert torch.allclose(net(x), again(x), atol=1e-5)


UNKNOWN = [
    "permute(dims=(1, 2, 0)) flatten fc = linear(5)",
    "flatten slice(start=3) fc = linear(5)",
    "flatten fc = conv1d(6, 1, groups=3)",
    "flatten gn = group_norm(4) fc = linear(5)",
    "flatten residual { first = linear(24) } fc = linear(5)",
]


def error_of(act: Any, *given: Any, **terms: Any) -> str:
    with pytest.raises(codsl.WeightsError) as error:
        act(*given, **terms)
    return str(error.value)


@pytest.mark.parametrize("layers", UNKNOWN)
def test_what_nobody_knows_the_order_of_is_refused(layers: str, tmp_path: Path) -> None:
    net = network(layers)
    shape = net.get_parameter("fc.weight").shape
    kernel = torch.zeros(*shape[2:], shape[1], shape[0])
    said = error_of(
        codsl.load_weights,
        net,
        {"fc.kernel": kernel},
        layout="keras",
        allow_missing=["{:path}"],
    )
    assert "E0609" in said
    assert "not known in which order" in said
    assert "E0609" in error_of(codsl.save_weights, net, tmp_path / "a.npz", layout="keras")
    codsl.load_weights(net, values(net))


@pytest.mark.parametrize("layout", LAST)
@pytest.mark.parametrize("front", ["c = conv3d(5, (1, 3, 4))", "c = conv3d(1, (1, 2, 1))"])
def test_a_row_of_one_place_or_of_one_channel_is_alike(layout: str, front: str) -> None:
    net = network(f"{front} flatten fc = linear(6, bias=false)")
    kernel = torch.randn(net.get_parameter("fc.weight").shape[1], 6)
    word = WORDS.get(layout, ("kernel",))[0]
    codsl.load_weights(net, {f"fc.{word}": kernel}, layout=layout, allow_missing=["c.{}"])
    assert torch.equal(net.get_parameter("fc.weight"), kernel.T)


def test_a_module_without_a_spec_is_taken_as_it_is() -> None:
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(24, 5, bias=False))
    kernel = torch.randn(24, 5)
    codsl.load_weights(net, {"1.kernel": kernel}, layout="keras")
    x = torch.randn(3, 24)
    assert torch.allclose(net(x), functional.linear(x, kernel.T), atol=1e-6)
