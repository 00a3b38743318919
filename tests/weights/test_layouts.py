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
    """Keras, Flax and Haiku have no transposed convolution with groups, Haiku has no PReLU."""
    if layout == "haiku":
        return SPEC.replace("act = prelu(num_parameters=6)", "relu")
    without = ("keras", "tensorflow", "flax", "flax_transpose_kernel")
    return SPEC if layout in without else GROUPED_UP


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


def test_time_last_is_moved_first() -> None:
    net = network(SPEC)
    state = {name: each.clone() for name, each in net.state_dict().items()}
    last = {
        name: each.movedim(2, -1).contiguous() if each.dim() > 3 else each
        for name, each in state.items()
    }
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    codsl.load_weights(net, last, layout="torch_time_last")
    assert all(torch.equal(each, state[name]) for name, each in net.state_dict().items())


STILL = """codsl 1
network n {
  input (2, T, 5, 6)
  first = conv3d(3, (1, 2, 3))
  per_frame {
    image = conv2d(4, (2, 3))
    up = conv_transpose2d(3, (3, 2))
  }
}
"""


def test_what_has_no_time_is_not_moved() -> None:
    net = network(STILL)
    wanted = {name: each.clone() for name, each in net.state_dict().items()}
    given = {**wanted, "first.weight": wanted["first.weight"].movedim(2, -1).contiguous()}
    codsl.load_weights(net, given, layout="torch_time_last")
    assert all(torch.equal(each, wanted[name]) for name, each in net.state_dict().items())


def test_an_inflated_kernel_had_no_time_to_move() -> None:
    net = network("codsl 1\nnetwork n { input (2, T, 5, 6) first = conv3d(3, (4, 2, 3)) }")
    image = torch.randn(3, 2, 2, 3)
    given = {"first.weight": image, "first.bias": torch.zeros(3)}
    adapt = {"first.weight": "inflate_last"}
    codsl.load_weights(net, given, layout="torch_time_last", adapt=adapt)
    assert torch.equal(net.get_parameter("first.weight")[:, :, -1], image)


SINGLE = """codsl 1
network n {
  input (2, T, 5, 5)
  plane = conv3d(3, (1, 3, 3))
  time = conv3d(3, (3, 1, 1))
  up = conv_transpose3d(2, (1, 2, 2), stride=(1, 2, 2))
  factor = scale
  flatten
  fc = linear(2)
}
"""


def test_axes_of_one_come_and_go() -> None:
    net = network(SINGLE)
    wanted = {name: each.clone() for name, each in net.state_dict().items()}
    views = {
        "plane.weight": (3, 2, 3, 3),
        "time.weight": (3, 3, 3, 1),
        "up.weight": (3, 2, 2, 2),
        "factor.weight": (),
        "fc.bias": (1, 2, 1),
    }
    given = {name: each.reshape(views.get(name, each.shape)) for name, each in wanted.items()}
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    report = codsl.load_weights(net, given, adapt={"{any:path}": "singletons"})
    assert all(torch.equal(each, wanted[name]) for name, each in net.state_dict().items())
    adapted = {each.name for each in report.loaded if each.adapter}
    assert adapted == set(views)


@pytest.mark.parametrize("shape", [(2, 3, 3, 3), (3, 2, 9, 1), (3, 2, 9), (54,)])
def test_other_shapes_have_no_axes_of_one(shape: tuple[int, ...]) -> None:
    net = network(SINGLE)
    given = {**net.state_dict(), "plane.weight": torch.zeros(shape)}
    with pytest.raises(codsl.weights.WeightsError, match="plane"):
        codsl.load_weights(net, given, adapt={"{any:path}": "singletons"})


