"""MoViNet as a stream: the spec, the reference's formulas, and the published sizes."""

from math import inf
from typing import Any

import pytest
import torch
from references.movinet import MoViNet
from side_by_side import EXACT, FOLDER, agree, built, clip, filled, off, out_of_tune
from zoo import case

import codsl

SMALL: dict[str, Any] = {
    "stem": 8,
    "widths": (8, 16, 24),
    "strides": (2, 2, 2),
    "paddings": (2, 1, 1),
    "stages": (((24, 1, 5),), ((40, 3, 3), (40, 3, 3)), ((64, 5, 3), (64, 1, 5))),
    "features": 48,
    "hidden": 64,
    "classes": 10,
}
CLIP = clip(2, 3, 21, 40, 40)


@pytest.fixture(scope="module")
def reference() -> MoViNet:
    net = MoViNet(**SMALL)
    out_of_tune(net, net.classifier[3], lambda: net(CLIP))
    return net


@torch.no_grad()
def test_the_reference_and_the_stream_agree(reference: MoViNet) -> None:
    net = built("movinet", reference.state_dict(), size=40, **SMALL)
    agree(net, CLIP, reference(CLIP))


@torch.no_grad()
def test_stages_may_crop_the_plane(reference: MoViNet) -> None:
    """As A0 does, whose second and third stage pad nothing where they begin."""
    other = {**SMALL, "paddings": (2, 0, 0)}
    cropping = MoViNet(**other).double().eval()
    cropping.load_state_dict(reference.state_dict())
    x = clip(1, 3, 6, 40, 40)
    agree(built("movinet", cropping.state_dict(), size=40, **other), x, cropping(x))


@torch.no_grad()
def test_the_case() -> None:
    """Made by MoViNet-pytorch itself, `MoViNet(config, causal=True, conv_type='2plus1d')`."""
    given = case("movinet_stream")
    net = built("movinet", given.weights, size=48, **SMALL)
    agree(net, given.input, given.output)


@torch.no_grad()
def test_the_case_is_what_the_reference_here_gives() -> None:
    given = case("movinet_stream")
    net = filled(MoViNet(**SMALL), given.weights)
    assert off(net(given.input), given.output) <= EXACT


def test_an_output_sees_all_frames_so_far_and_none_ahead() -> None:
    """`meta.json` of the case: output 8 depends on frames 0 to 8."""
    graph = codsl.check(FOLDER / "movinet.codsl", params={"size": 48, **SMALL})
    assert (graph.receptive_field, graph.delay, graph.stride) == (inf, 0, 1)


def base_parameters(variant: str) -> int:
    """What a base model has: one 3-D kernel instead of two with a norm each, and a gate that takes
    one mean instead of two and squeezes to half as many."""
    graph = codsl.check(FOLDER / "movinet.codsl", variant=variant)
    total = graph.parameters
    nodes = {node.path: node for node in graph.nodes}
    for path, node in nodes.items():
        if not path.endswith("se.fc2"):
            continue
        channels, squeezed = node.weights["weight"][:2]
        half = max(8, int(channels // 4 + 4) // 8 * 8)
        half += 8 if half < 0.9 * (channels // 4) else 0
        total -= 3 * channels * squeezed + squeezed - (2 * channels * half + half)
        plane = nodes[path.replace("se.fc2", "plane.conv")].weights["weight"][3] ** 2
        time = nodes.get(path.replace("se.fc2", "time.conv"))
        if time is not None:
            frames = time.weights["weight"][2]
            total += channels * (frames * plane - frames - plane - 2)
    return total


@pytest.mark.parametrize(("variant", "millions"), [("a0", 3.1), ("a1", 4.6), ("a2", 4.8)])
def test_the_base_models_have_about_the_published_parameters(variant: str, millions: float) -> None:
    """Kondratyuk et al., 2021, who count the base models alone; to a tenth, as the layers that the
    reference's configuration lists come to 4.7 M for A1 and 5.2 M for A2."""
    assert base_parameters(variant) / 1e6 == pytest.approx(millions, rel=0.1)
    assert variant != "a0" or round(base_parameters(variant) / 1e6, 1) == millions


@pytest.mark.parametrize(("variant", "billions"), [("a0", 2.71), ("a1", 6.02), ("a2", 10.3)])
def test_fifty_frames_cost_about_what_is_published(variant: str, billions: float) -> None:
    """As published for the base models, over planes of TensorFlow's padding: to a tenth."""
    padded = {"paddings": (2, 1, 1, 1, 1)}
    total = codsl.check(FOLDER / "movinet.codsl", variant=variant, params=padded).report()
    assert 50 * total.to_dict()["total"]["macs"] / 1e9 == pytest.approx(billions, rel=0.1)
