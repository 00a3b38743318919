"""Modules and tensors of torch.nn that stand in several places: all of them are kept, as one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from contained import clip_of, streamed
from torch import Tensor, nn
from torch.nn.utils import weight_norm

import codsl.nn as co
from codsl.nn.tracing.elsewhere import Plainly


def activated_twice() -> nn.Sequential:
    torch.manual_seed(0)
    act = nn.ReLU()
    return nn.Sequential(nn.Conv1d(2, 2, 3), act, nn.Conv1d(2, 2, 3), act).eval()


MADE: dict[str, Any] = {
    "continual": co.continual,
    "build_from": co.Sequential.build_from,
    "Sequential": co.Sequential,
    "Residual": co.Residual,
}


@pytest.mark.parametrize("name", MADE)
@torch.no_grad()
def test_a_module_used_twice_stays_in_both_places(name: str) -> None:
    source, x = activated_twice(), clip_of()
    net = MADE[name](copy.deepcopy(source)).eval()
    wanted = source(x) + (x[:, :, :-4] if name == "Residual" else 0)
    assert torch.allclose(net(x), wanted, atol=1e-6)
    assert torch.allclose(streamed(net, x), wanted, atol=1e-6)


def test_a_module_used_twice_is_one_continual_module() -> None:
    net = co.continual(activated_twice())
    assert list(net._modules) == ["0", "1", "2", "3"]
    assert net[1] is net[3]


@torch.no_grad()
def test_a_module_used_twice_has_one_set_of_weights() -> None:
    torch.manual_seed(0)
    conv = nn.Conv1d(2, 2, 3)
    source = nn.Sequential(conv, nn.Tanh(), conv)
    net, x = co.continual(source).eval(), clip_of()
    assert torch.allclose(streamed(net, x), source(x), atol=1e-6)
    assert sum(1 for _ in net.parameters()) == 2
    assert list(net.state_dict()) == list(source.state_dict())


class Called(nn.Module):
    """Parts and tensors under several names, some of which are called."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv1d(2, 2, 1)
        self.b = self.a
        self.row = nn.Sequential(nn.BatchNorm1d(2), self.a)
        self.same = self.row
        self.many = nn.ModuleList([nn.PReLU()] * 2)
        self.unused = nn.ModuleList([nn.Linear(2, 2)])
        self.tied = self.unused
        self.kept = co.Conv1d(2, 2, 1)
        self.own = co.Sequential(self.kept)
        self.gain = nn.Parameter(torch.ones(1))
        self.again = self.gain
        self.register_buffer("shift", torch.ones(2, 1))
        self.moved = self.shift

    def forward(self, x: Tensor) -> Tensor:
        x = self.own(self.same(self.b(self.a(x))))
        for each in self.many:
            x = each(x)
        return x * self.again + self.moved


@pytest.mark.parametrize("name", ["continual", "Sequential"])
@torch.no_grad()
def test_parts_of_a_class_are_kept_under_all_of_their_names(name: str) -> None:
    torch.manual_seed(0)
    source, x = Called().eval(), clip_of()
    made = MADE[name](source).eval()
    net = made if name == "continual" else made[0]
    assert list(net.state_dict()) == list(source.state_dict())
    net.load_state_dict(source.state_dict())
    assert len(list(net.parameters())) == len(list(source.parameters()))
    assert net.b is net.a is net.row.get_submodule("1")
    assert net.same is net.row
    assert net.unused is net.tied
    assert torch.allclose(streamed(net, x), source(x), atol=1e-6)
    assert isinstance(source.own[0], co.Conv1d)


@pytest.mark.parametrize("depth", [0, 1])
def test_tied_weights_stay_tied_in_a_copy(depth: int) -> None:
    one, other = nn.Conv1d(2, 2, 3), nn.Conv1d(2, 2, 3)
    other.weight = one.weight
    source = nn.Sequential(one, nn.Sequential(other) if depth else other)
    net = co.continual(source)
    last = net[1][0] if depth else net[1]
    assert net[0].weight is last.weight
    assert net[0].weight is not one.weight


@torch.no_grad()
def test_a_row_as_a_function_keeps_what_is_used_twice() -> None:
    source, x = activated_twice(), clip_of()
    assert torch.allclose(Plainly(co.continual(source))(x), source(x), atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@torch.no_grad()
def test_weights_that_were_worked_out_are_copied() -> None:
    with torch.enable_grad():
        source = nn.Sequential(weight_norm(nn.Conv1d(2, 2, 3)), nn.ReLU())
    net, x = co.continual(source).eval(), clip_of()
    assert torch.allclose(streamed(net, x), source(x), atol=1e-6)
    assert net[0].weight_g is not source[0].weight_g  # type: ignore[union-attr]
