"""Random networks take the work and the bytes that their reports say."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import codsl
from codsl.algebra.time import length
from codsl.graph.graph import Graph
from codsl.layers.recipe import Attended
from harness.contract import LONGEST, Declared
from harness.drawn import Networks

NETWORKS = 30


def drawn(part: int) -> list[Graph]:
    """So many networks whose clips are short enough."""
    found: list[Graph] = []
    seed = 10_000 * part
    while len(found) < NETWORKS:
        seed += 1
        draw = random.Random(seed)
        graph = codsl.check(Networks(draw, draw.choice([1, 1, 2, 3])).network(draw.randint(1, 6)))
        if Declared.of(graph).most <= LONGEST and graph.cycle.turn <= 64:
            found.append(graph)
    return found


def clips(graph: Graph, frames: int) -> Any:
    xs = [torch.randn(1, each.frame.channels, frames, *each.frame.space) for each in graph.inputs]
    names = [each.name for each in graph.inputs]
    return dict(zip(names, xs, strict=True)) if names[0] else xs[0]


def attends_little(graph: Graph, frames: int) -> bool:
    """Whether attention is over one item, or of heads of one channel, in a clip: torch makes of
    such a product one number by number, which it does not count."""
    for index in graph.live:
        node = graph.nodes[index]
        if isinstance(node.recipe, Attended):
            heads = {node.recipe.settings.get(name) for name in ("num_heads", "nhead")}
            items = length(graph.times[node.edges[0].source], frames)
            reach = node.edges[0].reach
            if items == 1 or reach.receptive_field == 1 or node.frame.channels in heads:
                return True
    return False


@torch.no_grad()
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("part", range(3))
def test_torch_counts_what_reports_say(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over clips, and over a turn of a stream that is under way; oneDNN hides its work."""
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    counted = 0
    for graph in drawn(part):
        net, total = codsl.build(graph).eval(), graph.report().total
        assert total["params"] == sum(each.numel() for each in net.parameters())
        for frames in (graph.min_frames, total["clip_frames"], total["clip_frames"] + 3):
            with FlopCounterMode(display=False) as clip:
                net(clips(graph, frames))
            if not attends_little(graph, frames):
                assert clip.get_total_flops() == 2 * graph.clip_macs(frames)
                counted += clip.get_total_flops() > 0
        turn = graph.cycle.turn
        net.forward_steps(clips(graph, graph.cycle.start + turn))
        with FlopCounterMode(display=False) as steps:
            for _ in range(turn):
                net.forward_steps(clips(graph, 1))
        state = net.get_state()
        assert state is not None
        assert state.bytes == total["state_bytes"]
        if not attends_little(graph, 2):
            assert steps.get_total_flops() == pytest.approx(2 * turn * total["macs"], rel=1e-9)
    assert counted > NETWORKS
