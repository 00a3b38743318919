"""Parts that are exchanged behind a clip or a stream: what runs is what is there."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import Any

import pytest
import torch
from contained import clip_of, sequential, streamed
from torch import Tensor, nn

import codsl.nn as co


def conv() -> nn.Conv1d:
    return nn.Conv1d(2, 2, 1)


class Nested(nn.Module):
    """A part, one in a row, one in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = conv()
        self.row = nn.Sequential(conv())
        self.many = nn.ModuleList([conv()])

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.many[0](self.row(self.fc(x)))
        return y


def traced() -> Any:
    return co.continual(Nested())


def chosen() -> Any:
    return co.Conditional(lambda *_: True, conv(), conv())


def named() -> Any:
    return co.Sequential(OrderedDict(a=conv(), b=conv()))


CHANGES: dict[str, tuple[Any, Any]] = {
    "a part": (traced, lambda net: setattr(net, "fc", conv())),
    "a continual part": (traced, lambda net: setattr(net, "fc", co.Conv1d(2, 2, 1))),
    "an added part": (traced, lambda net: net.add_module("fc", conv())),
    "a part in a row": (traced, lambda net: setattr(net.row, "0", conv())),
    "a part in a list": (traced, lambda net: net.many.add_module("0", conv())),
    "a side": (chosen, lambda net: setattr(net, "0", conv())),
    "an added side": (chosen, lambda net: net.add_module("0", conv())),
    "a deleted part": (named, lambda net: delattr(net, "b")),
    "inside": (lambda: co.Sequential(traced()), lambda net: setattr(net[0], "fc", conv())),
    "inside a side": (
        lambda: co.Conditional(lambda *_: True, named()),
        lambda net: delattr(net._modules["0"], "b"),
    ),
    "stepping": (
        lambda: co.Sequential(co.forward_stepping(nn.Sequential(conv()))),
        lambda net: setattr(net[0], "0", nn.Conv1d(2, 3, 1)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
@torch.no_grad()
def test_what_runs_is_what_is_there(name: str) -> None:
    torch.manual_seed(0)
    make, change = CHANGES[name]
    net, x = make().eval(), clip_of()
    before = streamed(net, x)
    net.reset()
    change(net)
    again = copy.deepcopy(net).eval()
    after = net.eval()(x)
    assert after.shape != before.shape or not torch.allclose(after, before)
    assert torch.allclose(streamed(net, x), after, atol=1e-6)
    assert torch.allclose(again(x), after, atol=1e-6)


@pytest.mark.parametrize(
    "change", [lambda net: delattr(net, "fc"), lambda net: net.add_module("fc", None)]
)
def test_a_part_that_is_not_there(change: Any) -> None:
    net = traced()
    change(net)
    with pytest.raises(ValueError, match="`fc` is called, but is not there"):
        net(clip_of())


@torch.no_grad()
def test_a_stream_does_not_end_as_another_network() -> None:
    net, x = sequential().eval(), clip_of()
    net.forward_steps(x)
    net[2][1] = nn.Conv1d(3, 3, 7, padding=3)
    with pytest.raises(ValueError, match="another network"):
        net.flush()


@torch.no_grad()
def test_layouts_are_not_pickled_nor_gathered() -> None:
    net, x = sequential().eval(), clip_of()
    before = len(pickle.dumps(net))
    net(x)
    assert len(pickle.dumps(net)) == before
    twin = pickle.loads(pickle.dumps(net))
    assert torch.equal(twin(x), net(x))
    for _ in range(3):
        net.append(nn.ReLU())
        net(x)
    assert len(net._layouts[1]) == 1
