"""X3D against its structure in plain torch, cases of pytorchvideo, and its published figures."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from agreement import FOLDER, TOLERANCE, far, moving, streams, tuned
from live import installed
from references.x3d import X3D
from safetensors.torch import load_file
from zoo import Case, case

import codsl
from codsl.algebra.time import length
from codsl.mending import edited
from codsl.network import Network

SPEC = FOLDER / "x3d.codsl"
SMALL: dict[str, Any] = {"width": 0.67, "depth": 1.0, "features": 16, "classes": 5, "window": 3}
LIKE_CASE: dict[str, Any] = {**SMALL, "features": 64, "classes": 10, "window": 32}
GATES = {"x3d_nose": 0, "x3d_frame_se": 1}


@cache
def reference(gate: int) -> X3D:
    net = tuned(X3D(**SMALL, gate=gate), moving(2, 3, 24, 32, 32))
    assert isinstance(net, X3D)
    return net


def of_case(found: Case, gate: int | None, **sizes: Any) -> X3D:
    net = X3D(**{**LIKE_CASE, **sizes}, gate=gate).double().eval()
    net.load_state_dict(load_file(found.weights))
    return net


def network(spec: Any, weights: Any, **params: Any) -> Network:
    """A spec with weights under pytorchvideo's names, loaded by its rules, nothing missing."""
    net = codsl.build(spec, params=params, dtype=torch.float64).eval()
    report = codsl.load_weights(net, weights)
    assert report.checkpoint == "pytorchvideo"
    assert all(name.endswith("num_batches_tracked") for name in report.skipped)
    return net


@pytest.mark.parametrize(
    ("gate", "surface"), [(0, ".codsl"), (1, ".codsl"), (2, ".codsl"), (1, ".yaml")]
)
@torch.no_grad()
def test_clip_and_stream_are_the_reference(gate: int, surface: str) -> None:
    """Clips as short as can be, and longer than all that an output sees."""
    weights = reference(gate).state_dict()
    net = network(SPEC.with_suffix(surface), weights, **SMALL, size=32, gate=gate)
    for frames in (net.graph.min_frames, net.graph.receptive_field + 3):
        x = moving(1, 3, int(frames), 32, 32, seed=1)
        wanted = reference(gate)(x)
        assert wanted.abs().max() > 0.2
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted)


@pytest.mark.parametrize("name", GATES)
@torch.no_grad()
def test_it_is_the_case_of_pytorchvideo(name: str) -> None:
    """The output, and the features before the head, which a small head might hide."""
    found = case(name)
    text = SPEC.read_text().replace("  head = {", "  outputs stage4, head\n  head = {")
    net = network(text, found.weights, **LIKE_CASE, size=48, gate=GATES[name])
    both = net(found.input)
    assert far(both["head"].squeeze(2), found.output) <= TOLERANCE
    assert far(both["stage4"], found.tensors["tap"]) <= TOLERANCE
    theirs = of_case(found, GATES[name])
    assert far(theirs(found.input).squeeze(2), found.output) <= TOLERANCE
    assert far(theirs.features(found.input), found.tensors["tap"]) <= TOLERANCE


@pytest.mark.parametrize("name", GATES)
@torch.no_grad()
def test_a_case_streams(name: str) -> None:
    """With a head over fewer frames, a clip of the case has many outputs."""
    found = case(name)
    net = network(SPEC, found.weights, **{**LIKE_CASE, "window": 5}, size=48, gate=GATES[name])
    wanted = of_case(found, GATES[name], window=5)(found.input)
    assert far(net(found.input), wanted) <= TOLERANCE
    streams(net, found.input, wanted)


@torch.no_grad()
def test_it_is_pytorchvideo_live() -> None:
    """All of X3D-XS but its gates, which see the clip there; with them, all weights are loaded."""
    make = installed("pytorchvideo.models.x3d").create_x3d
    sizes = {"input_clip_length": 4, "input_crop_size": 64}
    x = moving(1, 3, 4, 64, 64)
    theirs = tuned(make(**sizes, se_ratio=0.0, head_activation=None), x)
    net = network(SPEC, theirs.state_dict(), window=4, size=64, gate=0)
    assert far(net(x), theirs(x).unsqueeze(2)) <= TOLERANCE
    network(SPEC, make(**sizes).double().state_dict(), window=4, size=64)


