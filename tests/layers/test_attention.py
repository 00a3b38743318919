"""Attention over a band: torch's with that mask, for ever and at any depth."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from row_networks import assert_refused
from torch import Tensor, nn

import codsl
from codsl.nn.functions import attention
from harness.contract import contract, randomise

DOUBLE = torch.float64
STEPS = 20_000


def built(*layers: Any, channels: int = 8, dtype: torch.dtype = DOUBLE) -> codsl.Network:
    """A network with values of its own."""
    torch.manual_seed(6)
    spec = {"codsl": 1, "input": [channels, "T"], "layers": list(layers)}
    net = codsl.build(spec, dtype=dtype).eval()
    randomise(net, 6)
    return net


def band(frames: int, past: int, ahead: int) -> Tensor:
    """Torch's mask: true where an output may not look."""
    rows, columns = torch.arange(frames)[:, None], torch.arange(frames)
    return (columns < rows - past) | (columns > rows + ahead)


def streamed(net: codsl.Network, x: Tensor) -> Tensor:
    """All that steps and the end give."""
    with torch.no_grad():
        parts = [net.forward_step(frame) for frame in x.unbind(2)]
        due = [part.unsqueeze(2) for part in parts if part is not None]
        end = net.flush()
    return torch.cat([*due, *([] if end is None else [end])], 2)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("past", [0, 1, 5, 40])
@pytest.mark.parametrize("ahead", [0, 2])
def test_attention_is_torchs_with_a_band_for_mask(past: int, ahead: int, bias: bool) -> None:
    arguments = {"num_heads": 2, "bias": bias}
    layer = {"multihead_attention": {"name": "a", "past": past, "ahead": ahead, **arguments}}
    net = built(layer)
    theirs = nn.MultiheadAttention(8, **arguments, batch_first=True, dtype=DOUBLE)
    assert list(theirs.state_dict()) == list(net.get_submodule("a").state_dict())
    theirs.load_state_dict(net.get_submodule("a").state_dict())
    x = torch.randn(2, 8, 30, dtype=DOUBLE)
    rows = x.transpose(1, 2)
    mask = band(30, past, ahead)
    wanted = theirs(rows, rows, rows, attn_mask=mask, need_weights=False)[0].transpose(1, 2)
    assert (net(x) - wanted).abs().max() < 1e-12
    assert (streamed(net, x) - wanted).abs().max() < 1e-12
    assert (net.receptive_field, net.delay) == (past + 1 + ahead, ahead)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("ahead", [0, 1])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_an_encoder_is_torchs_at_any_depth(norm_first: bool, ahead: int, depth: int) -> None:
    """Every layer sees a band; the stream is the clip after many frames as after the first."""
    frames = 600 if depth == 2 else 60
    arguments = {"nhead": 2, "dim_feedforward": 12, "activation": "gelu", "dropout": 0.3}
    given = {**arguments, "norm_first": norm_first, "past": 3, "ahead": ahead}
    layers = [{"transformer_encoder_layer": {"name": f"l{i}", **given}} for i in range(depth)]
    net = built(*layers)
    layer = nn.TransformerEncoderLayer(
        8, **arguments, norm_first=norm_first, batch_first=True, dtype=DOUBLE
    )
    theirs = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False).eval()
    ours = {f"layers.{key[1:]}": value for key, value in net.state_dict().items()}
    theirs.load_state_dict(ours)
    x = torch.randn(2, 8, frames, dtype=DOUBLE)
    with torch.no_grad():
        wanted = theirs(x.transpose(1, 2), mask=band(frames, 3, ahead)).transpose(1, 2)
    assert (net(x) - wanted).abs().max() < 1e-12
    assert (streamed(net, x) - wanted).abs().max() < 1e-12
    assert net.receptive_field == 1 + depth * (3 + ahead)
    assert net.delay == depth * ahead


