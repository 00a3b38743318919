"""A small network to load, its tensors, and what is said of those that are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import codsl
from codsl.weights import WeightsError
from harness.contract import randomise

SPEC = """codsl 1
network n {
  input (3, T, 8)
  stem = { conv = conv2d(4, (3, 3), padding=(1, 1)) bn = batch_norm2d }
  stage[i in 1..3] = residual { conv = conv2d(4, (3, 1), padding=(1, 0)) }
  flatten
  head = linear(5)
}
"""


def network(seed: int = 0, dtype: torch.dtype = torch.float32) -> codsl.Network:
    torch.manual_seed(seed)
    net = codsl.build(SPEC, dtype=dtype)
    randomise(net, seed)
    return net


def tensors(seed: int = 1) -> dict[str, torch.Tensor]:
    return {name: each.clone() for name, each in network(seed).state_dict().items()}


def values(net: nn.Module) -> dict[str, torch.Tensor]:
    return {name: each.clone() for name, each in net.state_dict().items()}


def alike(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return list(left) == list(right) and all(torch.equal(left[name], right[name]) for name in left)


def refused(given: Any, **terms: Any) -> list[Any]:
    """What is wrong; nothing of the network may have changed."""
    net = network()
    before = values(net)
    with pytest.raises(WeightsError) as error:
        codsl.load_weights(net, given, **terms)
    assert alike(values(net), before)
    assert str(error.value)
    return list(error.value.diagnostics)


def said(found: list[Any]) -> str:
    return "\n".join(map(str, found))
