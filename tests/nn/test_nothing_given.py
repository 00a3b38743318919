"""Batches without streams, and chunks without frames."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import codsl.nn as co


def encoder() -> Any:
    return co.TransformerEncoder(co.TransformerEncoderLayerFactory(4, 2, 8, sequence_len=3), 2)


BATCHES: dict[str, Any] = {
    "attention": lambda: co.MultiheadAttention(4, 2, past=2),
    "encoder layer": lambda: co.TransformerEncoderLayer(4, 2, 8, past=2),
    "encoder": encoder,
    "cumulative norm": lambda: co.CumulativeLayerNorm(4),
    "running mean": co.RunningMean,
    "reshape": lambda: co.Reshape(-1, 2, 2),
    "lambda": lambda: co.Lambda(torch.relu),
}


@pytest.mark.parametrize("name", BATCHES)
@torch.no_grad()
def test_a_batch_without_streams_gives_one_without_outputs(name: str) -> None:
    net = BATCHES[name]().eval()
    wanted, x = net(torch.randn(2, 4, 6)), torch.randn(0, 4, 6)
    assert net(x).shape == (0, *wanted.shape[1:])
    chunk = net.forward_steps(x)
    assert chunk.shape == (0, *wanted.shape[1:2], chunk.shape[2], *wanted.shape[3:])
    step = net.forward_step(x[:, :, 0])
    assert step.shape == (0, *wanted.shape[1:2], *wanted.shape[3:])


@torch.no_grad()
def test_spectra_of_no_sound() -> None:
    net = co.Stft(8, 4).eval()
    wanted = net(torch.randn(2, 1, 32))
    assert net(torch.randn(0, 1, 32)).shape == (0, *wanted.shape[1:])


CHUNKS: dict[str, Any] = {
    "lambda": lambda: co.Lambda(torch.relu),
    "lambda of clips": lambda: co.Lambda(torch.relu, takes_time=True),
    "reshape": lambda: co.Reshape(-1, 2, 2),
    "stepping": lambda: co.forward_stepping(nn.ReLU()),
}


@pytest.mark.parametrize("name", CHUNKS)
def test_a_chunk_without_frames_gives_none(name: str) -> None:
    net: Any = CHUNKS[name]()
    assert net.forward_steps(torch.zeros(2, 4, 0)) is None
    assert isinstance(net.forward_steps(torch.zeros(2, 4, 1)), Tensor)


def test_the_ring_of_a_delay_of_nothing() -> None:
    delay = co.Delay(0)
    delay.forward_step(torch.zeros(1, 2))
    assert delay.state_buffer.shape == (0, 1, 2)
    assert int(delay.state_index) == 0
