"""ST-GCN: the spec, and the reference's formulas."""

from typing import Any

import pytest
import torch
from references.st_gcn import STGCN, adjacency
from side_by_side import EXACT, FOLDER, agree, built, clip, off, out_of_tune

import codsl

SMALL: dict[str, Any] = {
    "joints": 7,
    "edges": ((0, 1), (1, 2), (2, 3), (1, 4), (4, 5), (5, 6)),
    "center": 1,
    "widths": (6, 6, 8, 8, 12),
    "classes": 5,
    "window": 4,
}


@torch.no_grad()
def test_the_reference_and_the_stream_agree() -> None:
    net, x = STGCN(**SMALL), clip(2, 3, 96, 7)
    out_of_tune(net, net.fcn, lambda: net(x))
    agree(built("st_gcn", net.state_dict(), **SMALL), x, net(x))


# Pairs of joints as the reference lists them; those of NTU RGB+D count from 1.
NTU = """1-2 2-21 3-21 4-3 5-21 6-5 7-6 8-7 9-21 10-9 11-10 12-11 13-1 14-13 15-14 16-15 17-1 18-17
19-18 20-19 22-23 23-8 24-25 25-12"""
OPENPOSE = "4-3 3-2 7-6 6-5 13-12 12-11 10-9 9-8 11-5 8-2 5-1 2-1 0-1 15-0 14-0 17-15 16-14"
SKELETONS = {"ntu": (NTU, 1, 25, 21), "kinetics": (OPENPOSE, 0, 18, 1)}


@torch.no_grad()
@pytest.mark.parametrize("variant", SKELETONS)
def test_skeletons_are_parted_as_in_the_reference(variant: str) -> None:
    text, first, joints, center = SKELETONS[variant]
    pairs = [pair.split("-") for pair in text.split()]
    edges = [(int(one) - first, int(other) - first) for one, other in pairs]
    small = {"widths": (2,), "classes": 2}
    net = codsl.build(FOLDER / "st_gcn.codsl", variant=variant, params=small, dtype=torch.float64)
    found = net.get_buffer("block0.graph.adjacency")
    assert off(found, adjacency(joints, edges, center - first)) <= EXACT
    assert found.sum((0, 1)).allclose(torch.ones(joints, dtype=torch.float64))


def test_an_item_before_the_pool_sees_what_the_reference_was_measured_to_see() -> None:
    """Item `o` sees frames `4 * o - 76` to `4 * o + 76`; 3.1 million parameters (Hedegaard et al.,
    2022, of CoST-GCN)."""
    graph = codsl.check(FOLDER / "st_gcn.codsl")
    rows = {row.path: row for row in graph.report().nodes}
    last = rows["block9.time_norm"]
    assert (last.receptive_field, last.delay, last.stride) == (153, 76, 4)
    assert (graph.stride, graph.delay) == (4, 76 + 4 * 74)
    assert round(graph.parameters / 1e6, 1) == 3.1
