"""Random networks keep the contract, and have every difficulty often enough."""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

import codsl
from harness.classes import SHARES, classes, rare
from harness.contract import LONGEST, Declared, contract, randomise
from harness.networks import Networks

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = int(os.environ.get("CODSL_NETWORKS", "600"))
"""How many networks are drawn in all."""

ENOUGH = 300
"""So many have every class as often as they must."""


def drawn(seed: int, rank: int, size: int) -> tuple[dict[str, Any], codsl.Graph]:
    """A network whose clips are short enough, and its graph."""
    while True:
        spec = Networks(random.Random(seed), rank).network(size)
        graph = codsl.check(spec)
        if Declared.of(graph).most <= LONGEST:
            return spec, graph
        seed, size = seed + 1, max(1, size - 1)


def hold_to_it(seed: int, rank: int, size: int, dtype: torch.dtype) -> set[str]:
    """Draw a network and hold it to the contract; what it had."""
    spec, graph = drawn(seed, rank, size)
    note(repr(spec))
    torch.manual_seed(seed % 2**32)
    net = codsl.build(graph, dtype=dtype).eval()
    randomise(net, seed % 2**32)
    contract(net, dtype, seed % 2**32)
    return classes(graph)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize(("dtype", "share"), [(torch.float64, 0.8), (torch.float32, 0.2)])
def test_random_networks_keep_the_contract(
    dtype: torch.dtype, share: float, record_property: Callable[[str, object], None]
) -> None:
    """Clip, steps, chunks and flush of every network agree with its report, and a run of hundreds
    has every difficulty often enough."""
    hits: Counter[str] = Counter()

    @settings(
        max_examples=int(EXAMPLES * share),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(st.integers(0, 2**48), st.sampled_from([2, 1, 3, 1, 2, 1, 3]), st.integers(1, 6))
    def one(seed: int, rank: int, size: int) -> None:
        hits.update({"networks", *hold_to_it(seed, rank, size, dtype)})

    one()
    record_property("networks", dict(hits))
    assert hits["networks"] >= 0.9 * share * EXAMPLES
    if hits["networks"] >= ENOUGH:
        assert rare(hits, hits["networks"]) == {}


def test_what_is_rare_is_noticed() -> None:
    """The count above fails where a class is missing."""
    every = Counter(dict.fromkeys(SHARES, 300))
    assert rare(every, 300) == {}
    assert rare(Counter({**every, "ceil_mode": 11}), 300) == {"ceil_mode": 11}
