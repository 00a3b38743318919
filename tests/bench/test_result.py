"""Results: what is best, what is wrong, and that JSON keeps all of it."""

import json
from dataclasses import replace
from math import inf, nan

import pytest
from made import RESULTS, case, outcome, row

from codsl.bench.result import Case, Outcome, Results


def test_json_keeps_all() -> None:
    text = json.dumps(RESULTS.to_dict(), allow_nan=False)
    again = Results.from_dict(json.loads(text))
    assert again.to_dict() == RESULTS.to_dict()
    assert again.cases[0].outcomes[0].rows == RESULTS.cases[0].outcomes[0].rows
    assert again.series[0].contenders == ["plain", "eager", "quick", "low", "clip"]


def test_json_has_what_is_told() -> None:
    data = RESULTS.to_dict()
    assert set(data) == {"codsl_bench", "machine", "cases", "series"}
    (first, *_) = data["cases"]
    assert set(first) == {"name", "total", "backends", "outcomes"}
    (steps, *_) = first["outcomes"]
    assert set(steps) == {"chunk", "streams", "rows", "absent", "bound", "strange", "best"}
    assert set(steps["bound"]) == {"arithmetic", "memory", "flops", "bytes", "tail"}
    assert set(steps["rows"][0]) == {
        *("name", "words", "ms", "least", "longest", "tail", "passes", "same", "exact", "apart"),
        *("ready", "macs"),
    }
    assert steps["best"] == "eager"


def test_results_of_before_there_was_a_tail_of_the_machine_are_read() -> None:
    data = RESULTS.to_dict()
    del data["cases"][0]["outcomes"][0]["bound"]["tail"]
    del data["cases"][0]["outcomes"][0]["strange"]
    first, second, *_ = Results.from_dict(data).cases[0].outcomes
    assert (first.bound.tail, second.bound.tail) == (None, 1.9)


@pytest.mark.parametrize("apart", [inf, nan])
def test_json_has_no_infinity(apart: float) -> None:
    found = replace(outcome(), rows=(row("plain", 1.0), row("eager", 1.0, apart)))
    data = Results(RESULTS.machine, (replace(case(), outcomes=(found,)),)).to_dict()
    again = Results.from_dict(json.loads(json.dumps(data, allow_nan=False)))
    assert again.cases[0].outcomes[0].rows[1].wrong


@pytest.mark.parametrize("data", [None, [], {}, {"codsl_bench": 0}, {"codsl_bench": 1}])
def test_what_are_no_results_is_said(data: object) -> None:
    with pytest.raises(ValueError, match="these"):
        Results.from_dict(data)  # type: ignore[arg-type]


def test_a_field_that_is_unknown_is_said() -> None:
    data = RESULTS.to_dict()
    data["cases"][0]["outcomes"][0]["rows"][0]["more"] = 1
    with pytest.raises(ValueError, match="more"):
        Results.from_dict(data)


def test_the_best_is_right_and_in_the_precision_of_the_network() -> None:
    found = outcome()
    assert found.row("quick").wrong
    assert not found.row("low").wrong
    best, low = found.best(("eager", "quick", "low")), found.best(("eager", "low"), exact=False)
    assert best is not None
    assert low is not None
    assert (best.name, low.name) == ("eager", "low")
    assert found.best(("quick",)) is None
    assert found.best(("clip",)) is not None
    with pytest.raises(KeyError):
        found.row("gone")


def test_results_grow() -> None:
    grown = Results(RESULTS.machine).plus(case()).plus(RESULTS.series[0])
    assert [type(each) for each in grown.cases] == [Case]
    assert grown.series == RESULTS.series
    assert isinstance(grown.cases[0].outcomes[0], Outcome)
