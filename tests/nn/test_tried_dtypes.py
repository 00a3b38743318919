"""Functions of one dtype: they are tried in that of the network, or of its first frames."""

from __future__ import annotations

import copy
import pickle
from functools import partial
from typing import Any

import pytest
import torch
from contained import clip_of, streamed
from torch import Tensor, nn

import codsl.nn as co

DTYPES = [torch.float64, torch.float16, torch.bfloat16]


def mixed(x: Tensor, matrix: Tensor) -> Tensor:
    return torch.einsum("oc,bct->bot", matrix, x)


def joined(values: Any, matrix: Tensor) -> Tensor:
    return mixed(values[0], matrix) + values[1]


class Mixing(nn.Module):
    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.matrix = matrix

    def forward(self, x: Tensor) -> Tensor:
        return mixed(x, self.matrix)


MADE: dict[str, Any] = {
    "a function": lambda m: co.Lambda(partial(mixed, matrix=m), takes_time=True),
    "a function in a row": lambda m: co.Sequential(
        nn.ReLU(), co.Lambda(partial(mixed, matrix=m), takes_time=True)
    ),
    "a function behind weights": lambda m: co.Sequential(
        nn.Conv1d(2, 2, 3, dtype=m.dtype), co.Lambda(partial(mixed, matrix=m), takes_time=True)
    ),
    "a join": lambda m: co.BroadcastReduce(
        nn.ReLU(), nn.Tanh(), aggregation=partial(joined, matrix=m)
    ),
    "a class": lambda m: co.Sequential(Mixing(m)),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", MADE)
@torch.no_grad()
def test_a_function_of_one_dtype(name: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    net = MADE[name](torch.randn(2, 2, dtype=dtype)).eval()
    x = clip_of().to(dtype)
    y = net(x)
    assert y.dtype == dtype
    assert torch.allclose(streamed(net, x), y, rtol=0.02, atol=0.02)


@torch.no_grad()
def test_a_stream_of_one_dtype_goes_on_when_it_is_laid_out_anew() -> None:
    net = co.Sequential(nn.ReLU(), MADE["a function"](torch.randn(2, 2).double())).eval()
    net.forward_steps(clip_of().double())
    for again in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert again.flush() is None
        assert again.delay == again.graph.delay == 0
    with pytest.raises(ValueError, match="does not take any number of frames"):
        co.Sequential(MADE["a function"](torch.randn(2, 2).double()))(clip_of())
