"""`codsl.testing.verify`: what it takes, and what it leaves as it was."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import codsl
import codsl.nn as co
from changing import SMALL, Change, change, forgotten
from codsl.algebra.ports import Inlet, Outlet
from codsl.algebra.time import IDENTITY
from codsl.graph.graph import times_of
from codsl.graph.node import Edge
from codsl.testing import ContractError, trial, verify

__all__ = ["forgotten"]

SPECS = {
    "dict": SMALL,
    "text": "codsl 1\nnetwork n { input (2, T, 5) conv2d(3, 3, padding=1) relu }\n",
    "path": Path(__file__).parents[1] / "networks" / "squeeze_excitation.yaml",
    "graph": codsl.check(SMALL),
}


@pytest.mark.parametrize("kind", SPECS)
def test_a_spec_is_built_and_verified(kind: str) -> None:
    found = verify(SPECS[kind])
    assert "float64" in found.cases[0]
    assert all(found.checks.values())


def test_a_spec_with_mistakes_says_so() -> None:
    with pytest.raises(codsl.SpecError):
        verify({**SMALL, "layers": ["nothing"]})


ENCODER = co.TransformerEncoderLayerFactory(4, 2, 8, sequence_len=3)

HAND: dict[str, tuple[Any, Any]] = {
    "convolution": (lambda: co.Conv2d(3, 4, 3, padding=1), (3, 7)),
    "row": (lambda: co.Sequential(co.Conv1d(3, 4, 3), nn.BatchNorm1d(4), nn.ReLU()), (3,)),
    "residual": (lambda: co.Residual(co.Conv1d(3, 3, 3, padding=1)), (3,)),
    "branches": (
        lambda: co.BroadcastReduce(co.Conv1d(3, 4, 1), co.Conv1d(3, 4, 5, padding=2)),
        (3,),
    ),
    "several in and out": (lambda: co.Parallel(co.Conv1d(3, 4, 3), co.Delay(2)), [(3,), (2, 2)]),
    "fan out": (lambda: co.Broadcast(2), (3,)),
    "memory": (lambda: co.Sequential(co.GRU(3, 4)), (3,)),
    "memory by itself": (lambda: co.LSTM(3, 4), (3,)),
    "one encoder": (lambda: co.TransformerEncoder(ENCODER, 1), (4,)),
    "attention": (lambda: co.RetroactiveMultiheadAttention(4, 2, sequence_len=3), (4,)),
    "frames alone": (lambda: co.forward_stepping(nn.Conv2d(3, 4, 1)), (3, 5)),
    "function": (lambda: co.Lambda(lambda x: 2 * x), (3,)),
    "bursts": (lambda: co.ConvTranspose1d(3, 2, 4, stride=2, padding=1), (3,)),
    "example": (lambda: co.Conv1d(3, 4, 3), torch.rand(1, 3, 5)),
}


@pytest.mark.parametrize("name", HAND)
def test_modules_by_hand_are_verified(name: str) -> None:
    module, given = HAND[name]
    found = verify(module(), input=given)
    assert all(found.checks.values()), found


def test_what_goes_in_is_asked_for() -> None:
    with pytest.raises(ValueError, match=r"give `input`, the shape of a frame \(C, \*S\)"):
        verify(co.Conv1d(3, 4, 3))
    seen = co.Conv1d(3, 4, 3).eval()
    seen.forward_step(torch.rand(1, 3))
    assert verify(seen).cases
    with pytest.raises(ValueError, match="the shape of a frame is"):
        verify(seen, input=(0,))
    with pytest.raises(ValueError, match="an example clip is"):
        verify(seen, input=torch.rand(3, 4))
    with pytest.raises(TypeError, match="`input` is the shape"):
        verify(seen, input="three")
    with pytest.raises(ValueError, match="not some of each"):
        verify(co.Reduce("sum"), input=[(3,), torch.rand(1, 3, 4)])
    for given in (nn.Conv1d(3, 4, 3), 5, nn.Conv1d):
        with pytest.raises(TypeError, match="what is verified is"):
            verify(given)


def test_nothing_is_changed() -> None:
    net = codsl.build(SMALL).train()
    x = torch.rand(1, 2, 3)
    net.eval().forward_steps(x)
    net.train()
    before, state = copy.deepcopy(net.state_dict()), net.get_state()
    drawn, python = torch.get_rng_state(), random.getstate()
    verify(net)
    verify(Path(__file__).parents[1] / "networks" / "squeeze_excitation.yaml", seed=3)
    assert net.training
    assert net.get_state() is state
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert all(weight.grad is None for weight in net.parameters())
    assert torch.equal(torch.get_rng_state(), drawn)
    assert random.getstate() == python


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_precision_is_the_networks(dtype: torch.dtype) -> None:
    found = verify(codsl.build(SMALL, dtype=dtype))
    assert str(dtype).removeprefix("torch.") in found.cases[0]


def test_it_runs_where_gradients_are_off() -> None:
    net = codsl.build(SMALL)
    with torch.inference_mode():
        assert verify(net).checks["gradients"]
    with torch.no_grad():
        assert verify(net).checks["gradients"]


def test_the_same_seed_tries_the_same() -> None:
    assert verify(SMALL, seed=5) == verify(SMALL, seed=5)
    with pytest.raises(ValueError, match="seed is an integer"):
        verify(SMALL, seed="5")  # type: ignore[arg-type]


def test_the_tolerance_is_what_is_asked() -> None:
    codsl.register(Change, change)
    assert verify(Change, tolerance=1e-4).cases

    def rough(x: Tensor) -> Tensor:
        return change(x) * (1 + 1e-5 * x.shape[2])

    rough.__name__ = "change"
    codsl.register(Change, rough)
    with pytest.raises(ContractError, match=r"off by .*, 1e-10 is allowed"):
        verify(Change)
    with pytest.raises(ContractError, match="gradient"):
        verify(Change, tolerance=0.1)
    with pytest.raises(ValueError, match="tolerance a number above 0"):
        verify(Change, tolerance=0)


LONG = {
    "codsl": 1,
    "input": [1, "T"],
    "layers": [{"conv1d": {"out_channels": 1, "kernel_size": 300}}],
}


def test_long_clips_are_asked_for() -> None:
    with pytest.raises(ValueError, match=r"clips of 305 frames are needed .* give frames=305"):
        verify(LONG)
    with pytest.raises(ValueError, match="frames is at least 301, and 305 shows all"):
        verify(LONG, frames=300)
    part = verify(LONG, frames=301)
    assert part.cases[0].endswith("clips of up to 301 frames of the 305 that show all")
    assert verify(LONG, frames=305).checks["windows"]


def test_large_networks_are_tried_in_some_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    every = verify(SMALL)
    monkeypatch.setattr(trial, "WORK", 1)
    some = verify(SMALL)
    assert some.checks["clips"] < every.checks["clips"]
    assert all(some.checks.values())


def test_an_endless_past_that_begins_late_is_found_where_few_frames_are_spoilt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A dilated stride leaves the first frames out."""
    pool = {"kernel_size": 2, "stride": 2, "padding": [[1, 2]], "dilation": 2}
    layers = [{"max_pool1d": pool}, {"cumulative_layer_norm": {"name": "norm", "eps": 0.1}}]
    monkeypatch.setattr(trial, "WORK", 1)
    found = verify({"codsl": 1, "input": [1, "T"], "layers": layers})
    assert found.checks["windows"]


