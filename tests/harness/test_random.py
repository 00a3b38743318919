"""Random networks keep the contract, and a run of them has every difficulty often enough."""

from __future__ import annotations

import os
import random
from math import ceil
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

import codsl
from codsl.algebra import time as algebra
from codsl.layers import convolution
from harness.contract import LONGEST, Declared, contract, randomise
from harness.coverage import Coverage
from harness.drawn import Networks

if TYPE_CHECKING:
    from collections.abc import Callable

USUAL = 150
"""How many networks are drawn blindly in all, where nothing else is said."""

EXAMPLES = int(os.environ.get("CODSL_NETWORKS", USUAL))
"""How many are now."""

OFTEN = 120
"""How many networks in all must have each difficulty where the usual number is drawn: of these,
and of small ones towards what these lack."""

PARTS = [torch.float64] * 5 + [torch.float32]
"""The dtypes of the parts of a run, which may run beside each other."""

LEAST = ceil(OFTEN * EXAMPLES / USUAL / len(PARTS))
"""How many networks of each part must have each difficulty."""

MOST = 100
"""Small networks at most, for each time that every difficulty must come."""


def drawn(seed: int, rank: int, size: int) -> tuple[dict[str, Any], codsl.Graph]:
    """A network whose clips are short enough, and its graph."""
    while True:
        spec = Networks(random.Random(seed), rank).network(size)
        graph = codsl.check(spec)
        if Declared.of(graph).most <= LONGEST:
            return spec, graph
        seed, size = seed + 1, max(1, size - 1)


def hold_to_it(graph: codsl.Graph, seed: int, dtype: torch.dtype) -> None:
    """Build a network and hold it to the contract."""
    torch.manual_seed(seed % 2**32)
    net = codsl.build(graph, dtype=dtype).eval()
    randomise(net, seed % 2**32)
    contract(net, dtype, seed % 2**32, in_turn=True)


def draw_blindly(part: int, coverage: Coverage, networks: int) -> None:
    """So many networks, large and small."""

    @settings(
        max_examples=networks,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(st.integers(0, 2**48), st.sampled_from([2, 1, 3, 1, 2, 1, 3]), st.integers(1, 6))
    def one(seed: int, rank: int, size: int) -> None:
        seed = len(PARTS) * seed + part
        spec, graph = drawn(seed, rank, size)
        note(repr(spec))
        hold_to_it(graph, seed, PARTS[part])
        coverage.add(graph)

    one()


def draw_what_is_lacking(part: int, coverage: Coverage, most: int) -> None:
    """Small networks until every difficulty came often enough."""
    for small in coverage.networks(part, most):
        try:
            hold_to_it(small.graph, small.seed, PARTS[part])
        except AssertionError as error:
            error.add_note(repr(small.spec))
            raise
        coverage.add(small.graph)
    assert coverage.lacking == {}


@pytest.mark.first
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("part", range(len(PARTS)))
def test_random_networks_keep_the_contract(
    part: int, record_property: Callable[[str, object], None]
) -> None:
    """Clip, steps, chunks and flush of every network agree with its report, and every difficulty
    comes often enough; a quarter of the networks each are held to pure steps, to rows that do not
    meet, to states that go on and to gradients."""
    coverage = Coverage(LEAST)
    try:
        draw_blindly(part, coverage, EXAMPLES // len(PARTS))
        draw_what_is_lacking(part, coverage, MOST * LEAST)
    finally:
        record_property("networks", dict(coverage.hits))
    assert coverage.hits["networks"] >= 0.9 * EXAMPLES / len(PARTS)


def test_what_never_comes_is_noticed() -> None:
    with pytest.raises(AssertionError, match="'a join in space': 0"):
        draw_what_is_lacking(0, Coverage(1, ["join", "a join in space"]), 4)


def test_small_networks_are_towards_what_is_lacking() -> None:
    """A difficulty that few have by chance is in most of those that are drawn for it."""
    coverage = Coverage(5, ["projected recurrence"])
    some = 0
    for small in coverage.networks(3, 60):
        coverage.add(small.graph)
        some += 1
    assert coverage.lacking == {}
    assert some <= 30


def test_the_same_seed_gives_the_same_networks() -> None:
    first, second = ([each.spec for each in Coverage(9).networks(1, 3)] for _ in range(2))
    assert first == second


def test_a_wrong_formula_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions that look one frame ahead of what they say."""
    true = algebra.sees

    def sees(window: algebra.Window) -> algebra.Time:
        time = true(window)
        names = ("stride", "past", "delay", "offset")
        kept = {name: getattr(time, name) for name in names}
        return algebra.steady(**kept, ahead=time.ahead + 1)

    monkeypatch.setattr(convolution, "sees", sees)
    with pytest.raises(AssertionError, match="sees") as caught:
        draw_what_is_lacking(0, Coverage(1), 50)
    assert "conv" in caught.value.__notes__[0]