def test_a_kernel_of_keras_over_the_plane_fits_one_over_a_frame() -> None:
    net = network(SINGLE)
    dense = net.get_parameter("fc.weight").detach().unflatten(1, (2, 6, 6)).movedim(1, -1)
    keras = {
        "plane.kernel": net.get_parameter("plane.weight").detach()[:, :, 0].permute(2, 3, 1, 0),
        "time.kernel": net.get_parameter("time.weight").detach().permute(2, 3, 4, 1, 0),
        "up.kernel": net.get_parameter("up.weight").detach().permute(2, 3, 4, 1, 0),
        "fc.kernel": dense.flatten(1).T,
        "factor.weight": net.get_parameter("factor.weight").detach(),
        **{f"{name}.bias": net.get_parameter(f"{name}.bias").detach() for name in LAYERS},
    }
    wanted = {name: each.clone() for name, each in net.state_dict().items()}
    given = {name: each.contiguous().clone() for name, each in keras.items()}
    adapt = {"plane.weight": "singletons"}
    codsl.load_weights(net, given, layout="keras", adapt=adapt)
    assert all(torch.equal(each, wanted[name]) for name, each in net.state_dict().items())


LAYERS = ("plane", "time", "up", "fc")

WAVE = """codsl 1
network n {
  input (3, T)
  wide = conv1d(4, 5, padding="same", weight_norm="old")
  wave = conv1d(4, 3, groups=2)
  up = conv_transpose1d(2, 4, stride=2)
}
"""


@pytest.mark.parametrize("at", [2, 3])
def test_kernels_of_images_fit_those_of_a_signal(at: int) -> None:
    """As where a signal is an image of one row, or of one column."""
    net = network(WAVE)
    wanted = {name: each.clone() for name, each in net.state_dict().items()}
    given = {
        name: each if name.endswith("bias") else each.unsqueeze(at).clone()
        for name, each in wanted.items()
    }
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    with pytest.raises(codsl.weights.WeightsError, match="can be adapted by `singletons`"):
        codsl.load_weights(net, given)
    report = codsl.load_weights(net, given, adapt={"{any:path}": "singletons"})
    assert all(torch.equal(each, wanted[name]) for name, each in net.state_dict().items())
    assert len([each for each in report.loaded if each.adapter]) == 4


@pytest.mark.parametrize("axes", [(2, 3, 1, 0), (3, 2, 1, 0)])
def test_a_kernel_of_keras_over_a_row_fits_one_of_a_signal(axes: tuple[int, ...]) -> None:
    net = network("codsl 1\nnetwork n { input (3, T) wave = conv1d(4, 5, bias=false) }\n")
    weight = net.get_parameter("wave.weight").detach().clone()
    keras = weight.unsqueeze(2).permute(axes).contiguous().clone()
    codsl.load_weights(
        net, {"wave.kernel": keras}, layout="keras", adapt={"wave.weight": "singletons"}
    )
    assert torch.equal(net.get_parameter("wave.weight"), weight)


def test_axes_of_one_stay_in_their_order() -> None:
    """A kernel over time is none over space."""
    net = network("codsl 1\nnetwork n { input (3, T, 8) c = conv2d(4, (5, 1), bias=false) }\n")
    with pytest.raises(codsl.weights.WeightsError, match=r"c\.weight"):
        codsl.load_weights(
            net, {"c.weight": torch.zeros(4, 3, 1, 5)}, adapt={"c.weight": "singletons"}
        )


@pytest.mark.parametrize("shape", [(6,), (6, 1, 1), (1, 6, 1, 1), (6, 1), (1, 6, 1)])
def test_a_slope_of_onnx_may_be_spread(shape: tuple[int, ...]) -> None:
    net = codsl.build("codsl 1\nnetwork n { input (6, T, 4) act = prelu(num_parameters=6) }")
    slope = np.arange(6, dtype=np.float32).reshape(shape)
    report = codsl.load_weights(net, {"act.weight": slope}, layout="onnx")
    assert net.get_submodule("act").weight.tolist() == [0, 1, 2, 3, 4, 5]
    assert len(report.converted) == (len(shape) > 1)
    with pytest.raises(codsl.WeightsError, match="E0609"):
        codsl.load_weights(net, {"act.weight": slope.reshape(2, 3)}, layout="onnx")
