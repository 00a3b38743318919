"""Every adapter, in every layout: the adapted network gives what the other one gave."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import codsl
from codsl.weights.layouts import LAYOUTS, forms
from codsl.weights.places import places_of
from harness.contract import randomise

INFLATED = """codsl 1
network n {
  input (3, T, 6, 5)
  a = conv3d(4, (3, 3, 2), padding=("causal", 1, 0), groups=%d)
  relu
  b = conv3d(2, (2, 1, 3), padding=("causal", 0, 1), dilation=(2, 1, 1), bias=false)
}
"""
TIGHT = {"rtol": 1e-12, "atol": 1e-12}


def build(text: str) -> codsl.Network:
    net = codsl.build(text, dtype=torch.float64).eval()
    randomise(net, 4)
    return net


def saved(net: nn.Module, layout: str, names: dict[str, str] | None = None) -> dict[str, Any]:
    """The tensors of a network as a layout has them, its layers renamed."""
    tensors = {}
    for place in places_of(net).values():
        form = forms(place, layout)[0]
        layer = (names or {}).get(place.layer, place.layer)
        array = net.state_dict()[place.name].numpy()
        tensors[f"{layer}.{form.leaf}"] = form.from_torch(array)
    return tensors


def flat(groups: int) -> nn.Sequential:
    torch.manual_seed(2)
    net = nn.Sequential(
        nn.Conv2d(3, 4 if groups == 1 else 6, (3, 2), padding=(1, 0), groups=groups),
        nn.ReLU(),
        nn.Conv2d(4 if groups == 1 else 6, 2, (1, 3), padding=(0, 1), bias=False),
    )
    return net.double().eval()


def inflated(tap: str, layout: str, groups: int) -> tuple[codsl.Network, nn.Sequential]:
    image = flat(groups)
    text = INFLATED % groups
    video = build(text if groups == 1 else text.replace("conv3d(4", "conv3d(6"))
    timeless = "torch" if layout == "torch_time_last" else layout
    given = saved(image, timeless, {"0": "a", "2": "b"})
    adapt = {"{layer}.weight": f"inflate_{tap}"}
    report = codsl.load_weights(video, given, layout=layout, adapt=adapt)
    assert {each.adapter for each in report.converted} >= {f"inflate_{tap}"}
    return video, image


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
@torch.no_grad()
def test_the_newest_tap_gives_on_every_frame_what_the_image_network_gives(
    layout: str, groups: int
) -> None:
    video, image = inflated("last", layout, groups)
    x = torch.randn(2, 3, 7, 6, 5, dtype=torch.float64)
    wanted = torch.stack([image(frame) for frame in x.unbind(2)], 2)
    assert torch.allclose(video(x), wanted, **TIGHT)
    video.clean_state()
    for at, frame in enumerate(x.unbind(2)):
        answer = video.forward_step(frame)
        assert torch.allclose(answer, wanted[:, :, at], **TIGHT)


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("tap", ["mean", "center", "last"])
@pytest.mark.parametrize("layout", LAYOUTS)
@torch.no_grad()
def test_every_tap_gives_it_once_the_picture_stood_still(
    layout: str, tap: str, groups: int
) -> None:
    video, image = inflated(tap, layout, groups)
    still = torch.randn(1, 3, 1, 6, 5, dtype=torch.float64)
    answer = video(still.expand(-1, -1, 9, -1, -1))
    settled = 2 + 2
    wanted = image(still[:, :, 0])[:, :, None]
    assert torch.allclose(answer[:, :, settled:], wanted.expand_as(answer[:, :, settled:]), **TIGHT)
    assert torch.allclose(answer[:, :, :1], wanted, **TIGHT) == (tap == "last")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("there", "here"), [(3, 1), (3, 6), (1, 3), (2, 4), (4, 2), (3, 7)])
@torch.no_grad()
def test_equal_channels_give_what_they_gave(layout: str, there: int, here: int) -> None:
    """Gray pictures on a colour network, and colour ones of gray on a gray network."""
    text = "codsl 1\nnetwork n {{ input ({}, T, 5)\n c = conv2d(4, (2, 3)) }}"
    theirs, ours = build(text.format(there)), build(text.format(here))
    adapt = {"c.weight": "input_channels"}
    codsl.load_weights(ours, saved(theirs, layout), layout=layout, adapt=adapt)
    gray = torch.randn(2, 1, 6, 5, dtype=torch.float64)
    wanted = theirs(gray.expand(-1, there, -1, -1))
    answer = ours(gray.expand(-1, here, -1, -1))
    whole = here == 1 or here % there == 0
    if whole:
        assert torch.allclose(answer, wanted, **TIGHT)
    if here == 1:
        assert torch.allclose(ours.c.weight, theirs.c.weight.sum(1, keepdim=True), **TIGHT)
    else:
        turns = torch.arange(here) % there
        scaled = theirs.c.weight[:, turns] * (there / here)
        assert torch.allclose(ours.c.weight, scaled, **TIGHT)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("word", "kept"), [("rows[1:]", slice(1, None)), ("rows[:5]", slice(5))])
@torch.no_grad()
def test_some_rows_give_some_outputs(layout: str, word: str, kept: slice) -> None:
    text = (
        "codsl 1\nnetwork n {{ input (3, T, 4)\n c = conv2d({0}, 2) flatten head = linear({0}) }}"
    )
    theirs, ours = build(text.format(6)), build(text.format(5))
    given = saved(theirs, layout)
    for layer, fits in (("c", True), ("head", False)):
        adapt = {f"{layer}.{{leaf}}": word}
        rest = {name: each for name, each in given.items() if name.startswith(layer)}
        others = ["{:path}"]
        if fits:
            codsl.load_weights(ours, rest, layout=layout, adapt=adapt, allow_missing=others)
            assert torch.equal(ours.c.weight, theirs.c.weight[kept])
            assert torch.equal(ours.c.bias, theirs.c.bias[kept])
        else:
            with pytest.raises(codsl.weights.WeightsError, match="E0609"):
                codsl.load_weights(ours, rest, layout=layout, adapt=adapt, allow_missing=others)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dense_first", [True, False])
@torch.no_grad()
def test_a_linear_layer_is_a_convolution_with_kernels_of_one(
    layout: str, dense_first: bool
) -> None:
    texts = (
        "codsl 1\nnetwork n { input (3, T)\n c = linear(4) }",
        "codsl 1\nnetwork n { input (3, T)\n c = conv1d(4, 1) }",
    )
    theirs, ours = (build(text) for text in (texts if dense_first else texts[::-1]))
    given = saved(theirs, layout)
    words = {"c.weight": "pointwise"}
    report = codsl.load_weights(ours, given, layout=layout, adapt=words)
    assert [each.adapter for each in report.loaded] == ["pointwise", ""]
    x = torch.randn(2, 3, 5, dtype=torch.float64)
    assert torch.allclose(ours(x), theirs(x), **TIGHT)


@pytest.mark.parametrize(
    ("layer", "wide", "name"),
    [
        ("lstm(2)", "lstm(4)", "weight_ih_l0"),
        ("multihead_attention(past=1, num_heads=2)", "", "in_proj_bias"),
        ("conv_transpose1d(4, 1)", "", "weight"),
    ],
)
def test_rows_of_gates_of_projections_and_of_inputs_are_no_outputs(
    layer: str, wide: str, name: str
) -> None:
    net = codsl.build(f"codsl 1\nnetwork n {{ input (6, T) a = {layer} }}")
    other = codsl.build(
        f"codsl 1\nnetwork n {{ input ({6 if wide else 8}, T) a = {wide or layer} }}"
    )
    given = other.state_dict()
    rows = net.state_dict()[f"a.{name}"].shape[0]
    for adapt in ({}, {f"a.{name}": f"rows[:{rows}]"}):
        with pytest.raises(codsl.WeightsError, match="E0609") as error:
            codsl.load_weights(net, given, adapt=adapt)
        assert f"rows[:{rows}]` adapts" not in str(error.value)
