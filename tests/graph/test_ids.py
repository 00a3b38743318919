"""Inputs that are looked up in a table are known as ids, wherever networks are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

import codsl
from codsl.graph.ids import ids
from codsl.testing import verify

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = {
    "embedding(5, 3)": 5,
    "delay(2) subsample(2) embedding(7, 3)": 7,
    "residual { a = embedding(4, 1) } b = embedding(6, 3)": 4,
    "conv1d(1, 3) embedding(5, 3)": None,
    "sigmoid mul(5) embedding(5, 3)": None,
    "relu": None,
}
TOLD = {
    "at once": "embedding(5, 3) conv1d(4, 3)",
    "later": "delay(2) embedding(5, 3) conv1d(4, 3, stride=2)",
}


@pytest.mark.parametrize(("body", "count"), COUNTS.items())
def test_what_is_looked_up(body: str, count: int | None) -> None:
    assert ids(codsl.check(f"codsl 1\nnetwork n {{ input (1, T) {body} }}"), 0) == count


@pytest.mark.parametrize("body", TOLD.values(), ids=TOLD)
def test_networks_of_ids_keep_the_contract(body: str) -> None:
    verify(f"codsl 1\nnetwork n {{ input (1, T) {body} }}")


@pytest.mark.parametrize("to", ["pt2", "cpp"])
@pytest.mark.parametrize("body", TOLD.values(), ids=TOLD)
def test_networks_of_ids_can_be_exported(body: str, to: str, tmp_path: Path) -> None:
    net = codsl.build(f"codsl 1\nnetwork n {{ input (1, T) {body} }}").eval()
    done = net.export(tmp_path / "out", to)
    assert done.proof.apart < 1e-5


def test_other_inputs_are_beside_them() -> None:
    graph = codsl.check(
        "codsl 1\nnetwork n { inputs word (1, T), sound (4, T)\n"
        'a = embedding(5, 4) from word\n y = join(aggregation="sum") from a, sound }'
    )
    assert [ids(graph, value) for value in range(graph.base)] == [5, None]
    net = codsl.build(graph).eval()
    frames = {"word": torch.tensor([[3.0]]), "sound": torch.randn(1, 4)}
    assert net.forward_step(frames).shape == (1, 4)
    verify(net)
