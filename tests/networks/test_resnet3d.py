"""R3D, MC3 and R(2+1)D against their structure in plain torch, and their published figures."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from agreement import FOLDER, TOLERANCE, far, moving, streams, tuned
from live import installed
from references.resnet3d import ResNet3d

import codsl
from codsl.algebra.time import length

SPEC = FOLDER / "resnet3d.codsl"
KINDS = ("r3d_18", "mc3_18", "r2plus1d_18")
SMALL: dict[str, Any] = {"width": 6, "classes": 5, "window": 3}


@cache
def reference(kind: str) -> torch.nn.Module:
    return tuned(ResNet3d(kind, **SMALL), moving(2, 3, 24, 32, 32))


def loaded(kind: str) -> codsl.Network:
    """The spec with the reference's weights, loaded by its rules with nothing missing."""
    sizes = {**SMALL, "size": 32}
    net = codsl.build(SPEC, variant=kind, params=sizes, dtype=torch.float64).eval()
    report = codsl.load_weights(net, reference(kind).state_dict())
    assert all(name.endswith("num_batches_tracked") for name in report.skipped)
    assert report.checkpoint == f"torchvision{', factorised' * (kind == 'r2plus1d_18')}"
    return net


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_clip_and_stream_are_the_reference(kind: str) -> None:
    """Clips as short as can be, and longer than all that an output sees."""
    net = loaded(kind)
    for frames in (net.graph.min_frames, 33, net.graph.receptive_field + 2):
        x = moving(1, 3, int(frames), 32, 32, seed=1)
        wanted = reference(kind)(x)
        assert wanted.abs().max() > 0.2
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_it_is_torchvision_live(kind: str) -> None:
    make = getattr(installed("torchvision.models.video"), kind)
    x = moving(1, 3, 16, 32, 32)
    theirs = tuned(make(num_classes=7), x)
    sizes = {"classes": 7, "size": 32}
    net = codsl.build(SPEC, variant=kind, params=sizes, dtype=torch.float64).eval()
    codsl.load_weights(net, theirs.state_dict())
    assert far(net(x), theirs(x).unsqueeze(2)) <= TOLERANCE


@pytest.mark.parametrize(
    ("kind", "parameters", "stride", "reach"),
    [
        ("r3d_18", 33_371_472, 8, 54),
        ("mc3_18", 11_695_440, 1, 5),
        ("r2plus1d_18", 31_505_325, 8, 54),
    ],
)
def test_figures_are_those_of_torchvision(
    kind: str, parameters: int, stride: int, reach: int
) -> None:
    """Parameters as the weights of torchvision 0.28.0 state them; before the pool, output `o` sees
    frames `stride * o - reach` to `stride * o + reach`, as measured there by perturbation."""
    graph = codsl.check(SPEC, variant=kind)
    assert graph.parameters == parameters
    rows = {row.path: row for row in graph.report().nodes}
    head = rows["layer4.block1.conv2.norm"]
    assert (head.stride, head.delay, head.receptive_field) == (stride, reach, 2 * reach + 1)


@pytest.mark.parametrize(
    ("kind", "billions"), [("r3d_18", 40.697), ("mc3_18", 43.343), ("r2plus1d_18", 40.519)]
)
def test_a_clip_costs_what_torchvision_says(kind: str, billions: float) -> None:
    """Multiply-adds of 16 frames of 112 x 112, as the weights of torchvision 0.28.0 state them."""
    graph = codsl.check(SPEC, variant=kind)
    times = graph.times[graph.base :]
    macs = sum(node.macs * length(time, 16) for node, time in zip(graph.nodes, times, strict=True))
    assert float(macs) / 1e9 == pytest.approx(billions, abs=5e-4)
