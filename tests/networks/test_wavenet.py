"""WaveNet, held against its structure in plain torch.

Figures over time of the zoo's case were measured on wavenet_vocoder 0.1.1.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from agreement import FOLDER, TOLERANCE, far, streams, tuned
from references.wavenet import WaveNet, one_hot
from safetensors.torch import load_file
from zoo import case

import codsl

SPEC = FOLDER / "wavenet.codsl"
SMALL: dict[str, Any] = {
    "classes": 9, "layers": 6, "stacks": 2, "width": 5, "gates": 6, "skips": 4, "kernel": 2,
}  # fmt: skip
MEASURED: dict[str, Any] = {
    "classes": 32, "layers": 8, "stacks": 2, "width": 16, "gates": 32, "skips": 16, "kernel": 3,
}  # fmt: skip


@pytest.mark.parametrize("layers", [1, 2, 6])
@torch.no_grad()
def test_clip_and_stream_are_the_reference(layers: int) -> None:
    """Each layer halves the power of what was skipped before it, but the first one has nothing
    to halve."""
    sizes = {**SMALL, "layers": layers, "stacks": 1 + (layers == 6)}
    reference = tuned(WaveNet(**sizes), one_hot(9, 40, 0))
    net = codsl.build(SPEC, params=sizes, dtype=torch.float64).eval()
    report = codsl.load_weights(net, reference.state_dict())
    assert (report.checkpoint, report.kept, report.skipped) == ("wavenet_vocoder", (), ())
    for frames in (1, 9, 40):
        x = one_hot(9, frames, frames)
        wanted = reference(x)
        assert wanted.std() > 0.1
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted)


def test_time_is_as_measured() -> None:
    """Output `o` sees inputs `o - 60` to `o`."""
    graph = codsl.check(SPEC, params=MEASURED)
    assert graph.parameters == 18_816
    assert (graph.delay, graph.receptive_field, graph.stride) == (0, 61, 1)


@torch.no_grad()
def test_it_is_wavenet_vocoder() -> None:
    found = case("wavenet")
    net = codsl.build(SPEC, params=MEASURED, dtype=torch.float64).eval()
    codsl.load_weights(net, found.weights)
    assert far(net(found.input), found.output) <= TOLERANCE
    streams(net, found.input, found.tensors["stream_output"], chunk=50)
    ours = WaveNet(**MEASURED).double().eval()
    ours.load_state_dict(load_file(found.weights))
    assert far(ours(found.input), found.output) <= TOLERANCE


def test_it_sees_as_far_as_published() -> None:
    """A block of dilations 1, 2, 4 ... 512 sees 1024 samples (van den Oord et al., 2016, section
    2.1); as many as wavenet_vocoder's `receptive_field_size` says of others."""
    one = codsl.check(SPEC, variant="paper", params={"layers": 10, "stacks": 1})
    assert one.receptive_field == 1024
    assert codsl.check(SPEC, variant="paper").receptive_field == 3070
    assert codsl.check(SPEC).receptive_field == 4093
    deep = codsl.check(SPEC, params={"layers": 24, "stacks": 4, "skips": 256})
    assert deep.receptive_field == 505
