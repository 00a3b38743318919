"""Streams that go on outside of inference mode after frames inside of it, and the other way."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from contained import clip_of

import codsl.nn as co

MADE: dict[str, Any] = {
    "rnn": lambda: co.RNN(2, 3),
    "gru": lambda: co.GRU(2, 3),
    "lstm": lambda: co.LSTM(2, 3),
    "in a container": lambda: co.Sequential(co.Conv1d(2, 2, 3, padding=2), co.GRU(2, 3)),
    "convolution": lambda: co.Conv1d(2, 3, 3, padding=2),
}


@pytest.mark.parametrize("name", MADE)
def test_a_stream_goes_on_outside_of_inference_mode(name: str) -> None:
    torch.manual_seed(0)
    net, x = MADE[name]().eval(), clip_of(8)
    clip = net(x)
    wanted = clip[0] if isinstance(clip, tuple) else clip
    with torch.inference_mode():
        parts = [net.forward_steps(x[:, :, :4])]
    parts.append(net.forward_steps(x[:, :, 4:6]))
    parts[-1].sum().backward()
    with torch.inference_mode():
        parts.append(net.forward_steps(x[:, :, 6:]))
    end = net.flush()
    found = torch.cat([*parts, *([] if end is None else [end])], 2)
    assert torch.allclose(found, wanted, atol=1e-6)
    assert all(each.grad is not None for each in net.parameters())


@pytest.mark.parametrize("name", MADE)
def test_a_flush_outside_of_inference_mode(name: str) -> None:
    net = MADE[name]().eval()
    with torch.inference_mode():
        net.forward_steps(clip_of(8))
    end = net.flush()
    assert end is None or end.sum().backward() is None