@pytest.mark.parametrize("behind", ["identity", "conv1d(2, 3, padding=1)", "lstm(3)"])
@pytest.mark.parametrize("bias", ["true", "false"])
def test_outputs_of_bias_alone_see_no_frame(behind: str, bias: str) -> None:
    spec = (
        "codsl 1\nnetwork n {\n input (4, T)\n outputs all, blind\n"
        f" all = conv_transpose1d(4, 1, stride=2, padding=((1, 0),), bias={bias})\n"
        f" subsample(2)\n blind = {behind}\n}}\n"
    )
    assert verify(spec).checks["windows"]


def test_several_inputs_and_outputs_by_name() -> None:
    layers = [
        {"join": {"name": "met", "from": ["input", "input"], "aggregation": "sum"}},
        {"conv1d": {"name": "wide", "out_channels": 3, "kernel_size": 5, "padding": 2}},
        {"conv1d": {"name": "slow", "out_channels": 2, "kernel_size": 3, "stride": 3}},
    ]
    graph = codsl.check({"codsl": 1, "input": [2, "T"], "layers": layers})
    met, *rest = graph.nodes
    nodes = [replace(met, edges=(Edge(0, IDENTITY), Edge(1, IDENTITY)))]
    for node in rest:
        (edge,) = node.edges
        nodes.append(replace(node, edges=(Edge(edge.source + 1, edge.reach),)))
    two = replace(
        graph,
        name="two",
        inputs=(Inlet("left", graph.input), Inlet("right", graph.input)),
        nodes=tuple(nodes),
        outputs=(Outlet("early", 2), Outlet("late", 3), Outlet("rare", 4)),
        times=times_of(tuple(nodes), 2),
    )
    found = verify(two)
    assert found.cases[0].startswith("two: left 2 x T, right 2 x T, float64")
    assert all(found.checks.values())
    examples = {"left": torch.rand(1, 2, 4), "right": torch.rand(2, 2, 7)}
    assert verify(two, input=examples).checks == found.checks
