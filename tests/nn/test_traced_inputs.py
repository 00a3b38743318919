"""Inputs of a traced class that are not given, and those that it does not take."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from contained import clip_of, streamed
from torch import Tensor, nn

import codsl.nn as co


class Masked(nn.Module):
    """A convolution whose outputs may be masked."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 2, 3, padding=1)

    def forward(self, x: Tensor, mask: Any = None) -> Tensor:
        y: Tensor = self.conv(x)
        return y if mask is None else y * mask


class Gained(Masked):
    """The same with a number, a flag and whatever else is given."""

    def forward(  # type: ignore[override]
        self, x: Tensor, gain: float = 2.0, *more: Any, turned: bool = True, **named: Any
    ) -> Tensor:
        y: Tensor = self.conv(x) * gain
        return -y if turned else y


class Both(Masked):
    """Two streams that it cannot do without."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        made: Tensor = self.conv(x) + y
        return made


@pytest.mark.parametrize("kind", [Masked, Gained])
@torch.no_grad()
def test_an_input_that_is_not_given_is_what_it_is_by_default(kind: Any) -> None:
    torch.manual_seed(0)
    source, x = kind().eval(), clip_of()
    net = co.continual(source).eval()
    assert torch.allclose(net(x), source(x), atol=1e-6)
    assert torch.allclose(streamed(net, x), source(x), atol=1e-6)
    assert net.delay == 1
    inside = co.Sequential(nn.ReLU(), source).eval()
    assert torch.allclose(streamed(inside, x), source(x.relu()), atol=1e-6)


@torch.no_grad()
def test_an_input_that_is_given_is_a_stream() -> None:
    source, x, mask = Masked().eval(), clip_of(), clip_of(10).relu()
    net = co.continual(source).eval()
    assert torch.allclose(net(x, mask), source(x, mask), atol=1e-6)
    due = [net.forward_steps([x, mask]), net.flush()]
    assert torch.allclose(torch.cat(due, 2), source(x, mask), atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "given", "why"),
    [
        (Both, 1, "`Both` takes 2 inputs, got 1"),
        (Both, 3, "`Both` takes 2 inputs, got 3"),
        (Masked, 3, "`Masked` takes 1 or 2 inputs, got 3"),
    ],
)
def test_another_number_of_inputs_is_refused(kind: Any, given: int, why: str) -> None:
    net, x = co.continual(kind()).eval(), clip_of()
    with pytest.raises(ValueError, match=why):
        net(*[x] * given)
    with pytest.raises(ValueError, match=why):
        net.forward_steps([x] * given if given > 1 else x)