@pytest.mark.parametrize("gate", [0, 1])
def test_time_is_as_measured(gate: int) -> None:
    """pytorchvideo 0.1.5 with these 11 blocks: before the head, output `o` sees frames `o - 13` to
    `o + 13`, measured by perturbation."""
    rows = codsl.check(SPEC, params={**LIKE_CASE, "gate": gate}).report().nodes
    before = next(row for row in rows if row.path == "head.expand")
    assert (before.stride, before.delay, before.receptive_field) == (1, 13, 27)


WITHOUT_WINDOW = {
    ".codsl": (
        "adaptive_avg_pool3d(1, kernel_size=window)\n    down",
        "adaptive_avg_pool3d(1)\n    down",
    ),
    ".yaml": (
        "kernel_size: $window}\n            - conv3d: {name: down",
        "}\n            - conv3d: {name: down",
    ),
}


@pytest.mark.parametrize("surface", WITHOUT_WINDOW)
@torch.no_grad()
def test_gates_over_the_clip_are_refused_with_two_ways_out(surface: str) -> None:
    """Both load a checkpoint of gates over the clip; per frame, the spec is `gate=1`."""
    text = SPEC.with_suffix(surface).read_text()
    written, without = WITHOUT_WINDOW[surface]
    asked = text.replace(written, without.replace(", }", "}"))
    assert asked != text
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(asked)
    (found,) = caught.value.diagnostics
    assert found.code == "E0408"
    assert "a gate (squeeze-and-excitation) waits for the last frame" in found.notes[0]
    weights = reference(1).state_dict()
    for help_, gate in zip(found.helps, (1, 16), strict=True):
        ours = network(edited(asked, help_.edits), weights, **SMALL, size=32)
        same = network(SPEC, weights, **SMALL, size=32, gate=gate)
        assert (ours.delay, ours.receptive_field) == (same.delay, same.receptive_field)
        x = moving(1, 3, ours.graph.min_frames + 1, 32, 32)
        assert torch.equal(ours(x), same(x))


@torch.no_grad()
def test_the_case_of_gates_over_the_clip_loads_in_both_substitutes() -> None:
    """The reference with a gate per frame is the one that `x3d_frame_se` holds to pytorchvideo."""
    found = case("x3d_clip_se")
    theirs = of_case(found, None)
    assert far(theirs(found.input).squeeze(2), found.output) <= TOLERANCE
    assert far(theirs.features(found.input), found.tensors["tap"]) <= TOLERANCE
    for gate, window in ((1, 32), (4, 8)):
        sizes = {**LIKE_CASE, "window": window}
        net = network(SPEC, found.weights, **sizes, size=48, gate=gate)
        wanted = of_case(found, gate, window=window)(found.input)
        assert far(net(found.input), wanted) <= TOLERANCE
        assert (wanted[:, :, 0] - found.output).abs().max() > 0.01


@pytest.mark.parametrize(
    ("variant", "parameters", "billions", "frames"),
    [("xs", 3.79, 0.60, 4), ("s", 3.79, 1.96, 13), ("m", 3.79, 4.73, 16), ("l", 6.15, 18.37, 16)],
)
def test_figures_are_those_published(
    variant: str, parameters: float, billions: float, frames: int
) -> None:
    """Parameters of PyTorchVideo's model zoo; multiply-adds for a clip of PySlowFast's, cut off
    after two places as those are."""
    graph = codsl.check(SPEC, variant=variant)
    assert round(graph.parameters / 1e6, 2) == parameters
    times = graph.times[graph.base :]
    macs = sum(
        node.macs * length(time, frames) for node, time in zip(graph.nodes, times, strict=True)
    )
    assert int(macs / 1e7) / 100 == billions


@pytest.mark.parametrize(("gate", "delay"), [(1, 28 + 12), (13, 28 + 15 * 12 + 12)])
def test_delays_are_those_of_the_continual_x3d(gate: int, delay: int) -> None:
    """X3D-S as Hedegaard and Iosifidis (2022) made it continual: 40 frames with a gate per frame,
    220 with gates over windows of 13."""
    assert codsl.check(SPEC, variant="s", params={"gate": gate}).delay == delay
