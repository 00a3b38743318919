"""The peer is the same network, or says why it cannot be."""

from pathlib import Path
from typing import Any

import pytest
import torch

import codsl
from codsl.bench.clock import Effort
from codsl.bench.measure import Wish, measure
from codsl.bench.peer import PEER, Unlike, counterpart
from codsl.bench.pick import Pick
from codsl.testing.draws import randomise

NETWORKS = Path(__file__).parents[2] / "networks"
EAGER = (Pick("eager"),)
EFFORT = Effort(passes=1, seconds=0.01)


@pytest.fixture(autouse=True)
def _installed() -> None:
    pytest.importorskip("continual", reason="continual-inference comes with the test extra")


def net(body: str, input: str = "3, T, 8, 8") -> Any:
    made = codsl.build(f"codsl 1\nnetwork n {{ input ({input})\n{body} }}").eval()
    randomise(made, 0)
    return made


SAME = {
    "stack": "a = conv3d(4, 3, padding=1) batch_norm3d relu b = conv3d(3, (3, 1, 1)) silu",
    "residual": "residual { conv3d(3, 3, padding=1, groups=3) } relu",
    "projection": "residual { a = conv3d(4, 3, padding=1) b = conv3d(4, 3, padding=1) } "
    "shortcut { c = conv3d(4, 1) }",
    "stride over space": "residual { a = conv3d(4, 3, stride=(1, 2, 2), padding=1) } "
    "shortcut { b = conv3d(4, 1, stride=(1, 2, 2)) }",
    "inception": 'parallel("concat") { a { x = conv3d(2, 3, padding=1) } '
    "b { y = conv3d(2, (5, 1, 1), padding=(2, 0, 0)) } c { max_pool3d((3, 1, 1), stride=1, "
    "padding=(1, 0, 0)) } }",
    "causal": "flatten a = conv1d(4, 3, padding='causal') residual { "
    'b = conv1d(4, 3, padding="causal") relu }'.replace("'", '"'),
    "gate": 'residual("mul", shrink="centered") { adaptive_avg_pool3d(1, kernel_size=3) '
    "up = conv3d(3, 1) sigmoid }",
    "lagging": 'residual(shrink="lagging") { up = conv3d(3, (3, 1, 1)) }',
    "leading": 'residual(shrink="leading") { up = conv3d(3, (3, 1, 1)) }',
    "stride over time": "a = conv3d(4, 3, stride=(2, 1, 1), padding=1) "
    "residual { b = conv3d(4, (3, 1, 1), padding=(1, 0, 0)) } avg_pool3d((2, 8, 8))",
    "delays": "delay(3) flatten a = conv1d(4, 3, stride=2) delay(2) residual { relu delay(1) }",
    "odd field": "flatten a = conv1d(4, 4, stride=2, dilation=1) b = conv1d(3, 2)",
    "head": "adaptive_avg_pool3d(1, kernel_size=4) dropout(0.5) flatten linear(5)",
    "functions": "flatten a = conv1d(8, 3) glu layer_norm prelu",
    "weight norm": "flatten a = conv1d(4, 1, weight_norm=true)",
}


@pytest.mark.parametrize("body", SAME.values(), ids=SAME)
def test_the_peer_gives_the_same(body: str) -> None:
    wish = Wish(EAGER, streams=(1, 2), chunks=(0, 4), effort=EFFORT, peer=True)
    for outcome in measure(net(body), wish).outcomes:
        assert PEER not in outcome.absent
        row = next(row for row in outcome.rows if row.name == PEER)
        assert row.apart is not None
        assert row.apart < 1e-5


UNLIKE = {
    "dilation over time": "conv3d(3, 3, padding=1, dilation=(2, 1, 1))",
    "no counterpart": "flatten gru(4)",
    "line up strides": "residual { a = conv3d(3, 3, stride=(2, 1, 1), padding=1) } "
    "shortcut { b = conv3d(3, 1, stride=(2, 1, 1)) }",
    "branches cross": "a = relu b = tanh c = sigmoid d = join from c, a join from d, b",
}


@pytest.mark.parametrize(("why", "body"), UNLIKE.items(), ids=UNLIKE)
def test_what_it_cannot_is_said(why: str, body: str) -> None:
    made = net(body)
    with pytest.raises(Unlike, match=why):
        counterpart(made)
    (outcome,) = measure(made, Wish(EAGER, effort=EFFORT, peer=True)).outcomes
    assert why in outcome.absent[PEER]
    assert PEER not in [row.name for row in outcome.rows]


def test_without_it_the_others_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("codsl.bench.peer.import_module", missing)
    (outcome,) = measure(net("relu"), Wish(EAGER, effort=EFFORT, peer=True)).outcomes
    assert outcome.absent[PEER] == "not installed"
    assert [row.name for row in outcome.rows][:2] == ["plain", "eager"]


@torch.inference_mode()
def test_a_network_of_video_is_the_peers() -> None:
    """X3D, narrow and small: gates, projections and depthwise convolutions together."""
    params = {"size": 32, "window": 4, "width": 1.0, "depth": 1.0, "features": 16}
    made = codsl.build(NETWORKS / "x3d.codsl", params=params).eval()
    (outcome,) = measure(made, Wish(EAGER, effort=EFFORT, peer=True)).outcomes
    row = next(row for row in outcome.rows if row.name == PEER)
    assert row.apart is not None
    assert row.apart < 1e-4


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_peer_has_the_precision_of_the_network(dtype: torch.dtype) -> None:
    named = str(dtype).removeprefix("torch.")
    body = f'flatten conv = conv1d(4, 3, dtype="{named}") relu'
    (outcome,) = measure(net(body), Wish(EAGER, effort=EFFORT, peer=True)).outcomes
    row = next(row for row in outcome.rows if row.name == PEER)
    assert row.apart is not None
    assert row.apart < 8 * torch.finfo(dtype).eps


def test_what_breaks_in_the_peer_is_its_own_affair(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any, **named: Any) -> Any:
        raise AssertionError("no such thing\nat all")

    monkeypatch.setattr("continual.Conv3d.forward_step", broken)
    (outcome,) = measure(net("conv3d(4, 3)"), Wish(EAGER, effort=EFFORT, peer=True)).outcomes
    assert outcome.absent[PEER] == "no such thing"
    assert [row.name for row in outcome.rows][:2] == ["plain", "eager"]
