"""The continual transformer: the spec, torch's encoder with a band as its mask, and the package."""

import pytest
import torch
from references.continual_transformer import Encoder
from side_by_side import EXACT, FOLDER, agree, built, by_steps, clip, off, out_of_tune
from torch import nn

import codsl

SIZES = {"features": 6, "width": 8, "heads": 2, "inner": 12, "window": 5, "classes": 3}


@torch.no_grad()
@pytest.mark.parametrize("layers", [1, 2])
def test_the_reference_and_the_stream_agree(layers: int) -> None:
    net, x = Encoder(layers=layers, **SIZES), clip(2, 6, 30)
    out_of_tune(net, net.classify, lambda: net(x))
    agree(built("continual_transformer", net.state_dict(), layers=layers, **SIZES), x, net(x))


@torch.no_grad()
@pytest.mark.filterwarnings("ignore")
def test_one_layer_is_that_of_the_package() -> None:
    """continual-inference gives nothing until the window is full, and then the same."""
    co = pytest.importorskip("continual", reason="continual-inference is not installed")
    layer = co.TransformerEncoderLayerFactory(
        d_model=8, nhead=2, dim_feedforward=12, dropout=0.0, activation=nn.GELU(), sequence_len=5
    )
    net = co.Sequential(
        co.Linear(6, 8, channel_dim=1),
        co.RecyclingPositionalEncoding(8, 8, forward_update_index_steps=0),
        nn.Dropout(0.1),
        co.TransformerEncoder(layer, num_layers=1),
        co.Lambda(nn.LayerNorm(8), takes_time=False),
        co.Linear(8, 3, channel_dim=1),
    )
    x = clip(2, 6, 30)
    out_of_tune(net, net[5], lambda: net.forward(x[:, :, :5]))
    wanted = [net.forward_step(x[:, :, t]) for t in range(30)]
    assert not any(isinstance(each, torch.Tensor) for each in wanted[:4])
    found = by_steps(built("continual_transformer", net.state_dict(), **SIZES), x)[""]
    assert off(found[:, :, 4:], torch.stack(wanted[4:], 2)) <= EXACT


def test_each_layer_sees_a_window_further() -> None:
    for layers, field in [("one", 120), ("two", 239)]:
        graph = codsl.check(FOLDER / "continual_transformer.codsl", variant=layers)
        assert (graph.receptive_field, graph.delay) == (field, 0)
