"""What is measured where no spec is given: it is there, and it can be measured."""

from typing import Any

import pytest

import codsl
from codsl.bench import suite
from codsl.bench.clock import Effort
from codsl.bench.measure import Wish
from codsl.bench.pick import Pick, every, picked
from codsl.bench.result import Case, Series
from codsl.bench.suite import GROWTH, SUITE, Entry, Growth, chosen

QUICK = Wish((Pick("eager"),), effort=Effort(passes=1, seconds=0.01))


@pytest.mark.parametrize("entry", SUITE.values(), ids=SUITE)
def test_every_network_is_there(entry: Entry) -> None:
    graph = codsl.check(entry.spec, variant=entry.variant, params=entry.params)
    assert entry.window is None or entry.window >= graph.min_frames


@pytest.mark.parametrize("growth", GROWTH.values(), ids=GROWTH)
def test_what_grows_grows(growth: Growth) -> None:
    macs = []
    for value in growth.values:
        entry = growth.at(value)
        graph = codsl.check(entry.spec, variant=entry.variant, params=entry.params)
        macs.append(graph.report().total["macs"])
    assert (macs == sorted(set(macs))) == (growth.param not in ("", "window"))


def test_the_twin_of_the_peer_has_eight_blocks_of_two_convolutions() -> None:
    entry = SUITE["tcn_8x64"]
    graph = codsl.check(entry.spec, params=entry.params)
    convs = [node for node in graph.nodes if node.type == "conv1d"]
    assert [node.macs for node in convs] == [64 * 64 * 3] * 16
    assert graph.receptive_field == 1 + 16 * 2


def test_networks_that_halve_nothing_answer_every_frame() -> None:
    assert codsl.check(SUITE["r3d_18_56"].spec, params=SUITE["r3d_18_56"].params).stride == 1
    assert codsl.check(SUITE["r3d_18_halving"].spec).stride == 8


def test_names() -> None:
    assert chosen(None) == (*SUITE, *GROWTH)
    assert chosen(["depth", "x3d_s", "depth"]) == ("depth", "x3d_s")
    with pytest.raises(ValueError, match=r"no `x3d` to measure; there is `x3d_s`"):
        chosen(["x3d"])


def test_a_series_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"depth": Growth(suite.STACK, "layers", "depth", (1, 2)), "streams": GROWTH["streams"]}
    monkeypatch.setattr(suite, "GROWTH", small)
    found: Any = suite.run("depth", QUICK)
    assert isinstance(found, Series)
    assert found.contenders == ["plain", "eager", "clip"]
    assert [case.total["params"] for case in found.cases] == [12_352, 24_704]
    assert [len(case.outcomes) for case in found.cases] == [1, 1]


def test_a_series_leaves_out_what_takes_minutes_to_compile_unless_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wishes: list[Wish] = []

    def noted(net: Any, wish: Wish, name: str, watch: Any) -> Case:
        wishes.append(wish)
        return Case(name, {}, (), ())

    monkeypatch.setattr(suite, "measure", noted)
    suite.run("depth", Wish())
    assert {pick.backend for wish in wishes for pick in wish.picks} == set(suite.READY)
    wishes.clear()
    suite.run("depth", Wish((Pick("aoti"),)))
    assert {wish.picks for wish in wishes} == {(Pick("aoti"),)}


def test_picks() -> None:
    assert str(every()[0]) == "eager"
    assert not any(pick.precision for pick in every())
    low = [pick for pick in every(low=True) if pick.precision]
    assert Pick("eager", "bfloat16") in low
    assert picked(["eager:bfloat16", "eager", "eager"]) == (low[0], Pick("eager"))
    assert picked(["native", "eager"], low=True) == (Pick("native"), Pick("eager"), low[0])
    assert low[0].call == 'compile_step("eager", precision=torch.bfloat16)'
    with pytest.raises(ValueError, match="no backend `eagre`; there is `eager`"):
        picked(["eagre"])
