"""Weights that are made of others are worked out once, when a fast step is made."""

from __future__ import annotations

import pickle

import pytest
import torch

from codsl.nn.weight_norm import WeightNorm
from engine.fast_streams import agree, chunk_of
from engine.test_fast_step import built

KINDS = ("true", '"old"')


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_those_of_when_it_was_made(kind: str) -> None:
    norm = f"weight_norm={kind}"
    up = f"up = conv_transpose1d(3, 4, stride=2, {norm})"
    net = built(f"codsl 1\nnetwork n {{ input (4, T) conv1d(4, 3, {norm}) {up} }}", torch.float64)
    fast = pickle.loads(pickle.dumps(net.compile_step()))
    chunk = chunk_of(net, 2, torch.float64, 9)
    wanted = net.forward_steps(chunk).detach()
    assert sum(isinstance(each, WeightNorm) for each in net.modules()) == 2
    for parameter in net.parameters():
        parameter.data.zero_()
    with torch.profiler.profile() as profile:
        told = agree(fast.forward_steps(chunk), wanted, torch.float64)
    assert told > 10
    assert not any("weight_norm" in each.name for each in profile.events())
