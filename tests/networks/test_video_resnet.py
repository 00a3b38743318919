"""C2D, I3D and Slow: the spec against their structure in plain torch, a case of pytorchvideo, and
the figures that they are published with."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import pytest
import torch
from agreement import FOLDER, TOLERANCE, far, moving, small, streams, tuned
from references.video_resnet import VideoResNet
from zoo import case

import codsl
from codsl.algebra.time import length

SPEC = FOLDER / "video_resnet.codsl"
SMALL: dict[str, Any] = {"width": 4, "depths": (2, 2, 3, 2), "classes": 5, "window": 3}
KINDS: dict[str, dict[str, Any]] = {
    "slow": {},
    "c2d": {"pool": 2, "kernels": ((1, 1),) * 4},
    "i3d": {"stem_kernel": 5, "pool": 2, "kernels": ((3, 3), (3, 1), (3, 1), (1, 3))},
}
CASES = {"slow_resnet": ("slow", 16), "i3d_resnet": ("i3d", 8)}
"""The cases of pytorchvideo, and the frames that their pools see."""


@cache
def reference(kind: str) -> VideoResNet:
    net = tuned(VideoResNet(**SMALL, **KINDS[kind]), moving(2, 3, 12, 32, 32))
    assert isinstance(net, VideoResNet)
    return net


spec = partial(small, SPEC)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_clip_and_stream_are_the_reference(kind: str) -> None:
    """Clips as short as can be, and longer than all that an output sees."""
    net = spec(kind, **SMALL)
    report = codsl.load_weights(net, reference(kind).state_dict())
    assert all(name.endswith("num_batches_tracked") for name in report.skipped)
    for frames in (net.graph.min_frames, int(net.graph.receptive_field) + 5):
        x = moving(1, 3, frames, 32, 32, seed=1)
        wanted = reference(kind)(x)
        assert wanted.std() > 0.1
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_features_are_those_of_the_reference(kind: str) -> None:
    """What a small head would hide."""
    net = spec(kind, "stage4", **SMALL)
    codsl.load_weights(net, reference(kind).state_dict())
    x = moving(1, 3, 17, 32, 32, seed=2)
    wanted = reference(kind).features(x)
    assert wanted.std() > 0.1
    assert far(net(x)["stage4"], wanted) <= TOLERANCE


@pytest.mark.parametrize("name", CASES)
@torch.no_grad()
def test_a_case_of_pytorchvideo(name: str) -> None:
    given = case(name)
    kind, window = CASES[name]
    sizes = {"width": 8, "classes": 10, "window": window}
    net = spec(kind, "stage4", **sizes)
    codsl.load_weights(net, given.weights)
    found = net(given.input)
    assert far(found["classify"][:, :, 0], given.output) <= TOLERANCE
    assert far(found["stage4"], given.tensors["tap"]) <= TOLERANCE
    alone = spec(kind, **sizes)
    codsl.load_weights(alone, given.weights)
    streams(alone, given.input, given.output[:, :, None])
    plain = VideoResNet(**sizes, **KINDS[kind]).double().eval()
    plain.load_state_dict(read(given.weights))
    assert far(plain(given.input)[:, :, 0], given.output) <= TOLERANCE


def read(weights: Any) -> dict[str, torch.Tensor]:
    """The tensors of a file of weights, by name."""
    tensors = codsl.weights.read(weights)
    return {name: torch.from_numpy(tensors[name]) for name in tensors}


@pytest.mark.parametrize(
    ("kind", "stride", "first", "last"),
    [("slow", 1, -9, 9), ("i3d", 2, -17, 18), ("c2d", 2, 0, 1)],
)
def test_an_output_sees_the_frames_that_were_measured(
    kind: str, stride: int, first: int, last: int
) -> None:
    """Before the pool, output `o` of pytorchvideo 0.1.5 sees frames `stride * o + first` to
    `stride * o + last`; measured there by perturbation."""
    rows = {row.path: row for row in codsl.check(SPEC, variant=kind).report().nodes}
    found = rows["stage4.block3.sum"]
    assert (found.stride, found.delay, found.receptive_field) == (stride, last, last - first + 1)


@pytest.mark.parametrize(
    ("kind", "parameters", "macs", "published"),
    [
        ("c2d", 24_327_632, 25_460_244_480, 25.89),
        ("i3d", 28_043_472, 37_103_632_384, 37.53),
        ("slow", 32_454_096, 54_518_382_592, 54.52),
    ],
)
def test_figures_are_those_of_pytorchvideo(
    kind: str, parameters: int, macs: int, published: float
) -> None:
    """Of R50 for 8 frames of 256 x 256: parameters and multiply-adds as counted in pytorchvideo
    0.1.5, less 3 of the 4 places for which it computes logits; and those of its model zoo, which
    counts more than convolutions in C2D and I3D."""
    graph = codsl.check(SPEC, variant=kind, params={"size": 256})
    assert graph.parameters == parameters
    times = graph.times[graph.base :]
    found = sum(node.macs * length(time, 8) for node, time in zip(graph.nodes, times, strict=True))
    assert found == macs
    assert float(found) / 1e9 == pytest.approx(published, rel=0.02)
