"""Recurrent layers: torch's numbers, endless streams, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from row_networks import assert_refused
from torch import nn

import codsl
from harness.contract import contract

FRAMES = 100_000
STEPS = 10_000
FEWER = 5000
CHUNK = 200


def built(layer: dict[str, Any], channels: int = 3, space: tuple[int, ...] = ()) -> codsl.Network:
    """A network of one layer."""
    torch.manual_seed(1)
    spec = {"codsl": 1, "input": [channels, "T", *space], "layers": [layer]}
    return codsl.build(spec, dtype=torch.float64).eval()


@pytest.mark.parametrize(
    ("name", "arguments", "frames"),
    [
        ("rnn", {"num_layers": 2}, FEWER),
        ("rnn", {"nonlinearity": "relu"}, FRAMES),
        ("gru", {"num_layers": 2}, FEWER),
        ("lstm", {"num_layers": 2, "proj_size": 2}, FEWER),
    ],
)
def test_streams_do_not_drift(name: str, arguments: dict[str, Any], frames: int) -> None:
    """After so many frames the answer is that of the clip, which is torch's; all beyond `STEPS`
    come in chunks."""
    net = built({name: {"name": "r", "hidden_size": 4, **arguments}})
    theirs = getattr(nn, name.upper())(3, 4, batch_first=True, dtype=torch.float64, **arguments)
    theirs.load_state_dict(net.get_submodule("r").state_dict())
    x = torch.randn(2, 3, frames, dtype=torch.float64)
    with torch.no_grad():
        wanted = theirs(x.transpose(1, 2))[0].transpose(1, 2)
        assert torch.equal(net(x), wanted)
        steps = [net.forward_step(frame) for frame in x[:, :, :STEPS].unbind(2)]
        rest = x[:, :, STEPS:].split(CHUNK, 2) if frames > STEPS else ()
        found = torch.cat([torch.stack(steps, 2), *(net.forward_steps(each) for each in rest)], 2)
    worst = (found - wanted).abs().max().item()
    assert worst < 1e-12


def test_a_state_is_carried_under_its_name() -> None:
    net = built({"lstm": {"name": "memory", "hidden_size": 4, "num_layers": 2, "proj_size": 2}})
    state = net.init_state(5)
    assert state.names[-2:] == ("memory:h", "memory:c")
    assert state.layout[-2:] == ((2, 2), (2, 4))
    assert net.receptive_field == math.inf
    assert (net.delay, net.min_frames) == (0, 1)
    assert net.graph.report().to_dict()["total"]["receptive_field"] is None


def test_gradients_are_those_of_the_clip() -> None:
    """While training, a stream carries its graph on."""
    net = built({"gru": {"name": "r", "hidden_size": 4}}).train()
    x = torch.randn(2, 3, 9, dtype=torch.float64)
    weights = dict(net.named_parameters())
    wanted = torch.autograd.grad(net(x).square().sum(), list(weights.values()))
    steps = torch.stack([net.forward_step(frame) for frame in x.unbind(2)], 2)
    found = torch.autograd.grad(steps.square().sum(), list(weights.values()))
    for name, one, other in zip(weights, found, wanted, strict=True):
        assert (one - other).abs().max() < 1e-12, name


def test_a_recurrent_layer_among_others_keeps_the_contract() -> None:
    """Behind a stride and a window, in a residual, and before a window."""
    spec = {
        "codsl": 1,
        "input": [2, "T", 4],
        "layers": [
            {"conv2d": {"out_channels": 3, "kernel_size": 3, "stride": [2, 1], "padding": [1, 0]}},
            "flatten",
            {
                "residual": {
                    "layers": [
                        {"gru": {"hidden_size": 5}},
                        {"conv1d": {"out_channels": 6, "kernel_size": 3, "padding": 1}},
                    ]
                }
            },
            {"lstm": {"hidden_size": 4}},
            {"max_pool1d": {"kernel_size": 2, "stride": 1}},
        ],
    }
    torch.manual_seed(2)
    net = codsl.build(spec, dtype=torch.float64).eval()
    assert net.receptive_field == math.inf
    contract(net)


@pytest.mark.parametrize(
    ("layer", "code", "helped"),
    [
        ({"rnn": {"hidden_size": 4, "bidirectional": True}}, "E0409", "leave `bidirectional`"),
        ({"gru": {"hidden_size": 4, "input_size": 5}}, "E0402", "leave `input_size` out"),
        ({"lstm": {"hidden_size": 4, "proj_size": 4}}, "E0402", "leave `proj_size` out"),
        ({"lstm": {"hidden_size": 4, "proj_size": -1}}, "E0305", ""),
        ({"gru": {"hidden_size": 4, "num_layers": 2**24}}, "E0311", ""),
        ({"rnn": {"hidden_size": 4, "nonlinearity": "relu6"}}, "E0305", ""),
        ({"rnn": {"hidden_size": 4, "batch_first": True}}, "E0303", ""),
    ],
)
def test_what_cannot_be_is_refused(layer: dict[str, Any], code: str, helped: str) -> None:
    assert_refused(lambda: built(layer), code, helped)


def test_frames_with_space_are_refused() -> None:
    with pytest.raises(codsl.SpecError, match="put `flatten` before it") as error:
        built({"gru": {"hidden_size": 4}}, space=(5,))
    assert [each.code for each in error.value.diagnostics] == ["E0401"]
