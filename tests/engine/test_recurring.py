"""Recurrent layers and what else is carried on, in a fast step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import codsl.nn as co
from codsl.engine.fast import compile_step
from engine.fast_streams import agree, chunk_of, same_stream
from engine.test_fast_step import built

LAYERS = (
    "lstm(5)",
    "lstm(4, 2, bias=false)",
    "gru(5, 3)",
    "rnn(6, 2)",
    'rnn(6, nonlinearity="relu", bias=false)',
)


def _network(layer: str) -> str:
    return f"codsl 1\nnetwork n {{ input (3, T) conv1d(4, 3) {layer} b = conv1d(2, 2) }}\n"


@pytest.mark.parametrize(("dtype", "batch"), [(torch.float32, 3), (torch.float64, 1)], ids=str)
@pytest.mark.parametrize("layer", LAYERS)
def test_a_stream_is_the_same(layer: str, dtype: torch.dtype, batch: int) -> None:
    same_stream(built(_network(layer), dtype), batch, dtype, 20)


@pytest.mark.parametrize("layer", LAYERS)
def test_each_product_is_torchs_to_count(layer: str) -> None:
    """What oneDNN computes of a whole layer is hidden from torch's counter; cells are not."""
    net = built(_network(layer), torch.float32)
    fast, frame = net.compile_step(), torch.randn(1, 3)
    for _ in range(net.graph.cycle.start + 1):
        fast(frame)
    with FlopCounterMode(display=False) as counter:
        fast(frame)
    assert counter.get_total_flops() == 2 * net.report().total["macs"]


class _Halved(co.LSTM):
    """A layer that does something of its own."""

    def forward(self, x: Any, hx: Any = None, run: Any = None) -> Any:
        y = super().forward(x, hx, run)
        return (y[0] / 2, *y[1:])


def _hooked() -> nn.Module:
    layer = co.LSTM(4, 5)
    layer.register_forward_hook(lambda module, given, y: (y[0] + 1, *y[1:]))
    return layer


@pytest.mark.parametrize("make", [lambda: co.LSTM(4, 5, 2), lambda: _Halved(4, 5), _hooked])
def test_layers_by_hand_do_what_they_do(make: Any) -> None:
    torch.manual_seed(0)
    net = co.Sequential(co.Conv1d(3, 4, 3), make()).eval()
    frames = torch.randn(12, 2, 3)
    with torch.no_grad():
        net.forward_step(frames[0])
        net.clean_state()
        fast = compile_step(net)
        for frame in frames:
            agree(fast(frame), net.forward_step(frame), torch.float32)


@pytest.mark.parametrize("backend", ["eager", "onnxruntime"])
@pytest.mark.parametrize("layer", ["recycling_positional_encoding(7)", "lstm(4)"])
def test_several_items_are_carried_on_one_by_one(layer: str, backend: str) -> None:
    """Of a layer to which a frame brings several items, also where a graph of these is traced."""
    up = 'conv_transpose1d(4, 6, stride=3, padding="causal")'
    net = built(f"codsl 1\nnetwork n {{ input (4, T) {up} {layer} conv1d(2, 3) }}", torch.float32)
    fast, told = net.compile_step(backend), 0
    with torch.no_grad():
        for _ in range(12):
            chunk = chunk_of(net, 2, torch.float32, 1)
            told += agree(fast.forward_steps(chunk), net.forward_steps(chunk), torch.float32)
    assert told > 100
