"""X3D against its structure in plain torch, cases of pytorchvideo, and its published figures."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

import codsl
from codsl.algebra.time import length
from networks.agreement import FOLDER, TOLERANCE, far, moving, streams, tuned
from networks.references.x3d import X3D
from networks.zoo import case

SPEC = FOLDER / "x3d.codsl"
SMALL: dict[str, Any] = {"width": 0.67, "depth": 1.0, "features": 16, "classes": 5, "window": 3}
CASE: dict[str, Any] = {**SMALL, "features": 64, "classes": 10, "window": 32, "size": 48}
GATES = {"none": 0, "frame": 1}


@cache
def reference(gate: str) -> X3D:
    net = tuned(X3D(**SMALL, gate=gate), moving(2, 3, 12, 32, 32))
    assert isinstance(net, X3D)
    return net


def network(weights: Any, surface: str = ".codsl", **params: Any) -> codsl.Network:
    """The spec with weights under pytorchvideo's names, loaded by its rules, nothing missing."""
    path = SPEC.with_suffix(surface)
    net = codsl.build(path, params={**SMALL, "size": 32, **params}, dtype=torch.float64).eval()
    report = codsl.load_weights(net, weights)
    assert report.checkpoint == "pytorchvideo"
    assert all(name.endswith("num_batches_tracked") for name in report.skipped)
    return net


@pytest.mark.parametrize("surface", [".codsl", ".yaml"])
@pytest.mark.parametrize("gate", GATES)
@torch.no_grad()
def test_clip_and_stream_are_the_reference(gate: str, surface: str) -> None:
    """Clips as short as can be, and longer than all that an output sees."""
    net = network(reference(gate).state_dict(), surface, gate=GATES[gate])
    for frames in (net.graph.min_frames, net.graph.receptive_field + 3):
        x = moving(1, 3, int(frames), 32, 32, seed=1)
        wanted = reference(gate)(x)
        assert wanted.abs().max() > 0.2
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted)


def gated(self: Any, x: Tensor, window: int) -> Tensor:
    """The gates of sliding windows, each upon the frame amid its own."""
    means = x.mean((3, 4), keepdim=True).unfold(2, window, 1).mean(-1)
    front = (window - 1) // 2
    return x[:, :, front : front + means.shape[2]] * self.block(means)
