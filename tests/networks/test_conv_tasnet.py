"""The masker of Conv-TasNet with each norm, held against its structure in plain torch.

Figures over time of the zoo's cases were measured on `TDConvNet` of asteroid 0.7.0.
"""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
import torch
from agreement import FOLDER, TOLERANCE, far, moving, streams, tuned
from references.conv_tasnet import Masker
from safetensors.torch import load_file
from torch import Tensor
from zoo import case

import codsl
from codsl.network import Network

SPEC = FOLDER / "conv_tasnet.codsl"
SMALL: dict[str, Any] = {
    "filters": 6, "sources": 3, "width": 5, "inner": 7, "skip": 4, "kernel": 3, "blocks": 2,
    "repeats": 2,
}  # fmt: skip
MEASURED: dict[str, Any] = {
    "filters": 32, "sources": 2, "width": 16, "inner": 32, "skip": 16, "kernel": 3, "blocks": 4,
    "repeats": 2,
}  # fmt: skip
NORMS = {"cLN": None, "cgLN": "cgln", "BN": "bn"}
"""The variant for each of asteroid's norms that a stream can have."""
ACTS = {"relu": torch.relu, "sigmoid": torch.sigmoid, "softmax": lambda x: x.softmax(1)}


def masks(clip: Tensor) -> Tensor:
    """asteroid's `(B, sources, filters, T)` with time where a clip has it."""
    return clip.transpose(2, 3)


def reference(norm: str, act: str = "relu") -> torch.nn.Module:
    return tuned(Masker(**SMALL, norm=norm, act=ACTS[act]), moving(2, 6, 40))


def loaded(norm: str, state: dict[str, Tensor], act: str = "relu") -> Network:
    sizes = {**SMALL, "act": act}
    net = codsl.build(SPEC, variant=NORMS[norm], params=sizes, dtype=torch.float64).eval()
    report = codsl.load_weights(net, state)
    assert (report.checkpoint, report.kept) == ("asteroid", ())
    assert all(name.endswith("num_batches_tracked") for name in report.skipped)
    return net


@pytest.mark.parametrize(
    ("norm", "act"), [("cLN", "relu"), ("cLN", "softmax"), ("cgLN", "sigmoid"), ("BN", "softmax")]
)
@torch.no_grad()
def test_clip_and_stream_are_the_reference(norm: str, act: str) -> None:
    theirs = reference(norm, act)
    net = loaded(norm, theirs.state_dict(), act)
    for frames in (1, 7, 40):
        x = moving(2, 6, frames, seed=frames)
        wanted = masks(theirs(x))
        assert wanted.std() > 0.05
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted)


@torch.no_grad()
def test_the_global_norm_is_none_that_a_stream_can_have() -> None:
    """With `gLN` the first mask depends on the last frame. Its tensors are called alike, so what
    was trained with it can go on to be trained with a norm of all frames so far."""
    theirs = reference("gLN")
    x = moving(1, 6, 20, seed=1)
    changed = x.clone()
    changed[:, :, -1] += 1
    assert (theirs(changed) - theirs(x))[..., 0].abs().max() > 1e-3
    net = loaded("cgLN", theirs.state_dict())
    assert torch.equal(net(changed)[:, :, :-1], net(x)[:, :, :-1])


@pytest.mark.parametrize("norm", NORMS)
def test_time_is_as_measured(norm: str) -> None:
    """Output `o` sees inputs `o - 60` to `o`; with `cgLN` all that there were."""
    graph = codsl.check(SPEC, variant=NORMS[norm], params=MEASURED)
    assert graph.parameters == 16_545
    field = inf if norm == "cgLN" else 61
    assert (graph.delay, graph.receptive_field, graph.stride) == (0, field, 1)


@pytest.mark.parametrize("norm", ["cLN", "cgLN"])
@torch.no_grad()
def test_it_is_asteroid(norm: str) -> None:
    found = case(f"convtasnet_masker_causal_{norm.lower()}")
    sizes = {**MEASURED, "act": "sigmoid"}
    net = codsl.build(SPEC, variant=NORMS[norm], params=sizes, dtype=torch.float64).eval()
    codsl.load_weights(net, found.weights)
    assert far(net(found.input), masks(found.output)) <= TOLERANCE
    streams(net, found.input, masks(found.output))
    ours = Masker(**MEASURED, norm=norm, act=torch.sigmoid).double().eval()
    ours.load_state_dict(load_file(found.weights))
    assert far(ours(found.input), found.output) <= TOLERANCE


def test_it_is_as_large_as_published() -> None:
    """Luo and Mesgarani (2019), table II: 5.1 million parameters with the encoder and the decoder,
    512 filters of 16 samples each, and 1.53 seconds in hops of 8 samples at 8 kHz."""
    graph = codsl.check(SPEC)
    both = graph.parameters + 2 * 512 * 16
    assert round(both / 1e6, 1) == 5.1
    samples = (graph.receptive_field - 1) * 8 + 16
    assert round(samples / 8000, 2) == 1.53
