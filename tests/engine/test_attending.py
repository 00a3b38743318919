"""Attention in the fast step, in chunks and in what is exported is the network's."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from codsl.engine.attending import Attending
from codsl.engine.lister import Lister
from codsl.engine.style import PLAIN, Style
from codsl.export.block import block_of
from codsl.export.proof import ROWS, prove
from codsl.export.rings import Rings
from engine.fast_streams import agree, same_stream
from engine.test_fast_step import built

ALONE = "multihead_attention(2, past=5, ahead=1, bias=false, rotary_base=100)"
LAYERS = {
    "alone": ALONE,
    "norm after": 'transformer_encoder_layer(4, 6, past=3, activation="gelu")',
    "norm first": "transformer_encoder_layer(2, 6, past=3, ahead=2, norm_first=true, bias=false)",
    "turned": "transformer_encoder_layer(2, 6, past=4, rotary_base=50)",
    "nothing but itself": "multihead_attention(2, past=0)",
}


def network(layers: str, dtype: torch.dtype = torch.float64) -> Any:
    return built(f"codsl 1\nnetwork n {{ input (8, T) {layers} }}", dtype)


def units(net: Any) -> int:
    """How many nodes are attention by a kernel."""
    found = Lister(net.program, torch.empty(0, dtype=torch.float64), PLAIN).units
    return sum(isinstance(unit.run, Attending) for unit in found.values())


def exact(net: Any, frames: int) -> None:
    """Hold a step of so many frames, as it is exported, against the network."""
    step, layout = block_of(net.program, torch.float64, frames)

    def run(given: Any) -> Any:
        return dict(zip(layout.made, step(*(given[each] for each in layout.given)), strict=True))

    prove(Rings(layout, ROWS, run), net.program, layout)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", LAYERS)
def test_streams_go_on_as_they_are(name: str, dtype: torch.dtype, batch: int) -> None:
    layers = f"norm = layer_norm a = {LAYERS[name]} b = {LAYERS[name]} layer_norm(bias=false)"
    net = network(layers, dtype)
    assert units(net) == 2
    same_stream(net, batch, dtype, net.graph.cycle.start + 24)


@pytest.mark.parametrize("name", LAYERS)
@torch.no_grad()
def test_what_is_exported_is_exact_from_the_first_frame_on(name: str) -> None:
    net = network(f"conv1d(8, 3, padding=1) {LAYERS[name]}")
    for frames in (1, 3):
        exact(net, frames)


def test_a_ring_goes_on_where_an_item_comes() -> None:
    """Where a stride is before attention, and in two layers of which one looks ahead."""
    layers = f"conv1d(8, 3, stride=2) a = {LAYERS['norm first']} b = {LAYERS['norm after']}"
    net = network(layers)
    rings = Lister(net.program, torch.empty(0, dtype=torch.float64), Style(rings=True)).rings
    assert len(rings) == 2
    same_stream(net, 2, torch.float64, net.graph.cycle.start + 40)


@torch.no_grad()
def test_what_is_not_in_a_window_is_not_looked_at() -> None:
    """In long chunks, in which one product is of many windows, also where a number is none."""
    net = network(f"{ALONE} {LAYERS['norm first']}")
    fast = net.compile_step()
    draw = torch.Generator().manual_seed(0)
    for worst in (0.0, torch.nan, torch.inf, 0.0):
        chunk = torch.randn(2, 8, 60, generator=draw, dtype=torch.float64)
        chunk[1, 3, 25] += worst
        found = fast.forward_steps(chunk)
        agree(found, net.forward_steps(chunk), torch.float64)
        assert found[:, :, :20].isfinite().all()
        assert found[0].isfinite().all()


@torch.no_grad()
def test_parts_that_are_not_torchs_are_called() -> None:
    class Twice(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(x)

    net = network(f"a = {LAYERS['norm first']} b = {LAYERS['norm after']}")
    assert units(net) == 2
    net.a.linear1.register_forward_hook(lambda module, inputs, y: y + 1)
    assert units(net) == 1
    net.b.linear2.__class__ = Twice
    assert units(net) == 0
    same_stream(net, 2, torch.float64, net.graph.cycle.start + 12)
    exact(net, 1)
