"""Steps in C++ are those of the network: of every row of the table, and of shipped networks."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
import torch

import codsl
from codsl.algebra.shape import Frame
from codsl.engine.backends.native import NATIVE
from codsl.engine.lister import Lister
from codsl.engine.pure import PureStep
from codsl.engine.widening import widened
from codsl.native import turns
from harness.contract import randomise
from harness.drawn import Networks
from layers.row_networks import examples, frame_of, network
from native.many import Case, check
from networks.shipped import FOLDER, SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codsl.engine.listing import Listing


def steps(net: Any, name: str, batch: int) -> Iterator[Case]:
    """What happens in the frames of a turn, four at most, of random items."""
    style = NATIVE.style(batch, torch.device("cpu"))
    program, graph = widened(net.program, style.channels), net.graph
    lister = Lister(program, torch.empty(0), style)
    for phase in range(min(graph.cycle.turn, 4)):
        listing = lister.listing(graph.cycle.start + phase)
        if listing.operations:
            yield f"{name} {phase}", PureStep(listing), given_of(net, program, listing, batch)


def given_of(net: Any, program: Any, listing: Listing, batch: int) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(batch)

    def drawn(frame: Frame) -> torch.Tensor:
        return torch.randn(batch, *frame.shape, generator=draw)

    feeds = program.graph.schedule.feeds
    carried = net.init_state(batch).tensors[len(feeds) :]
    frames = [inlet.frame for inlet in net.graph.inputs] + [
        feeds[load.feed].frame for load in listing.loads
    ]
    return [*map(drawn, frames), *carried]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.first
@pytest.mark.usefixtures("soon_compiled")
def test_every_row_has_its_kernels() -> None:
    cases: list[Case] = []
    rows = set()
    for name, arguments, rank in examples():
        net = network(name, arguments, frame_of(name, rank))
        randomise(net, 1)
        cases += steps(net.eval(), f"{name} {arguments} {rank}", 2)
        rows.add(name)
    assert len(rows) > 100
    assert check(cases) > 10_000


@pytest.mark.first
def test_shipped_networks_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "NEAR", 0)
    monkeypatch.setattr(turns, "PLACES", 2)
    cases: list[Case] = []
    for name in SMALL:
        net = codsl.build(FOLDER / f"{name}.codsl", params=SMALL[name])
        randomise(net, 1)
        cases += steps(net.eval(), name, 3)
    assert check(cases) > 10_000


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.usefixtures("soon_compiled")
def test_random_networks_of_one_stream() -> None:
    """What is given lies as it comes, beside results that lie with their channels together."""
    cases: list[Case] = []
    for seed in range(24):
        net = codsl.build(Networks(random.Random(seed), 1 + seed % 3).network(3))
        randomise(net, seed)
        cases += list(steps(net.eval(), f"seed {seed}", 1))[:2]
    assert check(cases, kept=False) > 100


@pytest.mark.parametrize("mode", ["nearest", "trilinear"])
def test_upsampling_over_space(mode: str) -> None:
    scaled = {"upsample": {"scale_factor": [1, 2, 3], "mode": mode}}
    net = codsl.build({"codsl": 1, "input": [3, "T", 4, 5], "layers": [scaled]}).eval()
    assert check(list(steps(net, mode, 2))) == 720