def test_an_encoder_keeps_the_contract_among_others() -> None:
    """Behind a stride, in a residual with another delay, and before a transposed convolution."""
    layer = {"nhead": 2, "dim_feedforward": 6, "past": 2, "ahead": 1}
    net = built(
        {"conv1d": {"out_channels": 4, "kernel_size": 3, "stride": 2, "padding": 1}},
        {
            "residual": {
                "layers": [
                    {"transformer_encoder_layer": {"name": "one", **layer}},
                    {"transformer_encoder_layer": {"name": "two", **layer, "norm_first": True}},
                ]
            }
        },
        {"multihead_attention": {"name": "three", "num_heads": 1, "past": 1, "rotary_base": 50}},
        {"conv_transpose1d": {"out_channels": 3, "kernel_size": 4, "stride": 2, "padding": 1}},
        {"multihead_attention": {"name": "four", "num_heads": 3, "past": 3, "ahead": 2}},
        channels=3,
    )
    contract(net)


def test_only_keys_and_values_are_kept_where_nothing_is_ahead() -> None:
    """A ring of `past` keys and values; with lookahead also the items that wait."""
    for ahead, wanted in ((0, 5 * 16), (2, 7 * 16 + 2 * 8)):
        layer = {"nhead": 2, "dim_feedforward": 4, "past": 5, "ahead": ahead}
        net = built({"transformer_encoder_layer": layer})
        assert sum(math.prod(shape) for shape in net.init_state().layout) == wanted
        assert net.graph.report().total["state_bytes"] == 4 * wanted


def test_the_items_that_wait_are_shared_with_a_join() -> None:
    """A residual around attention holds what attention holds anyway."""
    layer = {"multihead_attention": {"num_heads": 2, "past": 5, "ahead": 2}}
    alone, around = built(layer), built({"residual": {"layers": [layer]}})
    total = [net.graph.report().total["state_bytes"] for net in (alone, around)]
    assert total[0] == total[1]
    contract(around)


