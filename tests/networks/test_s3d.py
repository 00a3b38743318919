"""S3D: the spec against its structure in plain torch, torchvision's own where it is installed, and
published figures."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from agreement import FOLDER, TOLERANCE, far, moving, streams, tuned
from references.s3d import S3D

import codsl
from codsl.algebra.time import length

SPEC = FOLDER / "s3d.codsl"
SMALL: dict[str, Any] = {"classes": 5, "head": 1, "window": 1}

KEPT: list[Any] = []
"""What is forgotten with its object."""


@cache
def reference() -> S3D:
    net = tuned(S3D(**SMALL), moving(2, 3, 48, 32, 32))
    assert isinstance(net, S3D)
    return net


def spec(weights: torch.nn.Module, outputs: str = "", **params: Any) -> codsl.Network:
    """The spec in float64 with the weights of a reference; `outputs` besides the logits."""
    text = SPEC.read_text()
    if outputs:
        text = text.replace(" size, size)\n", f" size, size)\n  outputs {outputs}, classify\n")
    net = codsl.build(text, params=params, dtype=torch.float64).eval()
    report = codsl.load_weights(net, weights.state_dict())
    assert all(name.endswith("num_batches_tracked") for name in report.skipped)
    return net


@torch.no_grad()
def test_clip_and_stream_are_the_reference() -> None:
    """Clips as short as can be, and longer than all that an output sees."""
    net = spec(reference(), size=32, **SMALL)
    for frames in (net.graph.min_frames, int(net.graph.receptive_field) + 3):
        x = moving(1, 3, frames, 32, 32, seed=1)
        wanted = reference()(x)
        assert wanted.std() > 0.1
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted, chunk=9)


@torch.no_grad()
def test_features_are_those_of_the_reference() -> None:
    """What a small head would hide, of frames of 2 x 2 at the end."""
    net = spec(reference(), "mixed15", size=64, **SMALL)
    x = moving(1, 3, 19, 64, 64, seed=2)
    wanted = reference().features(x)
    assert wanted.std() > 0.1
    assert far(net(x)["mixed15"], wanted) <= TOLERANCE


@torch.no_grad()
def test_the_last_window_is_a_mean_of_logits() -> None:
    net = spec(reference(), size=32, classes=5, head=1, window=2)
    x = moving(1, 3, 33, 32, 32, seed=3)
    wanted = torch.nn.functional.avg_pool1d(reference()(x), 2, 1)
    assert wanted.shape[2] == 2
    assert far(net(x), wanted) <= TOLERANCE


def torchvision_s3d() -> Any:
    """torchvision's; a wheel that finds none of its operators is told of the two it asks for."""
    try:
        from torchvision.models.video import s3d
    except RuntimeError:
        KEPT.append(torch.library.Library("torchvision", "DEF"))
        for name in ("nms", "qnms"):
            KEPT[0].define(f"{name}(Tensor dets, Tensor scores, float threshold) -> Tensor")
        from torchvision.models.video import s3d
    return s3d


@pytest.mark.skipif(find_spec("torchvision") is None, reason="torchvision is not installed")
@torch.no_grad()
def test_torchvision_agrees() -> None:
    """Of 16 frames of 224 x 224, whose 2 items make one item of the pool."""
    s3d = torchvision_s3d()
    x = moving(1, 3, 16, 224, 224)
    live = tuned(s3d(num_classes=5), x)
    found = spec(live, classes=5, window=1)(x)
    assert far(found[:, :, 0], live(x)) <= TOLERANCE


def test_an_output_sees_the_frames_that_were_measured() -> None:
    """Before the pool, output `o` of torchvision 0.28.0 sees frames `8 * o - 47` to `8 * o + 51`;
    measured there by perturbation."""
    rows = {row.path: row for row in codsl.check(SPEC).report().nodes}
    found = rows["mixed15.concat"]
    assert (found.stride, found.delay, found.receptive_field) == (8, 51, 47 + 1 + 51)


def test_figures_are_those_of_torchvision() -> None:
    """Parameters and multiply-adds of 16 frames of 224 x 224, as the weights of torchvision 0.28.0
    state them."""
    graph = codsl.check(SPEC)
    assert graph.parameters == 8_320_048
    times = graph.times[graph.base :]
    macs = sum(node.macs * length(time, 16) for node, time in zip(graph.nodes, times, strict=True))
    assert float(macs) / 1e9 == pytest.approx(17.979, abs=5e-4)
