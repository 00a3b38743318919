"""Contenders compute the same, and what is measured is whole; no timing decides anything."""

from math import inf
from typing import Any

import pytest
import torch

import codsl
from codsl.bench import contender
from codsl.bench.clock import Effort, Timing
from codsl.bench.contender import Absent
from codsl.bench.footage import Footage, run_in
from codsl.bench.limit import Least
from codsl.bench.machine import Rates
from codsl.bench.measure import BEAT, COPY, MULTIPLY, Watch, Wish, apart, bound_of, measure
from codsl.bench.pick import Pick
from codsl.bench.result import Case
from codsl.bench.scene import Scene
from codsl.bench.table import work

EFFORT = Effort(passes=1, seconds=0.01)
STEPS = Wish((Pick("eager"),), effort=EFFORT)

PLAIN = "stem = conv3d(4, 3, padding=1) relu residual { conv = conv3d(4, 3, padding=1) }"
BODIES = {
    "plain": PLAIN,
    "strided": f"{PLAIN} down = conv3d(2, (3, 1, 1), stride=(2, 1, 1), padding=(1, 0, 0))",
    "odd field": 'flatten conv1d(3, 4, stride=2, padding="causal", dilation=3)',
    "waiting": f"{PLAIN} delay(2)",
    "unpadded": "a = conv3d(4, 3) max_pool3d((2, 1, 1)) b = conv3d(2, (3, 1, 1), stride=(3, 1, 1))",
}
ENDLESS = "flatten gru(4)"
UPSAMPLED = "flatten conv_transpose1d(4, 4, stride=2)"


def net(body: str) -> Any:
    return codsl.build(f"codsl 1\nnetwork n {{ input (3, T, 6, 6)\n{body} }}").eval()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_all_who_promise_the_same_give_it(body: str) -> None:
    case = measure(net(body), Wish((Pick("eager"),), streams=(1, 3), chunks=(0, 5), effort=EFFORT))
    works = [(each.streams, each.chunk) for each in case.outcomes]
    assert works == [(1, 0), (1, 5), (3, 0), (3, 5)]
    for outcome in case.outcomes:
        assert [row.name for row in outcome.rows][:2] == ["plain", "eager"]
        clip = outcome.streams == 1 or outcome.chunk > 0
        assert (outcome.rows[-1].name == "clip") == clip
        assert ("clip" in outcome.absent) != clip
        best = outcome.best(case.backends)
        assert best is not None
        assert best.name == "eager"
        for row in outcome.rows:
            assert row.same == (row.name != "clip" or outcome.chunk == 0)
            assert not row.same or (row.apart is not None and row.apart < 1e-5)
            assert 0 < row.least <= row.ms
            assert row.passes > 0


