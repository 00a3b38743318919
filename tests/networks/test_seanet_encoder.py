"""The encoder of EnCodec, held against its structure in plain torch.

Figures over time of the zoo's case were measured on `SEANetEncoder` of encodec 0.1.1 with
`pad_mode="constant"`.
"""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
import torch
from agreement import FOLDER, TOLERANCE, far, moving, streams, tuned
from references.seanet import Encoder
from safetensors.torch import load_file
from zoo import case

import codsl

SPEC = FOLDER / "seanet_encoder.codsl"
SMALL: dict[str, dict[str, Any]] = {
    "encodec": {
        "channels": 2, "width": 4, "ratios": (1, 2, 3, 2), "depth": 1, "lstm": 2, "features": 5,
    },
    "encodec, deeper": {
        "channels": 1, "width": 4, "ratios": (2, 3, 2), "depth": 2, "lstm": 0, "features": 5,
    },
}  # fmt: skip
MEASURED: dict[str, Any] = {
    "channels": 1, "width": 8, "ratios": (2, 4, 5), "depth": 2, "lstm": 0, "features": 32,
}  # fmt: skip


@pytest.mark.parametrize("known", SMALL)
@torch.no_grad()
def test_clip_and_stream_are_the_reference(known: str) -> None:
    """The last output comes of a clip of any length, with zeros where that ends too soon."""
    channels = SMALL[known]["channels"]
    reference = tuned(Encoder(**SMALL[known]), moving(2, channels, 48))
    net = codsl.build(SPEC, params=SMALL[known], dtype=torch.float64).eval()
    report = codsl.load_weights(net, reference.state_dict())
    assert (report.checkpoint, report.kept, report.skipped) == (known, (), ())
    for frames in (1, 12, 13, 23, 260):
        x = moving(1, channels, frames, seed=frames)
        wanted = reference(x)
        assert wanted.shape[2] == -(-frames // 12)
        assert wanted.abs().max() > 0.05
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted)


@torch.no_grad()
def test_it_is_found_in_the_whole_codec() -> None:
    reference = tuned(Encoder(**SMALL["encodec"]), moving(2, 2, 48))
    state = {f"encoder.{name}": each for name, each in reference.state_dict().items()}
    others = {"decoder.model.0.conv.conv.bias": torch.zeros(3), "quantizer.embed": torch.zeros(3)}
    net = codsl.build(SPEC, params=SMALL["encodec"], dtype=torch.float64).eval()
    report = codsl.load_weights(net, {**state, **others}, envelope="encoder")
    assert (report.checkpoint, report.kept, report.skipped) == ("encodec", (), ())
    x = moving(1, 2, 50, seed=1)
    assert far(net(x), reference(x)) <= TOLERANCE


def test_time_is_as_measured() -> None:
    """Output `o` sees inputs `40 * o - 362` to `40 * o + 39`."""
    graph = codsl.check(SPEC, params=MEASURED)
    assert graph.parameters == 48_408
    assert (graph.delay, graph.receptive_field, graph.stride) == (39, 362 + 1 + 39, 40)


@torch.no_grad()
def test_it_is_encodec() -> None:
    found = case("seanet_encoder_causal")
    net = codsl.build(SPEC, params=MEASURED, dtype=torch.float64).eval()
    codsl.load_weights(net, found.weights)
    assert far(net(found.input), found.output) <= TOLERANCE
    streams(net, found.input, found.output, chunk=333)
    ours = Encoder(**MEASURED).double().eval()
    ours.load_state_dict(load_file(found.weights))
    assert far(ours(found.input), found.output) <= TOLERANCE


def test_it_is_as_published() -> None:
    """Defossez et al. (2022), section 3.1: 75 latent steps of a second at 24 kHz, and 320 samples,
    13 ms, until the first; parameters as its reference implementation counts them."""
    graph = codsl.check(SPEC)
    assert graph.parameters == 7_425_792
    assert 24_000 / graph.stride == 75
    assert (graph.delay + 1, graph.receptive_field) == (320, inf)
