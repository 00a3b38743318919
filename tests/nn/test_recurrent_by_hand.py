"""`co.RNN`, `co.GRU` and `co.LSTM`: torch's values, keys and hidden tensors over `(B, C, T)`."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import nn

import codsl.nn as co

CASES: list[tuple[Any, Any, dict[str, Any]]] = [
    (co.RNN, nn.RNN, {"nonlinearity": "relu", "bias": False}),
    (co.GRU, nn.GRU, {}),
    (co.LSTM, nn.LSTM, {"proj_size": 2}),
]
SIZES = {"input_size": 3, "hidden_size": 4, "num_layers": 2, "dtype": torch.float64}


def clip(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.fixture(params=CASES, ids=["rnn", "gru", "lstm"])
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """A layer of torch and its continual copy."""
    torch.manual_seed(0)
    made, holder, more = request.param
    layer = holder(**SIZES, **more).eval()
    return layer, made.build_from(layer)


def together(hidden: Any) -> list[torch.Tensor]:
    return list(hidden) if isinstance(hidden, tuple) else [hidden]


@torch.no_grad()
def test_all_modes_give_what_torch_gives(pair: tuple[Any, Any]) -> None:
    layer, continual = pair
    x, first = clip(2, 3, 9), clip(2, 3, 4)
    _, before = layer(first.permute(2, 0, 1))
    want, after = layer(x.permute(2, 0, 1), before)
    want = want.permute(1, 2, 0)
    y, hidden = continual(x, before)
    assert torch.allclose(y, want, atol=1e-14)
    for ours, theirs in zip(together(hidden), together(after), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-14)
    continual.set_state(before)
    steps = [continual.forward_step(x[:, :, t]) for t in range(4)]
    rest = continual.forward_steps(x[:, :, 4:])
    assert torch.allclose(torch.cat([torch.stack(steps, 2), rest], 2), want, atol=1e-14)
    for ours, theirs in zip(continual.get_state(), together(after), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-14)


@torch.no_grad()
def test_a_state_goes_on_where_it_was_taken(pair: tuple[Any, Any]) -> None:
    _, continual = pair
    x = clip(2, 3, 6)
    continual.forward_steps(x[:, :, :3])
    state = continual.get_state()
    want = continual.forward_steps(x[:, :, 3:])
    for taken in (state, copy.deepcopy(state), pickle.loads(pickle.dumps(state))):
        continual.set_state(taken)
        assert torch.equal(continual.forward_steps(x[:, :, 3:], update_state=False), want)
    assert continual.get_state().frame == 3


@torch.no_grad()
def test_hidden_tensors_are_no_part_of_the_stream(pair: tuple[Any, Any]) -> None:
    layer, continual = pair
    x = clip(1, 3, 6)
    _, before = layer(clip(1, 3, 4).permute(2, 0, 1))
    continual.set_state(before)
    want = continual.forward_steps(x, update_state=False)
    for tensor in together(before):
        tensor.zero_()
    assert torch.equal(continual.forward_steps(x, update_state=False), want)
    for tensor in continual.get_state():
        tensor.zero_()
    assert torch.equal(continual.forward_steps(x), want)


@torch.no_grad()
def test_a_container_hands_on_outputs(pair: tuple[Any, Any]) -> None:
    layer, continual = pair
    x = clip(2, 3, 6)
    want = layer(x.permute(2, 0, 1))[0].permute(1, 2, 0)
    for module in (co.Sequential(continual), co.Sequential(layer)):
        assert torch.allclose(module(x), want, atol=1e-14)
        assert torch.allclose(module.forward_steps(x), want, atol=1e-14)


@torch.no_grad()
def test_a_copy_shares_nothing_and_keeps_the_keys(pair: tuple[Any, Any]) -> None:
    layer, _ = pair
    twin = co.continual(layer)
    assert type(twin).__module__ == "codsl.nn.recurrent"
    assert list(twin.state_dict()) == list(layer.state_dict())
    x = clip(1, 3, 5)
    want = twin(x)[0]
    for parameter in layer.parameters():
        parameter.zero_()
    assert torch.equal(twin(x)[0], want)
    twin.load_state_dict(layer.state_dict())
    assert twin(x)[0].abs().sum() == 0


def test_arguments_are_torchs_by_position() -> None:
    rnn = co.RNN(3, 4, 2, "relu", False, True)
    assert (rnn.num_layers, rnn.nonlinearity, rnn.bias) == (2, "relu", False)
    assert co.LSTM(3, 4, 1, True, False, 0.0, False, 2).proj_size == 2
    assert co.GRU(3, 4).delay == 0


def test_what_no_stream_can_do_is_refused() -> None:
    for made in (co.RNN, co.GRU, co.LSTM):
        with pytest.raises(ValueError, match="bidirectional"):
            made(3, 4, bidirectional=True)
    with pytest.raises(ValueError, match="hidden tensors are"):
        co.GRU(3, 4).set_state(torch.zeros(1, 4))
    with pytest.raises(ValueError, match="hidden tensors are"):
        co.LSTM(3, 4).set_state(torch.zeros(1, 2, 4))
    with pytest.raises(TypeError, match="built from"):
        co.GRU.build_from(nn.LSTM(3, 4))


def test_gradients_are_torchs_in_every_mode(pair: tuple[Any, Any]) -> None:
    layer, continual = pair
    x = clip(1, 3, 5)
    layer.train()(x.permute(2, 0, 1))[0].sum().backward()
    want = [parameter.grad for parameter in layer.parameters()]
    continual.train()
    for run in (lambda: continual(x)[0], lambda: continual.forward_steps(x)):
        continual.zero_grad()
        continual.clean_state()
        run().sum().backward()
        for parameter, grad in zip(continual.parameters(), want, strict=True):
            assert torch.allclose(parameter.grad, grad, atol=1e-12)
