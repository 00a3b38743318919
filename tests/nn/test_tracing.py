"""Users' own classes around recurrent layers, in torch's orders of dimensions, and what they change
in place."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from by_hand import begun
from torch import Tensor, nn
from torch.nn import functional

import codsl.nn as co
from codsl.algebra.shape import Frame
from harness.contract import contract, randomise

ROW = Frame(4, ())


def clip_of(frames: int = 12, batch: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(frames)
    return torch.randn(batch, 4, frames, generator=generator, dtype=torch.float64)


class Own(nn.Module):
    """A module of a user's class: `forward` says what its parts do."""

    def __init__(self, forward: Any, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self._says = forward

    def forward(self, x: Tensor) -> Tensor:
        return self._says(self, x)  # type: ignore[no-any-return]


def own(forward: Any, **parts: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    made = Own(forward, **parts).double().eval()
    randomise(made, 4)
    return made


def last(own: Any, x: Tensor) -> Tensor:
    """`(B, T, C)`, as most classes have it."""
    y, _ = own.rnn(own.conv(x).transpose(1, 2))
    return y.transpose(1, 2)


def first(own: Any, x: Tensor) -> Tensor:
    """`(T, B, C)`."""
    y, (_, _) = own.rnn(own.conv(x).permute(2, 0, 1))
    return y.permute(1, 2, 0)


def head(own: Any, x: Tensor) -> Tensor:
    """Layers over the last dimension, in between."""
    y = own.conv(x).relu().transpose(1, 2)
    y = own.rnn(own.drop(own.norm(y)))[0]
    y = own.head(functional.relu(own.linear(y), inplace=True))
    return x + y.transpose(1, 2)


def twice(own: Any, x: Tensor) -> Tensor:
    """Two recurrent layers, a residual between them in their own order."""
    x = x.transpose(1, 2)
    y, _hidden = own.rnn(x)
    z, _ = own.more(y + x)
    return (z * 2).movedim(2, 1)


def pooled(own: Any, x: Tensor) -> Tensor:
    """Images, each to a row of numbers."""
    y, _ = own.rnn(own.conv(x).mean((3, 4)).swapaxes(1, 2))
    return own.linear(y).transpose(1, 2)


CASES: dict[str, Any] = {
    "lstm": lambda: own(
        last, conv=nn.Conv1d(4, 4, 3, padding=1), rnn=nn.LSTM(4, 3, 2, batch_first=True)
    ),
    "gru, strided": lambda: own(
        last, conv=nn.Conv1d(4, 4, 3, stride=2), rnn=nn.GRU(4, 3, batch_first=True)
    ),
    "rnn, shortened": lambda: own(
        last, conv=nn.Conv1d(4, 4, 3), rnn=nn.RNN(4, 3, batch_first=True)
    ),
    "time first": lambda: own(first, conv=nn.Conv1d(4, 4, 3), rnn=nn.LSTM(4, 3, proj_size=2)),
    "head": lambda: own(
        head,
        conv=nn.Conv1d(4, 4, 3, padding=1),
        norm=nn.LayerNorm(4),
        drop=nn.Dropout(0.5),
        rnn=nn.LSTM(4, 3, batch_first=True),
        linear=nn.Linear(3, 5),
        head=nn.Sequential(nn.GELU(), nn.Linear(5, 4)),
    ),
    "twice": lambda: own(
        twice, rnn=nn.GRU(4, 4, batch_first=True), more=nn.LSTM(4, 2, batch_first=True)
    ),
    "images": lambda: own(
        pooled,
        conv=nn.Conv3d(4, 3, 3, padding=1),
        rnn=nn.GRU(3, 3, batch_first=True),
        linear=nn.Linear(3, 2),
    ),
}  # fmt: skip


DELAYS = {"gru, strided": 2, "rnn, shortened": 2, "time first": 2, "twice": 0}
"""Of most the convolution looks one frame ahead."""


def frame_of(name: str) -> Frame:
    return Frame(4, (3, 5)) if name == "images" else ROW


def stream(net: Any, x: Tensor) -> Tensor:
    parts = [net.forward_steps(chunk) for chunk in x.split([1, 4, x.shape[2] - 5], 2)]
    return torch.cat([part for part in (*parts, net.flush()) if part is not None], 2)


@pytest.mark.parametrize("name", CASES)
@torch.no_grad()
def test_torchs_orders_of_dimensions(name: str) -> None:
    """The keys, the clip and the stream are those of torch's class."""
    theirs, frame = CASES[name](), frame_of(name)
    ours = co.continual(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert ours.receptive_field == float("inf")
    assert ours.delay == DELAYS.get(name, 1)
    for frames in (7, 4, 11, 12):
        x = torch.randn(4, 4, frames, *frame.space, dtype=torch.float64)
        want = theirs(x)
        assert torch.allclose(ours(x), want, atol=1e-13)
        ours.reset()
        if frames > 5:
            assert torch.allclose(stream(ours, x), want, atol=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_they_hold_the_contract(name: str) -> None:
    contract(begun(co.continual(CASES[name]()), frame_of(name)))


def test_gradients_reach_what_stands_in_between() -> None:
    theirs = CASES["head"]()
    ours = co.continual(theirs)
    x = clip_of()
    theirs(x).square().sum().backward()
    ours(x).square().sum().backward()
    for want, got in zip(theirs.parameters(), ours.parameters(), strict=True):
        assert torch.allclose(got.grad, want.grad, atol=1e-10)


def test_training_does_not_change_what_is_convertible() -> None:
    """Chance is no mixing of frames: the probe is in `eval()`, the module stays in training."""
    ours = co.continual(CASES["head"]().train())
    ours(clip_of())
    assert all(part.training for part in ours.modules())


REFUSED: dict[str, tuple[Any, str]] = {
    "the last hidden tensor": (
        lambda own, x: own.last(x.transpose(1, 2))[1].permute(1, 2, 0), "hidden tensors"
    ),
    "hidden among outputs": (
        lambda own, x: _sum(own.last(x.transpose(1, 2))).transpose(1, 2), "hidden tensors"
    ),
    "all that it gives": (lambda own, x: own.last(x.transpose(1, 2)), "hidden tensors"),
    "all, to a module": (
        lambda own, x: own.linear(own.last(x.transpose(1, 2))), "hidden tensors"
    ),
    "a stream as it is": (lambda own, x: own.last(x)[0], r"`last` reads \(B, T, C\)"),
    "a stream as it is, time first": (lambda own, x: own.first(x)[0], r"reads \(T, B, C\)"),
    "batch first was meant": (
        lambda own, x: own.first(x.transpose(1, 2))[0].transpose(1, 2), "`batch_first`"
    ),
    "time first was meant": (
        lambda own, x: own.last(x.permute(2, 0, 1))[0].permute(1, 2, 0), "`batch_first`"
    ),
    "time turned around": (
        lambda own, x: own.last(x.transpose(1, 2).flip(1))[0].transpose(1, 2), "`batch_first`"
    ),
    "left as it is given": (
        lambda own, x: own.last(x.transpose(1, 2))[0], r"`last` gives \(B, T, C\)"
    ),
    "the last output alone": (
        lambda own, x: own.linear(own.last(x.transpose(1, 2))[0][:, -1]), r"gives \(B, T, C\)"
    ),
    "put back wrongly": (
        lambda own, x: own.last(x.transpose(1, 2))[0].reshape(x.shape), "gives"
    ),
    "hidden tensors before it": (
        lambda own, x: own.last(x.transpose(1, 2), torch.zeros(1, 2, 4))[0].transpose(1, 2),
        "begins with zeros",
    ),
    "a linear layer over time": (lambda own, x: own.linear(x.relu()), "last dimension is time"),
    "a linear layer over a stream": (lambda own, x: own.linear(x), "last dimension is time"),
    "a convolution over channels": (
        lambda own, x: own.conv(x.transpose(1, 2)).transpose(1, 2), "is not pointwise"
    ),
    "the first row of a batch": (lambda own, x: own.conv(x)[0], "`getitem`"),
}  # fmt: skip


def _sum(made: Any) -> Tensor:
    y, hidden = made
    return y + hidden.transpose(0, 1)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused(name: str) -> None:
    forward, why = REFUSED[name]
    parts: dict[str, nn.Module] = {
        "last": nn.GRU(4, 4, batch_first=True),
        "first": nn.GRU(4, 4),
        "linear": nn.Linear(4, 4),
        "conv": nn.Conv1d(4, 4, 3, padding=1),
    }
    with pytest.raises(ValueError, match=why):
        co.continual(own(forward, **parts))(clip_of(4, 4))


@torch.no_grad()
def test_layers_of_codsl_unpack_too() -> None:
    """They take `(B, C, T)` themselves."""
    mine = co.LSTM(4, 3)
    theirs = own(lambda own, x: _first(own.rnn(own.conv(x))), rnn=mine, conv=nn.Conv1d(4, 4, 3))
    ours = co.continual(theirs)
    x = clip_of()
    want, _ = mine(theirs.conv(x))
    assert torch.allclose(ours(x), want, atol=1e-13)
    assert torch.allclose(stream(ours, x), want, atol=1e-13)


@torch.no_grad()
def test_attention_by_hand_unpacks_too() -> None:
    heads = co.SingleOutputMultiheadAttention(4, 2, sequence_len=3, embed_dim_second=True)
    ours = co.continual(own(lambda own, x: _first(own.heads(x)), heads=heads))
    want = co.Sequential(heads.double())
    x = clip_of()
    assert torch.allclose(ours(x), want(x), atol=1e-13)
    both = co.continual(own(lambda own, x: own.heads(x)[1], heads=heads))
    with pytest.raises(ValueError, match="`heads`: attention weights"):
        both(x)


def _first(made: Any) -> Any:
    y, _ = made
    return y


def test_attention_over_a_clip_is_refused() -> None:
    theirs = own(lambda own, x: own.heads(x, x, x)[0], heads=nn.MultiheadAttention(4, 2))
    with pytest.raises(ValueError, match="attends to all"):
        co.continual(theirs)


def changed(own: Any, x: Tensor) -> Tensor:
    y = own.conv(x)
    y.relu_()
    return y


IN_PLACE: dict[str, Any] = {
    "a statement": changed,
    "a shortcut": lambda own, x: own.act(y := own.conv(x)) + y,
    "a function": lambda own, x: functional.relu(y := own.conv(x), inplace=True) + y,
    "a view": lambda own, x: (y := own.conv(x)).transpose(1, 2).relu_().transpose(1, 2) + y,
    "a part": lambda own, x: (y := own.conv(x)).chunk(2, 1)[0].relu_().repeat(1, 2, 1) + y,
    "the input": lambda own, x: own.conv(x.mul_(2)) + x,
    "behind what passes": lambda own, x: own.drop(y := own.conv(x)).relu_() + y,
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_what_is_read_after_it_was_changed_is_refused(name: str) -> None:
    parts = {"conv": nn.Conv1d(4, 4, 1), "act": nn.ReLU(inplace=True), "drop": nn.Dropout()}
    with pytest.raises(ValueError, match=r"changes `\w+` in place, and `\w+` reads it after"):
        co.continual(own(IN_PLACE[name], **parts))


def unharmed(own: Any, x: Tensor) -> Tensor:
    """In place, but of values that nobody reads again, or whose size alone is asked for."""
    y = own.conv(x)
    z = own.act(y + x)
    z = z.view(y.shape).mul_(2)
    return functional.relu(y + z, inplace=True).sigmoid_() + x


@torch.no_grad()
def test_what_is_changed_in_place_and_not_read_again_is_converted() -> None:
    theirs = own(unharmed, conv=nn.Conv1d(4, 4, 3, padding=1), act=nn.ReLU(inplace=True))
    ours = co.continual(theirs)
    x = clip_of()
    before = x.clone()
    want = theirs(x)
    assert torch.equal(ours(x), want)
    assert torch.allclose(stream(ours, x), want, atol=1e-13)
    assert torch.equal(x, before)


class Gained(nn.Module):
    """Tensors of its own among what is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(4, 1))
        self.register_buffer("shift", torch.ones(4, 1))
        self.conv = nn.Conv1d(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) * self.gain.exp() + self.shift


@torch.no_grad()
def test_tensors_are_those_of_the_module_as_it_is() -> None:
    """Also after a run: of a copy its own, of a moved module the moved ones."""
    theirs = Gained().eval()
    ours = co.continual(theirs)
    x = clip_of()
    ours(x.float())
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        twin.gain.fill_(0.0)
        twin.shift.fill_(5.0)
        assert torch.equal(twin(x.float()), twin.conv(x.float()) + 5)
    assert torch.equal(ours(x.float()), theirs(x.float()))
    ours.double().shift.fill_(7.0)
    assert torch.equal(ours(x), ours.conv(x) * ours.gain.exp() + 7)
