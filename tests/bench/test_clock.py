"""Timing: who is called when, and what is made of the seconds."""

from collections.abc import Callable

import pytest

from codsl.bench import clock
from codsl.bench.clock import ROUNDS, Effort, interleaved, once, timing


def test_figures() -> None:
    found = timing([[1.0, 2.0], [3.0, 2.0], [1.0, 4.0]])
    assert (found.median, found.least, found.longest, found.passes) == (5.0, 3.0, 2.0, 3)
    assert found.tail is None


def test_the_tail_is_told_of_each_call_by_itself() -> None:
    """A call that always takes longer than another, as with strides, is no tail."""
    usual = [[1.0, 100.0]] * 99
    assert timing(usual).tail == 1.0
    assert timing([*usual[:95], *[[3.0, 100.0]] * 4]).tail == 3.0


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.order: list[str] = []
        monkeypatch.setattr(clock, "perf_counter", lambda: self.now)

    def call(self, name: str, seconds: float) -> Callable[[], None]:
        def run() -> None:
            self.order.append(name)
            self.now += seconds

        return run


def test_contenders_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Clock(monkeypatch)
    calls = {"a": [made.call("a", 0.001)], "b": [made.call("b", 0.002)]}
    found = interleaved(calls, Effort(passes=ROUNDS, seconds=100))
    assert found["a"].median == pytest.approx(0.001)
    assert found["b"].median == pytest.approx(0.002)
    assert (found["a"].passes, found["b"].passes) == (ROUNDS, ROUNDS)
    rounds = "".join(made.order)
    assert rounds.startswith("abbbaaaabb")


def test_slow_ones_stop_when_their_seconds_are_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Clock(monkeypatch)
    calls = {"slow": [made.call("slow", 5.0)], "fast": [made.call("fast", 0.001)]}
    found = interleaved(calls, Effort(passes=10 * ROUNDS, seconds=2))
    assert found["slow"].passes == 1
    assert found["fast"].passes == 10 * ROUNDS


def test_a_first_pass_that_took_all_the_seconds_is_not_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Clock(monkeypatch)
    calls = {"slow": [made.call("slow", 5.0)] * 2, "fast": [made.call("fast", 0.1)]}
    firsts = {name: once(each)[1] for name, each in calls.items()}
    found = interleaved(calls, Effort(passes=ROUNDS, seconds=2), firsts)
    assert made.order.count("slow") == 2
    assert (found["slow"].passes, found["slow"].median) == (1, 10.0)
    assert found["fast"].passes == ROUNDS


def test_garbage_is_collected_again_afterwards() -> None:
    import gc

    seen = []
    interleaved({"a": [lambda: seen.append(gc.isenabled())]}, Effort(passes=1))
    assert not any(seen)
    assert gc.isenabled()