def test_what_gives_other_outputs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that is wrong is told, and is not the best however fast it is."""

    class Wrong(contender.Fast):
        def __call__(self, scene: Scene) -> contender.Contender:
            return contender.Contender("eager", "", lambda x: torch.zeros(1, 4, 6, 6), 1, 0)

    monkeypatch.setattr(contender, "Fast", Wrong)
    (outcome,) = measure(net(PLAIN), STEPS).outcomes
    assert outcome.rows[1].wrong
    assert outcome.best(("eager",)) is None


def test_what_is_no_number_in_the_network_is_said() -> None:
    (outcome,) = measure(net(f"{PLAIN} log"), STEPS).outcomes
    assert outcome.strange
    assert not any(row.wrong for row in outcome.rows)
    case = Case("n", {}, (), (outcome,))
    assert "the network itself gives NaN or infinity" in work(case, outcome)
    assert not measure(net(PLAIN), STEPS).outcomes[0].strange


def test_what_breaks_down_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(x: Any) -> Any:
        raise RuntimeError("no memory\nat all")

    class Broken(contender.Fast):
        def __call__(self, scene: Scene) -> contender.Contender:
            return contender.Contender("eager", "", broken, 1, 0)

    monkeypatch.setattr(contender, "Fast", Broken)
    (outcome,) = measure(net(PLAIN), STEPS).outcomes
    assert [row.name for row in outcome.rows] == ["plain", "clip"]
    assert outcome.absent == {"eager": "no memory"}
    monkeypatch.setattr(contender, "plain", Broken(Pick("eager")))
    with pytest.raises(RuntimeError, match="no memory"):
        measure(net(PLAIN), STEPS)


def test_what_is_made_for_so_many_streams_serves_all_their_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []

    def counted(net: Any, *given: Any) -> Any:
        made.append(given)
        return compile_step(net, *given)

    compile_step = type(net(PLAIN)).compile_step
    monkeypatch.setattr(type(net(PLAIN)), "compile_step", counted)
    measure(net(PLAIN), Wish((Pick("eager"),), (1, 2), (0, 3, 5), EFFORT))
    assert made == [("eager", None)] * 2


def test_chunks_that_are_those_of_another_backend_are_not_measured_twice() -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime comes with an extra")
    picks = (Pick("eager"), Pick("onnxruntime"))
    planes = net("conv3d(4, 3, padding=1)")
    lines = codsl.build("codsl 1\nnetwork n { input (3, T) conv1d(4, 3, padding=1) }").eval()
    for made, others in ((planes, ["onnxruntime"]), (lines, [])):
        (outcome,) = measure(made, Wish(picks, chunks=(4,), effort=EFFORT)).outcomes
        assert [row.name for row in outcome.rows] == ["plain", "eager", *others, "clip"]
        assert ("onnxruntime" in outcome.absent) == (not others)


def test_a_chunk_of_one_frame_is_the_step_where_a_frame_gives_several_outputs() -> None:
    made = net(UPSAMPLED)
    made.forward_steps(torch.randn(1, 3, 4, 6, 6))
    for backend in ("eager", "native"):
        scene = Scene(made, Footage(made), made.get_state(), None, 1, 0)
        found = contender.Fast(Pick(backend))(scene)
        if isinstance(found, Absent):
            pytest.skip(found.reason)
        assert found.run.__self__.held
        assert found.ready > 0


def test_it_is_told_what_is_done_and_what_came_of_it() -> None:
    doing: list[str] = []
    done: list[int] = []
    watch = Watch(doing.append, lambda case: done.append(len(case.outcomes)))
    measure(net(PLAIN), Wish((Pick("eager"),), chunks=(0, 2), effort=EFFORT), watch=watch)
    assert done == [1, 2]
    assert "n, chunks of 2, 1 stream: eager begins" in doing


def test_without_an_end_there_is_no_clip_to_run_again() -> None:
    for body, why in ((ENDLESS, "every frame so far"), (UPSAMPLED, "several outputs")):
        made = net(body)
        scene = Scene(made, Footage(made), made.init_state(), None, 1, 0)
        found = contender.again(None, scene)
        assert isinstance(found, Absent)
        assert why in found.reason


OTHERS = {
    "ids": "input (1, T) embedding(5, 4) a = conv1d(4, 3, padding=1)",
    "upsampled": "input (2, T) a = conv_transpose1d(4, 4, stride=2) b = conv1d(2, 3, padding=1)",
    "a name": "input (2, T) outputs a a = conv1d(4, 3, stride=2)",
    "names": "inputs x (2, T) outputs a a = conv1d(4, 3) from x",
    "several": "inputs x (2, T), y (3, T) outputs a, b a = conv1d(4, 3) from x "
    "b = conv1d(4, 3, stride=2) from y",
    "endless": "input (4, T) gru(4)",
    "no cost": "input (3, T) relu",
}


@pytest.mark.parametrize("body", OTHERS.values(), ids=OTHERS)
def test_any_network_can_be_measured(body: str) -> None:
    made = codsl.build(f"codsl 1\nnetwork n {{ {body} }}").eval()
    wish = Wish((Pick("eager"),), (1, 2), (0, 4), EFFORT, peer=True)
    for outcome in measure(made, wish).outcomes:
        assert outcome.rows[1].name == "eager"
        assert not any(row.wrong for row in outcome.rows)


def test_a_window_of_ones_own_is_another_network() -> None:
    case = measure(net(PLAIN), Wish((), window=3, effort=EFFORT))
    row = case.outcomes[0].rows[-1]
    assert (row.same, row.apart, row.wrong) == (False, None, False)
    assert "last 3" in row.words


def test_the_limit_is_told_as_figures_are() -> None:
    """At the median rate: an hour of unrest moves both alike."""
    rates = Rates(1 << 10)
    seen = {name: Timing(2.0, 1.0, 3.0, 1.5, 9) for name in (MULTIPLY, COPY, BEAT)}
    bound = bound_of(Least(rates.flops, rates.bytes, rates.bytes / 4), rates, seen, 1)
    assert (bound.arithmetic, bound.memory, bound.tail) == (2000.0, 500.0, 1.5)


def test_what_rests_between_frames_is_not_read() -> None:
    text = "codsl 1\nnetwork n { input (2, T) a = conv1d(3, 3) b = conv1d(4, 5, stride=4) relu }"
    graph = codsl.check(text)
    first, second = 4 * (3 * 2 * 3 + 3) + 4 * 2 * 2, 4 * (4 * 3 * 5 + 4) + 4 * 4 * 3
    for streams, frames, part in ((1, 1, 4), (1, 2, 4), (1, 4, 4), (1, 16, 16)):
        least = Least.of(graph, streams, frames)
        assert least.bytes == first + second
        assert least.read == first / frames + second / part
    assert Least.of(graph, 3).read - Least.of(graph, 1).read == 2 * (4 * 4 + 4 * 12 / 4)


def test_distance() -> None:
    one, none = torch.tensor([1.0, -4.0]), None
    assert apart([one, none], [one, none]) == 0
    assert apart([one + 0.5, none], [one, none]) == 0.125
    assert apart([none], [none]) is None
    assert apart([one], [none]) == inf
    assert apart([one[:1]], [one]) == inf
    assert apart([{"a": one, "b": none}], [{"a": one, "b": none}]) == 0
    strange = torch.tensor([1.0, float("nan")])
    for given, meant in ((strange, one), (one, strange), (one * inf, one), (one, one * inf)):
        assert apart([one, given], [one, meant]) == inf
    assert apart([one, strange, one * inf], [one, strange, one * inf]) == 0


def test_a_stream_is_run_in_and_its_last_frames_are_kept() -> None:
    made = net(PLAIN)
    state, past = run_in(made, Footage(made), 150, 7)
    assert state.frame == 150
    assert past.shape == (1, 3, 7, 6, 6)
    again = Footage(made)
    clip = torch.cat([again.clip(64), again.clip(64), again.clip(22)], 2)
    assert torch.equal(past, clip[:, :, -7:])
    assert made.get_state() is None
