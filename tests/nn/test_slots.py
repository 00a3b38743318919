"""Many streams in one batch: every row is a stream of its own, whatever the others do."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
import torch
from remembering import remembering
from slot_networks import KINDS, RAISED, built, noise, of
from slot_streams import TOLERANCE, agree, hold_apart

import codsl
from codsl.algebra.ports import Inlet, Outlet
from codsl.algebra.time import IDENTITY
from codsl.graph.graph import Graph, times_of
from codsl.graph.node import Edge
from codsl.network import Network
from harness.drawn import Networks
from harness.value import Limits

pytestmark = pytest.mark.usefixtures("remembering")
__all__ = ["remembering"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_way_of_remembering_is_a_row_s_own(kind: str) -> None:
    net = of(*KINDS[kind])
    hits: Counter[str] = Counter()
    for seed in range(2):
        hits += agree(net, seed)
    assert hits["outputs"] > 30
    assert hits["alike"]
    if net.graph.cycle.start > 1:
        assert hits["late"] > 2
        assert hits["ends"] > 2 or "window" in kind or "nothing" in kind


def drawn(seed: int, bursts: bool = False) -> Graph:
    draw = random.Random(seed)
    while True:
        graph = codsl.check(
            Networks(draw, draw.choice([1, 1, 2, 3]), Limits(blocks=False)).network(
                draw.randint(1, 5)
            )
        )
        if graph.receptive_field < 30 and graph.time.bursts == bursts:
            return graph


def test_random_networks_run_in_slots() -> None:
    hits: Counter[str] = Counter()
    for seed in range(20):
        hits += agree(built(drawn(seed), seed=seed), seed)
    assert hits["late"] > 100
    assert hits["outputs"] > 500


def test_random_networks_of_which_a_frame_gives_several_outputs() -> None:
    hits: Counter[str] = Counter()
    for seed in range(15):
        hits += agree(built(drawn(seed, bursts=True), seed=seed), seed)
    assert hits["late"] > 40
    assert hits["several"] > 200


@pytest.mark.parametrize("kind", RAISED)
def test_every_way_of_giving_several_outputs(kind: str) -> None:
    net = of(*RAISED[kind])
    hits: Counter[str] = Counter()
    for seed in range(3):
        hits += agree(net, seed)
    assert hits["several"] > 60
    assert hits["late"] > 5 or kind == "blind"


def test_several_outputs_of_a_frame_are_counted() -> None:
    net = of(*RAISED["above and below"])
    slots = net.stream(3)
    for _ in range(3):
        slots.join()
    counts = []
    for t, frame in enumerate(noise(9, 3).unbind(2)):
        y, due = slots.step(frame[1:], [1, 2])
        assert (y.shape, y.dtype) == ((2, 2, 2), torch.float64)
        assert (due.shape, due.dtype) == ((2,), torch.int64)
        assert due[0] == due[1]
        counts.append(int(due[0]))
        if t == 4:
            slots.step(frame, [0, 1, 2])
            counts.append(slots.step(frame, [2, 0, 1])[1].tolist()[0])
    assert set(counts) == {1, 2}
    assert slots.step(torch.zeros(0, 2).double(), [])[0].shape == (0, 2, 2)


@pytest.mark.parametrize("kind", RAISED)
def test_what_is_wrong_in_one_row_stays_there_where_frames_give_several(kind: str) -> None:
    hold_apart(of(*RAISED[kind]))


@pytest.mark.parametrize("dtype", list(TOLERANCE))
@pytest.mark.parametrize("kind", ["replicate", "cut", "all"])
def test_other_dtypes_run_in_slots(dtype: torch.dtype, kind: str) -> None:
    layers = [{"batch_norm1d": {"name": "norm"}}, *KINDS[kind]]
    assert agree(of(*layers, dtype=dtype), 3)["outputs"]


EXACT = {kind: KINDS[kind][1:] for kind in ("minus infinity", "zeros in a max pool", "cut")}


@pytest.mark.parametrize("kind", EXACT)
def test_where_torch_does_not_multiply_all_is_exact(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = [layer for layer in EXACT[kind] if "conv1d" not in layer]
    monkeypatch.setitem(TOLERANCE, torch.float32, 0.0)
    assert agree(of(*layers, dtype=torch.float32), 1)["outputs"]


def several() -> Network:
    """Two inputs that meet, and three outputs of unlike strides and delays."""
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
    return built(
        replace(
            graph,
            inputs=(Inlet("left", graph.input), Inlet("right", graph.input)),
            nodes=tuple(nodes),
            outputs=(Outlet("early", 2), Outlet("late", 3), Outlet("rare", 4)),
            times=times_of(tuple(nodes), 2),
        )
    )


def test_several_inputs_and_outputs() -> None:
    net = several()
    for seed in range(3):
        assert agree(net, seed)["late"]
    slots = net.stream(2)
    slots.join()
    y, due = slots.step({name: torch.zeros(1, 2).double() for name in ("left", "right")})
    assert {name: bool(each) for name, each in due.items()} == {
        "early": True,
        "late": False,
        "rare": False,
    }
    assert {name: tuple(each.shape) for name, each in y.items()} == {
        "early": (1, 2),
        "late": (1, 3),
        "rare": (1, 2),
    }
    with pytest.raises(ValueError, match="keys `left`, `right`"):
        slots.step({"left": torch.zeros(1, 2).double()})


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_in_one_row_never_reaches_another(kind: str) -> None:
    """Exactly: NaN and infinity, before, while and after the others begin."""
    hold_apart(of(*KINDS[kind]))
