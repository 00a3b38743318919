"""SlowFast: the spec against its structure in plain torch, a case of pytorchvideo, and published
figures."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import pytest
import torch
from agreement import FOLDER, TOLERANCE, far, moving, small, streams, tuned
from references.slowfast import SlowFast
from zoo import case

import codsl
from codsl.algebra.time import length

SPEC = FOLDER / "slowfast.codsl"
KINDS: dict[str, dict[str, Any]] = {
    "r50_8x8": {"alpha": 4, "kernel": 7, "window": 8},
    "r50_4x16": {"alpha": 8, "kernel": 5, "window": 16},
}
SMALL: dict[str, Any] = {"width": 8, "beta": 4, "depths": (1, 2, 1, 1), "classes": 5}


@cache
def reference(kind: str) -> SlowFast:
    net = tuned(SlowFast(**SMALL, **KINDS[kind]), moving(2, 3, 32, 32, 32))
    assert isinstance(net, SlowFast)
    return net


spec = partial(small, SPEC, root=FOLDER)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_clip_and_stream_are_the_reference(kind: str) -> None:
    """Clips as short as can be, of no whole number of slow frames, and longer than all that an
    output sees."""
    net = spec(kind, **SMALL, **KINDS[kind])
    report = codsl.load_weights(net, reference(kind).state_dict())
    assert all(name.endswith("num_batches_tracked") for name in report.skipped)
    shortest = net.graph.min_frames
    for frames in (shortest, shortest + 3, int(net.graph.receptive_field) + 6):
        x = moving(1, 3, frames, 32, 32, seed=1)
        wanted = reference(kind)(x)
        assert wanted.std() > 0.1
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_features_are_those_of_the_reference(kind: str) -> None:
    """What a small head would hide, of both pathways."""
    net = spec(kind, "slow4, fast4", **SMALL, **KINDS[kind])
    codsl.load_weights(net, reference(kind).state_dict())
    x = moving(1, 3, 41, 32, 32, seed=2)
    found = net(x)
    for name, wanted in zip(("slow4", "fast4"), reference(kind).features(x), strict=True):
        assert wanted.std() > 0.1
        assert far(found[name], wanted) <= TOLERANCE


@torch.no_grad()
def test_a_case_of_pytorchvideo() -> None:
    given = case("slowfast")
    sizes: dict[str, Any] = {"width": 16, "beta": 4, "depths": (1, 1, 1, 1), "classes": 10}
    net = spec("r50_8x8", **sizes)
    codsl.load_weights(net, given.weights)
    assert far(net(given.input)[:, :, 0], given.output) <= TOLERANCE
    streams(net, given.input, given.output[:, :, None])
    tensors = codsl.weights.read(given.weights)
    plain = SlowFast(window=32, **sizes).double().eval()
    plain.load_state_dict({name: torch.from_numpy(tensors[name]) for name in tensors})
    assert far(plain(given.input)[:, :, 0], given.output) <= TOLERANCE


@pytest.mark.parametrize(("path", "stride", "reach"), [("slow4", 4, 48), ("fast4", 1, 18)])
def test_an_output_sees_the_frames_that_were_measured(path: str, stride: int, reach: int) -> None:
    """Before the pool, output `o` of either pathway of pytorchvideo 0.1.5 sees frames
    `stride * o - reach` to `stride * o + reach`; measured there by perturbation."""
    rows = {row.path: row for row in codsl.check(SPEC).report().nodes}
    found = rows[f"{path}.block3.sum"]
    assert (found.stride, found.delay, found.receptive_field) == (stride, reach, 2 * reach + 1)


@pytest.mark.parametrize(
    ("kind", "parameters", "macs", "published"),
    [
        ("r50_8x8", 34_566_488, 65_708_888_064, (34.57, 65.71)),
        ("r50_4x16", 34_480_216, 36_099_198_976, (34.48, 36.1)),
        ("r101_8x8", 62_826_968, None, (62.83, 127.2)),
    ],
)
def test_figures_are_the_published_ones(
    kind: str, parameters: int, macs: int | None, published: tuple[float, float]
) -> None:
    """Of 32 frames of 256 x 256: parameters and multiply-adds as counted in pytorchvideo 0.1.5,
    less 3 of the 4 places for which it computes logits; and those of its model zoo, that of 4x16
    from the paper."""
    graph = codsl.check(SPEC, variant=kind, params={"size": 256})
    assert graph.parameters == parameters
    assert parameters / 1e6 == pytest.approx(published[0], abs=0.005)
    times = graph.times[graph.base :]
    found = sum(node.macs * length(time, 32) for node, time in zip(graph.nodes, times, strict=True))
    assert macs in (None, found)
    assert float(found) / 1e9 == pytest.approx(published[1], rel=0.02)
