"""Parametrised modules of torch made continual: values, keys and parametrisations are kept."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from by_hand import begun
from torch import Tensor, nn
from torch.nn.utils import parametrizations as known
from torch.nn.utils import parametrize

import codsl.nn as co
from codsl.algebra.shape import Frame
from harness.contract import contract

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated"),
    pytest.mark.filterwarnings("ignore:.*spectral_norm.* is deprecated"),
]


class Centred(nn.Module):
    """A parametrisation of a user's."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * (x - x.mean())


class Net(nn.Module):
    """A user's class with parametrised layers."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.Sequential(known.weight_norm(nn.Conv1d(4, 4, 3)), nn.Tanh())
        self.norm = parametrised(nn.BatchNorm1d(4), "weight", Centred())

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.convs(x)) + x[:, :, 1:-1]


def parametrised(module: nn.Module, *names_and_how: Any) -> nn.Module:
    pairs = zip(names_and_how[::2], names_and_how[1::2], strict=True)
    for name, how in pairs:
        parametrize.register_parametrization(module, name, how)
    return module


MODULES: dict[str, Any] = {
    "weight norm": lambda: known.weight_norm(nn.Conv1d(4, 3, 3, padding=1)),
    "weight norm of another dimension": lambda: known.weight_norm(nn.Conv1d(4, 3, 3), dim=1),
    "weight norm of all": lambda: known.weight_norm(nn.Conv1d(4, 3, 3, 2), dim=None),
    "spectral norm": lambda: known.spectral_norm(nn.Conv1d(4, 3, 3)),
    "orthogonal": lambda: known.orthogonal(nn.Conv1d(4, 4, 3)),
    "a user's, twice": lambda: parametrised(
        nn.Conv1d(4, 3, 3), "weight", Centred(), "weight", Centred(), "bias", Centred()
    ),
    "batch norm": lambda: parametrised(nn.BatchNorm1d(4), "bias", Centred()),
    "prelu": lambda: parametrised(nn.PReLU(4), "weight", Centred()),
    "nested": Net,
    "older weight norm": lambda: nn.utils.weight_norm(nn.Conv1d(4, 3, 3), dim=2),
    "older spectral norm": lambda: nn.utils.spectral_norm(nn.Conv1d(4, 3, 3)),
}  # fmt: skip
ROW = Frame(4, ())
OLDER = {name for name in MODULES if name.startswith("older")}


def made(name: str) -> Any:
    torch.manual_seed(0)
    return MODULES[name]().double().eval()


def clip_of() -> Tensor:
    return torch.randn(2, 4, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def streamed(net: Any, x: Tensor) -> Tensor:
    net.reset()
    parts = [net.forward_steps(chunk) for chunk in x.split([1, 3, 5], 2)]
    return torch.cat([part for part in (*parts, net.flush()) if part is not None], 2)


@pytest.mark.parametrize("name", MODULES)
@torch.no_grad()
def test_a_parametrised_module_stays_one(name: str) -> None:
    """Also after a parameter has changed; the argument is as it was, and nothing is shared."""
    theirs, x = made(name), clip_of()
    before = {key: value.clone() for key, value in theirs.state_dict().items()}
    kind = type(theirs)
    ours = co.continual(theirs)
    assert list(ours.state_dict()) == list(before)
    assert torch.equal(ours(x), theirs(x))
    assert torch.allclose(streamed(ours, x), theirs(x), atol=1e-13)
    for parameter in ours.parameters():
        parameter.mul_(1.25).add_(0.1)
    assert type(theirs) is kind
    assert all(torch.equal(value, before[key]) for key, value in theirs.state_dict().items())
    theirs.load_state_dict(ours.state_dict())
    assert torch.allclose(streamed(ours, x), theirs(x), atol=1e-13)
    assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize("name", sorted(set(MODULES) - OLDER))
def test_it_holds_the_contract(name: str) -> None:
    contract(begun(co.continual(made(name)), ROW))


@pytest.mark.parametrize("name", sorted(set(MODULES) - OLDER - {"nested"}))
@torch.no_grad()
def test_it_can_be_freed_and_copied_as_torchs(name: str) -> None:
    theirs, x = made(name), clip_of()
    ours = co.continual(theirs)
    assert parametrize.is_parametrized(ours)
    twin = copy.deepcopy(ours)
    assert torch.allclose(streamed(twin, x), theirs(x), atol=1e-13)
    for tensor in list(ours.parametrizations):
        parametrize.remove_parametrizations(ours, tensor)
    assert not parametrize.is_parametrized(ours)
    assert torch.allclose(streamed(ours, x), theirs(x), atol=1e-13)
    assert parametrize.is_parametrized(twin)


@torch.no_grad()
def test_in_a_container_the_parameters_are_shared() -> None:
    theirs, x = made("weight norm"), clip_of()
    net = co.Sequential(theirs)
    theirs.parametrizations.weight.original0.mul_(2)
    assert torch.equal(net(x), theirs(x))
    assert torch.allclose(streamed(net, x), theirs(x), atol=1e-13)


@torch.no_grad()
def test_a_class_builds_from_a_parametrised_module() -> None:
    theirs, x = made("weight norm"), clip_of()
    ours = co.Conv1d.build_from(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert torch.equal(ours(x), theirs(x))


def test_gradients_reach_the_parameters() -> None:
    theirs, x = made("nested"), clip_of()
    ours = co.continual(theirs)
    theirs(x).square().sum().backward()
    ours(x).square().sum().backward()
    for want, got in zip(theirs.parameters(), ours.parameters(), strict=True):
        assert torch.allclose(got.grad, want.grad, atol=1e-12)


def test_the_argument_is_not_changed_in_training() -> None:
    """There spectral norm takes a step whenever its weight is asked for."""
    theirs = made("spectral norm").train()
    before = {key: value.clone() for key, value in theirs.state_dict().items()}
    co.continual(theirs)
    assert all(torch.equal(value, before[key]) for key, value in theirs.state_dict().items())


@torch.no_grad()
def test_a_weight_of_layers_that_are_tried_follows_its_parameters() -> None:
    """Those of the older kind are worked out by a hook."""
    for how in (nn.utils.weight_norm, known.weight_norm):
        norm = how(nn.LayerNorm((5, 3)), dim=1)
        theirs = nn.Sequential(norm, nn.Conv3d(4, 4, 1)).double().eval()
        ours = co.continual(theirs)
        x = torch.randn(1, 4, 9, 5, 3, dtype=torch.float64)
        assert torch.allclose(ours(x), theirs(x), atol=1e-13)
        for parameter in (*ours.parameters(), *theirs.parameters()):
            parameter.mul_(1.5)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        assert torch.allclose(ours(x), theirs(x), atol=1e-13)
        assert torch.allclose(streamed(ours, x), theirs(x), atol=1e-13)
