"""Every layout, every kind of layer: to torch and back, and by name through a load and a save."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import codsl
from codsl.network import Network
from codsl.syntax import words
from codsl.weights.adapters import NAMES, adapter_of, word_of
from codsl.weights.layouts import LAYOUTS, forms
from codsl.weights.places import places_of
from harness.contract import randomise

SPEC = """codsl 1
network n {
  input (4, T, 6)
  dense = conv2d(6, (3, 2), padding=((2, 0), 0))
  bn = batch_norm2d
  act = prelu(num_parameters=6)
  grouped = conv2d(8, (2, 3), groups=2, bias=false)
  gn = group_norm(4)
  depthwise = conv2d(16, (3, 1), groups=8)
  single = conv2d(16, (2, 1), groups=16)
  point = conv2d(5, 1)
  up = conv_transpose2d(7, (2, 3), stride=(2, 1))
  ln = layer_norm
  flatten
  fc = linear(3)
}
"""
GROUPED_UP = SPEC.replace("  ln =", "  upg = conv_transpose2d(14, (2, 2), groups=7)\n  ln =")


def network(spec: str) -> Network:
    torch.manual_seed(0)
    net = codsl.build(spec)
    randomise(net, 3)
    return net


def specs(layout: str) -> str:
    """Keras and Flax have no transposed convolution with groups."""
    return GROUPED_UP if layout in ("torch", "tripy", "onnx", "megengine") else SPEC


def test_the_words_of_the_language_are_those_of_the_code() -> None:
    assert set(words.LAYOUTS) == set(LAYOUTS)
    assert set(words.ADAPTERS) == {*NAMES, "rows[1:]", "fold {p}.bn", "unfold {p}.bn"}
    for word in (*NAMES, "rows[1:]", "rows[:7]", "rows[2:9]", "rows[:]"):
        assert word_of(adapter_of(word)) == word


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_form_is_undone(layout: str) -> None:
    generator = np.random.default_rng(0)
    places = places_of(network(specs(layout))).values()
    for place in (each for each in places if not each.counter):
        found = forms(place, layout)
        assert found, place
        for form in found:
            array = generator.standard_normal(form.shape)
            moved = form.to_torch(array)
            assert moved.shape == place.shape
            assert np.array_equal(form.from_torch(moved), array)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pt"])
def test_what_is_saved_in_a_layout_is_loaded_from_it(
    layout: str, suffix: str, tmp_path: Path
) -> None:
    net, other = network(specs(layout)), codsl.build(specs(layout))
    path, again = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    rules = {"net.{path}": "{path}"}
    codsl.save_weights(net, path, rename=rules, layout=layout)
    assert all(name.startswith("net.") for name in codsl.weights.read(path))
    codsl.load_weights(other, path, rename=rules, layout=layout)
    for name, tensor in net.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, other.state_dict()[name]), name
    codsl.save_weights(other, again, rename=rules, layout=layout)
    first, second = codsl.weights.read(path), codsl.weights.read(again)
    assert list(first) == list(second)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_a_layout_is_never_guessed_from_the_shape() -> None:
    """A cubic kernel of as many inputs as outputs fits as it is, in whichever layout one says."""
    net = codsl.build("codsl 1\nnetwork n { input (3, T, 5)\n c = conv2d(3, 3, bias=false) }")
    kernel = np.arange(81, dtype=np.float32).reshape(3, 3, 3, 3)
    codsl.load_weights(net, {"c.weight": kernel})
    assert np.array_equal(net.c.weight.detach().numpy(), kernel)
    codsl.load_weights(net, {"c.weight": kernel}, layout="keras")
    assert np.array_equal(net.c.weight.detach().numpy(), kernel.transpose(3, 2, 0, 1))
    codsl.load_weights(net, {"c.kernel": kernel}, layout="flax")
    assert np.array_equal(net.c.weight.detach().numpy(), kernel.transpose(3, 2, 0, 1))


def test_weight_norm_is_known_by_both_of_its_names() -> None:
    plain = nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 4, 2))
    given = {f"c.{name}": value for name, value in plain.state_dict().items()}
    for kind in ('"old"', "true"):
        layer = f"c = conv1d(4, 2, weight_norm={kind})"
        net = codsl.build(f"codsl 1\nnetwork n {{ input (3, T)\n {layer} }}")
        report = codsl.load_weights(net, given)
        assert len(report.loaded) == 3
        x = torch.randn(1, 3, 9)
        assert torch.allclose(net(x), plain(x), atol=1e-6)