def turned(x: Tensor, base: float) -> Tensor:
    """`(B, heads, T, size)`, each pair of channels turned by its position, as complex numbers."""
    size = x.shape[3]
    speeds = base ** (-torch.arange(0, size, 2, dtype=DOUBLE) / size)
    angles = torch.arange(x.shape[2], dtype=DOUBLE)[:, None] * speeds
    pairs = torch.view_as_complex(x.unflatten(3, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(3)


def test_rotary_positions_turn_queries_and_keys() -> None:
    """Equal to torch's attention over queries and keys that are turned by absolute positions."""
    given = {"name": "a", "num_heads": 2, "past": 6, "ahead": 1, "rotary_base": 100.0}
    net = built({"multihead_attention": given})
    weights = net.get_submodule("a").state_dict()
    x = torch.randn(2, 8, 50, dtype=DOUBLE)
    projected = nn.functional.linear(
        x.transpose(1, 2), weights["in_proj_weight"], weights["in_proj_bias"]
    )
    q, k, v = (p.unflatten(2, (2, 4)).transpose(1, 2) for p in projected.chunk(3, 2))
    seen = nn.functional.scaled_dot_product_attention(
        turned(q, 100), turned(k, 100), v, attn_mask=~band(50, 6, 1)
    )
    rows = seen.transpose(1, 2).flatten(2)
    wanted = nn.functional.linear(rows, weights["out_proj.weight"], weights["out_proj.bias"])
    assert (net(x) - wanted.transpose(1, 2)).abs().max() < 1e-12
    assert (streamed(net, x) - wanted.transpose(1, 2)).abs().max() < 1e-12


@pytest.mark.parametrize("base", [None, 10000.0])
def test_a_stream_does_not_tire(base: float | None) -> None:
    """The same frames give the same answer at any time, bit for bit."""
    given = {"num_heads": 2, "past": 7, "ahead": 1, "rotary_base": base}
    net = built({"multihead_attention": given}, dtype=torch.float32)
    x = torch.randn(1, 8, 50)
    with torch.no_grad():
        wanted = [net.forward_step(frame) for frame in x.unbind(2)][20:]
        net.forward_steps(torch.randn(1, 8, STEPS))
        found = [net.forward_step(frame) for frame in x.unbind(2)][20:]
    assert all(map(torch.equal, found, wanted))


def test_what_is_not_in_the_window_is_not_looked_at() -> None:
    """One frame of `nan` spoils the outputs whose window has it, and no other."""
    net = built({"multihead_attention": {"num_heads": 2, "past": 3, "ahead": 1}})
    x = torch.randn(1, 8, 20, dtype=DOUBLE)
    clean = net(x)
    x[:, :, 9] = math.nan
    for y in (net(x), streamed(net, x)):
        spoilt = y.isnan().any(1)[0].nonzero().flatten().tolist()
        assert spoilt == [8, 9, 10, 11, 12]
        kept = [j for j in range(20) if j not in spoilt]
        assert (y[:, :, kept] - clean[:, :, kept]).abs().max() < 1e-12


@pytest.mark.parametrize("size", [1e-3, 1e4, 1e8])
def test_large_numbers_stay_finite(size: float) -> None:
    net = built({"multihead_attention": {"num_heads": 2, "past": 3}}, dtype=torch.float32)
    x = size * torch.randn(1, 8, 40)
    assert net(x).isfinite().all()
    assert streamed(net, x).isfinite().all()


def test_a_long_clip_is_cut_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few windows are cut out at once, the answer is the same."""
    net = built({"multihead_attention": {"num_heads": 2, "past": 3, "ahead": 1}})
    x = torch.randn(2, 8, 33, dtype=DOUBLE)
    wanted = net(x)
    for size in (1, 300, 4000):
        monkeypatch.setattr(attention, "BLOCK", size)
        assert (net(x) - wanted).abs().max() < 1e-12


def test_dropout_is_for_training() -> None:
    layer = {"nhead": 2, "dim_feedforward": 8, "dropout": 0.5, "past": 3}
    net = built({"transformer_encoder_layer": layer})
    x = torch.randn(1, 8, 12, dtype=DOUBLE)
    assert torch.equal(net(x), net(x))
    net.train()
    assert not torch.equal(net(x), net(x))


def test_gradients_are_those_of_the_clip() -> None:
    layer = {"nhead": 2, "dim_feedforward": 8, "dropout": 0.0, "past": 3, "ahead": 1}
    net = built({"transformer_encoder_layer": layer}).train()
    x = torch.randn(2, 8, 9, dtype=DOUBLE)
    weights = list(net.parameters())
    wanted = torch.autograd.grad(net(x).square().sum(), weights)
    steps = [net.forward_step(frame) for frame in x.unbind(2)]
    parts = [step.unsqueeze(2) for step in steps if step is not None]
    found = torch.autograd.grad(torch.cat([*parts, net.flush()], 2).square().sum(), weights)
    worst = max((one - other).abs().max().item() for one, other in zip(found, wanted, strict=True))
    assert worst < 1e-11


@pytest.mark.parametrize(
    ("layer", "code", "said"),
    [
        ({"multihead_attention": {"num_heads": 3, "past": 4}}, "E0402", "nearest divisor is 4"),
        ({"multihead_attention": {"num_heads": 2}}, "E0304", "`past`"),
        ({"multihead_attention": {"num_heads": 2, "past": -1}}, "E0305", "0 or more"),
        ({"multihead_attention": {"num_heads": 2, "past": 1, "embed_dim": 4}}, "E0402", "inferred"),
        ({"multihead_attention": {"num_heads": 8, "past": 1, "rotary_base": 10}}, "E0402", "pairs"),
        ({"transformer_encoder_layer": {"nhead": 5, "past": 4}}, "E0402", "nearest divisor is 4"),
        ({"transformer_encoder_layer": {"nhead": 2, "past": 4, "d_model": 9}}, "E0402", "inferred"),
    ],
)
def test_what_cannot_be_is_refused(layer: dict[str, Any], code: str, said: str) -> None:
    assert_refused(lambda: built(layer), code, said)
