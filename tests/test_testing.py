"""`codsl.testing.verify`: what it takes, what it finds, and what it leaves as it was."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import codsl
import codsl.nn as co
from codsl.algebra.extent import Window
from codsl.algebra.ports import Inlet, Outlet
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, sees
from codsl.graph.graph import times_of
from codsl.graph.node import Edge
from codsl.layers.recipe import Call, Windowed
from codsl.layers.row import ANY_RANK, Layer, make
from codsl.layers.table import registrations, table
from codsl.testing import ContractError, trial, verify

SMALL = {
    "codsl": 1,
    "name": "small",
    "input": [2, "T"],
    "layers": [
        {"conv1d": {"out_channels": 3, "kernel_size": 3, "padding": 1}},
        "batch_norm1d",
        {"max_pool1d": {"kernel_size": 2, "stride": 2}},
    ],
}


class Change(Layer):
    """What changed since the item before."""

    rank = ANY_RANK
    examples = ({},)

    def shape(self, x: Frame) -> Frame:
        return x

    def time(self) -> Time:
        return sees(Window(2))

    def weights(self, x: Frame) -> dict[str, tuple[int, ...]]:
        return {}

    def macs(self, x: Frame, y: Frame) -> int:
        return 0

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)

    def recipe(self, x: Frame) -> Windowed:
        call = Call("change")
        return Windowed("Identity", {}, Window(2), window=call, clip=call)


def change(x: Tensor) -> Tensor:
    return x[:, :, 1:] - x[:, :, :-1]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What a test registers is gone with it."""
    with registrations():
        yield


def from_whole_clip(x: Tensor) -> Tensor:
    return change(x) + 1e-3 * x.mean((2,), keepdim=True)


def from_other_rows(x: Tensor) -> Tensor:
    return change(x) + 1e-3 * x[:, :, 1:].mean(0, keepdim=True)


def without_the_past(x: Tensor) -> Tensor:
    return x[:, :, 1:] * 2


def too_long(x: Tensor) -> Tensor:
    return x


def never_nan(x: Tensor) -> Tensor:
    return change(x.nan_to_num())


def in_place(x: Tensor) -> Tensor:
    return x[:, :, 1:].mul_(2) - x[:, :, :-1]


def cut_off(x: Tensor) -> Tensor:
    """A gradient that comes in clips alone."""
    return change(x if x.shape[2] > 2 else x.detach())


def crashing(x: Tensor) -> Tensor:
    if x.shape[2] == 2:
        raise IndexError("no such item")
    return change(x)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (from_whole_clip, "steps and their end give what the clip gives, .*, but step at frame 1"),
        (from_other_rows, "one row of a batch never reaches another, but a row beside one of nan"),
        (
            without_the_past,
            r"an output depends on the declared frames .* sees \(1, 1\), not \(0, 1",
        ),
        (too_long, "a clip has the declared length .*, but .* frames give"),
        (never_nan, "an output depends on the declared frames .* sees None"),
        (in_place, "but .*"),
        (cut_off, "gradients are equal in clips, steps and chunks, but the gradient of `input 0`"),
        (crashing, "IndexError: no such item"),
    ],
)
def test_a_row_that_breaks_a_promise_is_told(function: Any, why: str) -> None:
    def of_the_row(x: Tensor) -> Tensor:
        found: Tensor = function(x)
        return found

    of_the_row.__name__ = "change"
    codsl.register(Change, of_the_row)
    with pytest.raises(ContractError, match=rf"(?s)`change\(\)`: .*{why}") as error:
        verify(Change, seed=7)
    assert "frames, float" in str(error.value)
    assert str(error.value).endswith("seed 7)")
    assert isinstance(error.value, AssertionError)


def test_a_row_is_tried_on_its_examples_in_both_precisions() -> None:
    codsl.register(Change, change)
    found = verify(Change)
    ranks = ("4 x T", "4 x T x 6", "4 x T x 6 x 6")
    assert found.cases == tuple(
        f"change(): {rank}, {dtype}, clips of up to 7 frames"
        for rank in ranks
        for dtype in ("float64", "float32")
    )
    assert all(found.checks.values())
    lines = str(found).splitlines()
    assert lines[:6] == list(found.cases)
    assert lines[6].split() == ["clips", str(found.checks["clips"])]


@pytest.mark.parametrize("name", ["conv2d", "gru", "upsample", "embedding"])
def test_rows_of_codsl_are_verified_alike(name: str) -> None:
    ids = torch.randint(0, 5, (1, 1, 9)) if name == "embedding" else None
    assert verify(table()[name], input=ids).checks["gradients"]


def test_an_example_that_takes_none_of_the_frames_is_told() -> None:
    with pytest.raises(ValueError, match=r"takes none of the frames tried: .*; give `input`"):
        verify(table()["conv2d"], input=(3, 4, 4))


def test_a_row_with_its_arguments_need_not_be_registered() -> None:
    row = make(table()["conv1d"], {"out_channels": 3, "kernel_size": 4, "padding": "causal"})
    assert len(verify(row).cases) == 2
    assert verify(row, input=(5,)).cases[0].startswith("conv1d(")
    with pytest.raises(ValueError, match="does not take the frames tried"):
        verify(make(table()["conv1d"], {"out_channels": 3, "kernel_size": 4, "groups": 3}))
    codsl.register(Change, change)
    assert verify(Change()).checks["windows"]


def test_a_row_that_is_not_registered_or_has_no_example_is_told() -> None:
    with pytest.raises(ValueError, match="`change` is not in the table"):
        verify(Change)
    bare = type("Bare", (Change,), {"examples": ()})
    codsl.register(bare, change)
    with pytest.raises(ValueError, match="`bare` has no examples"):
        verify(bare)


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


class Latest(co.CoModule):
    """The sum of the last two frames, by a step of its own; `fault` is what it does wrong."""

    receptive_field = 2

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.clean_state()

    def forward(self, input: Tensor) -> Tensor:
        return input[:, :, 1:] + input[:, :, :-1]

    def forward_step(self, input: Tensor, update_state: bool = True) -> Tensor | None:
        before = self.last
        if update_state or self.fault == "looks":
            self.last = input if self.fault == "keeps the frame" else input.clone()
        if before is None:
            return torch.zeros_like(input) if self.fault == "early" else None
        return input + before * (1.1 if self.fault == "wrong" else 1)

    def get_state(self) -> Tensor | None:
        return None if self.fault == "forgets" else self.last

    def set_state(self, state: Any) -> None:
        self.last = state

    def clean_state(self) -> None:
        if getattr(self, "last", None) is None or self.fault != "stays":
            self.last = None


def test_a_class_with_a_step_of_its_own_is_verified() -> None:
    found = verify(Latest(), input=(3, 2))
    assert found.checks["windows"]
    assert found.checks["gradients"] == 0


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("looks", "frame 0: a step without an update|frame 1"),
        ("early", r"frame 0: outputs \[\] are Tensor"),
        ("wrong", "the module's own step at frame 1: off by"),
        ("forgets", "a state that was kept|frame 3: outputs"),
        ("stays", "frame 0: outputs"),
        ("keeps the frame", "the module's own step at frame 1: off by nan"),
    ],
)
def test_a_class_that_breaks_a_promise_is_told(fault: str, why: str) -> None:
    with pytest.raises(ContractError, match=f"`Latest`: .*({why})"):
        verify(Latest(fault), input=(3, 2))


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
