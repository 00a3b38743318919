"""Random nests of containers: what is put together by hand is what the language builds."""

import random
from typing import Any

import pytest
import torch
from by_hand import begun
from nests import nest

import codsl
from codsl.network import Network
from harness.contract import LONGEST, Declared, clip_of, close, contract, randomise
from harness.drawn import Networks
from harness.value import Limits

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
SEEDS = range(60)


def pair(seed: int) -> tuple[Network, Any]:
    """A network of the language, and the same by hand with its weights."""
    draw = random.Random(seed)
    while True:
        spec = Networks(draw, 1 + seed % 3, Limits(blocks=False)).network(1 + seed % 6)
        graph = codsl.check(spec)
        if Declared.of(graph).most <= LONGEST and not graph.time.bursts:
            break
    torch.manual_seed(seed)
    net = codsl.build(graph, dtype=torch.float64).eval()
    randomise(net, seed)
    hand = nest(spec).double()
    hand.load_state_dict(net.state_dict(), flatten=True)
    return net, begun(hand, graph.input)


@pytest.mark.parametrize("seed", SEEDS)
@torch.no_grad()
def test_by_hand_and_by_spec_are_one(seed: int) -> None:
    net, hand = pair(seed)
    assert (hand.delay, hand.receptive_field) == (net.delay, net.receptive_field)
    assert (hand.min_frames, hand.stride[0]) == (net.min_frames, net.stride[0])
    kept = [each.init_state(1, torch.float64).bytes for each in (hand, net)]
    # Holds are placed in the order of the nodes, which by hand is another: one item may differ.
    item = 8 * max(frame.size for frame in net.graph.frames)
    assert kept[0] <= max(1.1 * kept[1], kept[1] + item), "by hand more is kept"
    assert set(hand.state_dict(flatten=True)) == set(net.state_dict())
    x = clip_of(net, Declared.of(net.graph).most, seed, torch.float64)
    close(hand(x), net(x), "the clip")
    for t in range(x.shape[2]):
        ours, theirs = hand.forward_step(x[:, :, t]), net.forward_step(x[:, :, t])
        assert (ours is None) == (theirs is None), f"frame {t}"
        if ours is not None:
            close(ours, theirs, f"frame {t}")
    ours, theirs = hand.flush(), net.flush()
    assert (ours is None) == (theirs is None)
    if ours is not None:
        close(ours, theirs, "the end")


@pytest.mark.parametrize("seed", SEEDS[::4])
def test_nests_by_hand_hold_the_contract(seed: int) -> None:
    contract(pair(seed)[1], torch.float64, seed)
