"""Positional encodings that begin again: by the number of the frame, in every mode and row."""

from __future__ import annotations

from math import pi, sin

import pytest
import torch

import codsl.nn as co
from codsl.nn.holders import cyclic
from codsl.nn.running.stream import Slots


@torch.no_grad()
@pytest.mark.parametrize("learned", [True, False])
def test_frame_t_gets_encoding_t_in_turn(learned: bool) -> None:
    module = co.RecyclingPositionalEncoding(6, 7, learned)
    table = module.pe.weight if learned else module.pe.pattern
    x = torch.zeros(2, 6, 11)
    want = table[torch.arange(11) % 7].T.expand(2, -1, -1)
    steps = [module.forward_step(x[:, :, t]) for t in range(3)]
    assert torch.equal(torch.stack(steps, 2), want[:, :, :3])
    assert torch.equal(module(x), want)
    assert torch.equal(module.forward_steps(x[:, :, 3:], update_state=False), want[:, :, 3:])
    assert torch.equal(module.forward_steps(x[:, :, 3:]), want[:, :, 3:])
    assert module.receptive_field == 1
    assert module.delay == 0
    assert list(module.state_dict()) == ["pe.weight" if learned else "pe.pattern"]


@torch.no_grad()
def test_every_row_counts_its_own_frames() -> None:
    net = co.Sequential(co.RecyclingPositionalEncoding(6, 4), co.Conv1d(6, 2, 3)).eval()
    x = torch.zeros(1, 6, 8)
    want = net(x)
    net.forward_step(x[:, :, 0])
    slots = Slots(net, 2)
    slots.join()
    for t in range(3):
        slots.step(x[:, :, t])
    slots.join()
    for t in range(3, 8):
        y, due = slots.step(torch.zeros(2, 6))
        assert torch.allclose(y[0], want[0, :, t - 2], atol=1e-6)
        if due[1]:
            assert torch.allclose(y[1], want[0, :, t - 5], atol=1e-6)


def test_cyclic_encodings_follow_the_formula() -> None:
    table = cyclic(12, 6).double()
    assert table.mean(0).abs().max() < 1e-6
    period = 12.0
    raw = [sin(2 * pi / period * abs(i % (2 * period) - period)) for i in range(12)]
    smooth = [sum(raw[(i + j) % 12] for j in range(-2, 3)) / 5 for i in range(12)]
    mean = sum(raw) / 12
    assert torch.allclose(table[:, 4], _shifted(period, 2 * pi * (3 - 4) / 3), atol=1e-6), (
        "features beyond half are shifted"
    )
    assert smooth[0] == pytest.approx(mean, abs=1e-9)
    steps = (table.roll(-1, 0) - table).norm(dim=1)
    assert steps.max() < 2 * steps.min(), "the last position is as near the first as any other"


def _shifted(period: float, shift: float) -> torch.Tensor:
    numbers = torch.arange(12, dtype=torch.float64)
    raw = (2 * pi / period * (numbers - period).abs() + shift).sin()
    around = torch.stack([raw.roll(j) for j in range(-2, 3)]).mean(0)
    return around - raw.mean()


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ValueError, match="two features"):
        co.RecyclingPositionalEncoding(1, 7, learned=False)
    with pytest.raises(ValueError, match="5 positions is zero"):
        co.RecyclingPositionalEncoding(4, 5, learned=False)
    with pytest.raises(ValueError, match="counts"):
        co.RecyclingPositionalEncoding(3, 0)
    with pytest.raises(ValueError, match="encoded for 3 channels"):
        co.RecyclingPositionalEncoding(3, 4)(torch.zeros(1, 2, 5))
