"""Networks with more channels inside give the same."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

import codsl
from codsl.engine import fast, widening
from codsl.engine.backends.eager import EAGER
from codsl.engine.widening import widened
from engine.fast_streams import same_stream
from engine.test_fast_step import EXAMPLES, built
from harness.contract import LONGEST
from harness.drawn import Networks
from networks.shipped import FOLDER, SMALL

if TYPE_CHECKING:
    from codsl.engine.style import Style

GATED = """codsl 1
network n {
  input (3, T, 6, 5)
  conv_a = conv3d(10, 1, bias=false)
  norm_a = batch_norm3d
  relu
  conv_b = conv3d(10, 3, padding=1, groups=10)
  norm_b = batch_norm3d
  residual("mul", shrink="centered") {
    adaptive_avg_pool3d(1, kernel_size=2)
    down = conv3d(6, 1)
    relu
    up = conv3d(10, 1)
    sigmoid
  }
  silu
  per_frame {
    image = conv2d(7, 3, padding=1)
    batch_norm2d
    relu
    out = conv2d(5, 3, padding=1)
  }
}
"""
SEEN = """codsl 1
network n { input (3, T, 6, 6) a = conv3d(6, 1) b = conv3d(6, 3) prelu(6) c = conv3d(5, 1) }
"""


def widths(net: Any, multiple: int) -> dict[str, tuple[int, int]]:
    """The nodes that become wider, with their channels before and after."""
    wide = widened(net.laid.program, multiple).graph.nodes
    pairs = zip(net.graph.nodes, wide, strict=True)
    return {
        one.path: (one.frame.channels, other.frame.channels)
        for one, other in pairs
        if one.frame != other.frame
    }


ODD = {"mbconv": {"channels": 5}}


def multiples(monkeypatch: pytest.MonkeyPatch, of: int) -> None:
    """Let the fast step of torch itself have channels in multiples of a number."""

    def style(batch: int, device: torch.device) -> Style:
        return replace(EAGER.style(batch, device), channels=of)

    monkeypatch.setattr(fast, "backend_of", lambda name: replace(EAGER, style=style))


@pytest.fixture
def _by_fours(monkeypatch: pytest.MonkeyPatch) -> None:
    multiples(monkeypatch, 4)


def test_what_is_inside_becomes_wider() -> None:
    net = built(GATED, torch.float64)
    found = widths(net, 4)
    assert {name: width for name, width in found.items() if width != (10, 12)} == {
        "down": (6, 8),
        "relu[2]": (6, 8),
        "image": (7, 8),
        "batch_norm2d": (7, 8),
        "relu[3]": (7, 8),
    }
    assert set(found) >= {"conv_a", "norm_b", "up", "sigmoid", "mul", "silu"}
    assert "out" not in found
    assert widened(net.laid.program, 1) is net.laid.program
    assert net.conv_b.weight.shape[0] == 10


def test_channels_that_somebody_sees_stay() -> None:
    assert widths(built(SEEN, torch.float64), 4) == {"a": (6, 8)}


@pytest.mark.usefixtures("_by_fours")
def test_a_gated_stream_is_the_same() -> None:
    same_stream(built(GATED, torch.float64), 2, torch.float64, 14)


@pytest.mark.usefixtures("_by_fours")
def test_weights_that_are_not_zero_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(x: Any, outs: int | None, ins: int | None, fill: float) -> Any:
        return right(x, outs, ins, 0.5)

    right = widening._padded
    monkeypatch.setattr(widening, "_padded", wrong)
    with pytest.raises(RuntimeError, match="does not do what the network does"):
        same_stream(built(GATED, torch.float64), 2, torch.float64, 14)


@pytest.mark.usefixtures("_by_fours")
@pytest.mark.parametrize("name", ["mbconv", "x3d"])
def test_shipped_networks_are_the_same(name: str) -> None:
    net = built(FOLDER / f"{name}.codsl", torch.float64, params=ODD.get(name, SMALL[name]))
    assert widths(net, 4)
    same_stream(net, 2, torch.float64, net.graph.cycle.start + net.graph.cycle.turn + 6)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_random_networks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    multiples(monkeypatch, 2)
    wide = 0
    for seed in range(EXAMPLES):
        spec = Networks(random.Random(seed), 3).network(6)
        graph = codsl.check(spec)
        frames = graph.cycle.start + graph.cycle.turn + 6
        bursts = any(graph.times[outlet.value].bursts for outlet in graph.outputs)
        if bursts or frames > LONGEST:
            continue
        net = built(graph, torch.float64)
        if not widths(net, 2):
            continue
        wide += 1
        try:
            same_stream(net, 2, torch.float64, frames)
        except Exception as error:
            error.add_note(f"{seed}: {spec!r}")
            raise
    print(f"{wide} random networks were widened")
    assert wide >= EXAMPLES / 10
