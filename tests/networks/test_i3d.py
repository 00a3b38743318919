"""Inception-I3D: the spec against its structure in plain torch, and published figures."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from agreement import FOLDER, TOLERANCE, far, moving, streams, tuned
from references.i3d import I3D

import codsl
from codsl.algebra.time import length

SPEC = FOLDER / "i3d.codsl"
SMALL: dict[str, Any] = {"classes": 5, "head": 1}


@cache
def reference(channels: int) -> I3D:
    net = tuned(I3D(channels=channels, **SMALL), moving(2, channels, 48, 32, 32))
    assert isinstance(net, I3D)
    return net


def spec(variant: str, outputs: str = "", size: int = 32) -> codsl.Network:
    """The spec in float64 with the weights of the reference; `outputs` besides the logits."""
    text = SPEC.read_text()
    if outputs:
        text = text.replace(" size, size)\n", f" size, size)\n  outputs {outputs}, logits\n")
    sizes = {**SMALL, "size": size}
    net = codsl.build(text, variant=variant, params=sizes, dtype=torch.float64).eval()
    report = codsl.load_weights(net, reference(net.graph.input.channels).state_dict())
    assert all(name.endswith("num_batches_tracked") for name in report.skipped)
    return net


@torch.no_grad()
def test_clip_and_stream_are_the_reference() -> None:
    """Clips as short as can be, and longer than all that an output sees; of whole strides, as
    TensorFlow pads others elsewhere."""
    net = spec("rgb")
    assert (net.graph.min_frames, net.receptive_field) == (16, 107)
    for frames in (16, 112):
        x = moving(1, 3, frames, 32, 32, seed=1)
        wanted = reference(3)(x)
        assert wanted.std() > 0.1
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted, chunk=9)


@torch.no_grad()
def test_flow_has_two_channels() -> None:
    x = moving(1, 2, 24, 32, 32, seed=4)
    wanted = reference(2)(x)
    assert wanted.std() > 0.1
    assert far(spec("flow")(x), wanted) <= TOLERANCE


@torch.no_grad()
def test_features_are_those_of_the_reference() -> None:
    """What a small head would hide, of frames of 2 x 2 at the end."""
    net = spec("rgb", "mixed_5c", size=64)
    x = moving(1, 3, 24, 64, 64, seed=2)
    wanted = reference(3).features(x)
    assert wanted.std() > 0.1
    assert far(net(x)["mixed_5c"], wanted) <= TOLERANCE


@torch.no_grad()
def test_an_output_whose_window_has_come_is_that_of_any_clip() -> None:
    """Of a clip that is no whole number of strides, where TensorFlow pads the end otherwise, all
    outputs that see nothing of it."""
    net = spec("rgb", "mixed_5c")
    x = moving(1, 3, 84, 32, 32, seed=3)
    found, wanted = net(x)["mixed_5c"], reference(3).features(x)
    assert (found.shape[2], wanted.shape[2]) == (10, 11)
    due = len([o for o in range(11) if 8 * o + 54 < 84])
    assert far(found[:, :, :due], wanted[:, :, :due]) <= TOLERANCE


def test_an_output_sees_the_frames_that_were_measured() -> None:
    """Before the pool, output `o` of the source sees frames `8 * o - 44` to `8 * o + 54`; measured
    there by perturbation."""
    rows = {row.path: row for row in codsl.check(SPEC).report().nodes}
    found = rows["mixed_5c.concat"]
    assert (found.stride, found.delay, found.receptive_field) == (8, 54, 44 + 1 + 54)


def test_figures_are_those_of_the_source() -> None:
    """12.3 million parameters and the logits', and the multiply-adds of its structure in plain
    torch for 64 frames of 224 x 224: a little more than the 107.9 billion of Xie et al., 2018."""
    graph = codsl.check(SPEC)
    with torch.device("meta"):
        plain = I3D(classes=400).eval()
        counted = products(plain, torch.empty(1, 3, 64, 224, 224))
    assert graph.parameters == sum(each.numel() for each in plain.parameters())
    assert graph.parameters - 400 * 1025 == 12_287_264
    times = graph.times[graph.base :]
    macs = sum(node.macs * length(time, 64) for node, time in zip(graph.nodes, times, strict=True))
    assert macs == counted
    assert counted / 1e9 == pytest.approx(107.9, rel=0.04)


@torch.no_grad()
def products(net: torch.nn.Module, x: torch.Tensor) -> int:
    """The multiply-adds of a network's convolutions for a clip."""
    found: list[int] = []

    def count(module: torch.nn.Module, _: Any, y: torch.Tensor) -> None:
        assert isinstance(module, torch.nn.Conv3d)
        found.append(y.numel() * module.weight[0].numel())

    for module in net.modules():
        if isinstance(module, torch.nn.Conv3d):
            module.register_forward_hook(count)
    net(x)
    return sum(found)
