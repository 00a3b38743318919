"""The fast step gives what the network gives, on shipped and on random networks."""

from __future__ import annotations

import gc
import os
import random
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import codsl
from codsl.algebra.time import length
from codsl.engine import fast as fast_module
from codsl.engine.as_is import AsIs
from codsl.engine.fast import AT_ONCE, FastStep
from codsl.engine.lister import Lister
from codsl.engine.plan import Plan
from codsl.engine.style import GRAPH, Style
from engine.fast_streams import agree, chunk_of, frame_of, same_stream
from harness.contract import LONGEST, Declared, randomise
from harness.drawn import Networks
from networks.shipped import FOLDER, SMALL

EXAMPLES = int(os.environ.get("CODSL_NETWORKS", "600")) // 12

TCN = """codsl 1
network n {
  input (4, T)
  conv1 = conv1d(6, 3, padding="causal", dilation=2)
  norm = batch_norm1d
  relu
  conv2 = conv1d(5, 3, stride=2)
}
"""


def built(source: Any, dtype: torch.dtype, **more: Any) -> Any:
    torch.manual_seed(1)
    net = codsl.build(source, dtype=dtype, **more)
    randomise(net, 1)
    return net.eval()


@pytest.mark.parametrize(("dtype", "batch"), [(torch.float32, 3), (torch.float64, 1)], ids=str)
@pytest.mark.parametrize("name", SMALL)
def test_shipped_networks_go_on_as_they_are(name: str, dtype: torch.dtype, batch: int) -> None:
    net = built(FOLDER / f"{name}.codsl", dtype, params=SMALL[name])
    same_stream(net, batch, dtype, net.graph.cycle.start + 2 * net.graph.cycle.turn + 12)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_random_networks_go_on_as_they_are() -> None:
    """Each beyond the frame from which on it repeats itself, where the plan begins."""
    planned = 0
    for seed in range(EXAMPLES):
        draw = random.Random(seed)
        spec = Networks(draw, draw.choice((1, 1, 2, 2, 3))).network(draw.randint(1, 6))
        graph = codsl.check(spec)
        frames = graph.cycle.start + 2 * graph.cycle.turn + 6
        bursts = any(graph.times[outlet.value].bursts for outlet in graph.outputs)
        if bursts or max(frames, Declared.of(graph).most) > LONGEST:
            continue
        dtype = draw.choice((torch.float32, torch.float64, torch.float64))
        try:
            net = built(graph, dtype)
            same_stream(net, draw.choice((1, 3)), dtype, frames)
        except Exception as error:
            error.add_note(f"{seed}: {spec!r}")
            raise
        planned += 1
    assert planned >= EXAMPLES / 3


def test_chunks_the_end_and_a_new_beginning() -> None:
    net = built(TCN, torch.float64)
    fast = net.compile_step()
    with torch.no_grad():
        for _ in range(2):
            for t in range(20):
                x = frame_of(net, 2, torch.float64, t)
                agree(fast(x), net.forward_step(x), torch.float64)
            chunk = torch.randn(2, 4, 7, dtype=torch.float64)
            agree(fast.forward_steps(chunk), net.forward_steps(chunk), torch.float64)
            agree(fast(x), net.forward_step(x), torch.float64)
            once = fast.forward_step(x, update_state=False)
            agree(once, net.forward_step(x, update_state=False), torch.float64)
            agree(fast(x), net.forward_step(x), torch.float64)
            agree(fast.flush(), net.flush(), torch.float64)
            fast.reset()
            net.reset()


def test_chunks_of_planes() -> None:
    """Also of none at all, and of another batch, which leaves the stream as it was."""
    net = built("codsl 1\nnetwork n { input (2, T, 5, 5) a = conv3d(3, 3) }\n", torch.float64)
    fast = net.compile_step()
    with torch.no_grad():
        for t in range(8):
            agree(fast(frame_of(net, 2, torch.float64, t)), feed(net, t), torch.float64)
        for frames in (3, 0, 1):
            chunk = torch.randn(2, 2, frames, 5, 5, dtype=torch.float64)
            agree(fast.forward_steps(chunk), net.forward_steps(chunk), torch.float64)
        with pytest.raises(ValueError, match="the stream has a batch of 2, a chunk has 1"):
            fast.forward_steps(chunk[:1])
        ends = fast.forward_steps(chunk, pad_end=True, update_state=False)
        agree(ends, net.forward_steps(chunk, pad_end=True, update_state=False), torch.float64)
        agree(fast(frame_of(net, 2, torch.float64, 8)), feed(net, 8), torch.float64)


@pytest.mark.parametrize("numbers", [fast_module.NUMBERS, 3 * 5 * 5 * 5, 1])
def test_chunks_are_parted_where_planes_would_leave_the_caches(
    numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first frame on, of more frames than are computed together, and of fewer."""
    monkeypatch.setattr(fast_module, "NUMBERS", numbers)
    net = built("codsl 1\nnetwork n { input (2, T, 5, 5) a = conv3d(3, 3) }\n", torch.float64)
    fast = net.compile_step()
    with torch.no_grad():
        for frames in (AT_ONCE + 3, AT_ONCE // 2, 1, 2 * AT_ONCE):
            chunk = torch.randn(2, 2, frames, 5, 5, dtype=torch.float64)
            agree(fast.forward_steps(chunk), net.forward_steps(chunk), torch.float64)


def test_chunks_of_many_streams_go_by_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_module, "AT_ONCE", 2)
    net = built("codsl 1\nnetwork n { input (2, T, 5, 5) a = conv3d(3, 3) }\n", torch.float64)
    steps: list[int] = []
    step = Plan.step
    monkeypatch.setattr(Plan, "step", lambda *each: (steps.append(1), step(*each))[1])
    fast = net.compile_step()
    with torch.no_grad():
        for streams, many in ((1, False), (2, True)):
            fast.reset()
            net.reset()
            for frames in (4, 0, 3):
                chunk = torch.randn(streams, 2, frames, 5, 5, dtype=torch.float64)
                agree(fast.forward_steps(chunk), net.forward_steps(chunk), torch.float64)
            assert bool(steps) == many


def feed(net: Any, t: int) -> Any:
    return net.forward_step(frame_of(net, 2, torch.float64, t))


def test_nothing_is_moved_between_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that goes on in chunks keeps its state as these like it, one in steps as those."""
    moves: list[str] = []
    load, dump = Plan.load, Plan.dump
    monkeypatch.setattr(Plan, "load", lambda *each: (moves.append("load"), load(*each))[1])
    monkeypatch.setattr(Plan, "dump", lambda *each: (moves.append("dump"), dump(*each))[1])
    net = built(TCN, torch.float32)
    fast = net.compile_step()
    x, chunk = torch.zeros(1, 4), torch.zeros(1, 4, 5)
    for _ in range(40):
        fast(x)
    moves.clear()
    for _ in range(3):
        fast.forward_steps(chunk)
    for _ in range(3):
        fast(x)
    assert moves == ["dump", "load"]


def test_outputs_and_states_are_not_written_to_later() -> None:
    net = built("codsl 1\nnetwork n { input (2, T) delay(2) }\n", torch.float64)
    fast = net.compile_step()
    frames = [frame_of(net, 1, torch.float64, t) for t in range(12)]
    copies = [frame.clone() for frame in frames]
    given = [fast(frame) for frame in frames[:8]]
    state = fast.get_state()
    assert state is not None
    before = [tensor.clone() for tensor in state.tensors]
    said = [None if y is None else y.clone() for y in given]
    with torch.inference_mode():
        given[-1].zero_()
    for frame in frames[8:]:
        fast(frame)
    assert all(map(torch.equal, frames, copies))
    assert all(map(torch.equal, state.tensors, before))
    kept = zip(given[:-1], said[:-1], strict=True)
    assert all(y is None or torch.equal(y, was) for y, was in kept)


@pytest.mark.parametrize("given", ["0.45, 0.225", "(0.4, 0, -1, 2), (0.2, 1, 0.5, 3)"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_what_is_known_of_channels_is_a_factor_and_a_summand(
    given: str, dtype: torch.dtype
) -> None:
    layers = f"normalize({given}) conv2d(3, 3, padding=1) sigmoid log(eps=0.5)"
    net = built(f"codsl 1\nnetwork n {{ input (4, T, 3) {layers} }}", dtype)
    same_stream(net, 2, dtype, 12)
    assert list(net.state_dict()) == ["conv2d.weight", "conv2d.bias"]


@pytest.mark.parametrize("learned", ["true", "false"])
@pytest.mark.parametrize("space", ["", ", 3"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_vectors_come_in_turn(dtype: torch.dtype, space: str, learned: str) -> None:
    layer = f"recycling_positional_encoding(4, learned={learned})"
    net = built(f"codsl 1\nnetwork n {{ input (6, T{space}) {layer} relu }}", dtype)
    same_stream(net, 2, dtype, 14)
    listing = Lister(net.program, torch.empty(0, dtype=dtype), Style()).listing(0)
    assert not any(isinstance(each.run, AsIs) for each in listing.operations)


@torch.no_grad()
def test_images_are_convolved_at_once() -> None:
    """A convolution inside `per_frame`, its norm, its sum and its activation are one operation."""
    net = codsl.build(
        "codsl 1\nnetwork n { input (4, T, 7, 6)\n"
        'per_frame { a = conv2d(8, 3, stride=2, padding=1, padding_mode="reflect") batch_norm2d '
        "residual { b = conv2d(8, 3, padding=1, groups=8) c = batch_norm2d } relu6 "
        "max_pool2d(2) d = conv2d(3, 1, bias=false) e = batch_norm2d silu } }",
        dtype=torch.float64,
    )
    randomise(net, 0)
    for style in (GRAPH, Style(last=True)):
        listing = Lister(net.eval().program, torch.empty(0, dtype=torch.float64), style).listing(0)
        assert len(listing.operations) == 4
        x = torch.rand(2, 4, 7, 6, dtype=torch.float64)
        ((y,),), *_ = listing.straight()(x)
        assert torch.allclose(y, net.forward_step(x), atol=1e-12)


def test_a_frame_that_fails_leaves_the_stream_where_it_was() -> None:
    net = built("codsl 1\nnetwork n { input (1, T) embedding(5, 3) conv1d(2, 3) }", torch.float64)
    fast = net.compile_step()
    frames = [torch.tensor([[float(t % 5)]], dtype=torch.float64) for t in range(12)]
    with torch.no_grad():
        for frame in frames:
            with pytest.raises(ValueError, match="ids are 0 to 4"):
                fast(torch.full_like(frame, 7.0))
            agree(fast(frame), net.forward_step(frame), torch.float64)
    assert fast.get_state().frame == net.get_state().frame == len(frames)


def test_a_frame_without_a_plan_leaves_the_stream_where_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = built(TCN, torch.float64)
    fast = net.compile_step()

    def refuse(*_: object) -> float:
        raise RuntimeError("no plan")

    frames = [frame_of(net, 1, torch.float64, t) for t in range(12)]
    with torch.no_grad():
        for frame in frames:
            with monkeypatch.context() as patch:
                patch.setattr(fast_module, "trial", refuse)
                fast._plan = None
                with pytest.raises(RuntimeError, match="no plan"):
                    fast(frame)
            agree(fast(frame), net.forward_step(frame), torch.float64)


def test_a_plan_is_tried_on_finite_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    step = Plan.step

    def watched(plan: Plan, xs: list[torch.Tensor]) -> Any:
        seen.extend(xs)
        return step(plan, xs)

    monkeypatch.setattr(Plan, "step", watched)
    net = built(TCN, torch.float64)
    frame = frame_of(net, 1, torch.float64, 0)
    frame[0, 0], frame[0, 1] = torch.inf, torch.nan
    net.compile_step()(frame)
    assert seen
    assert all(x.isfinite().all() for x in seen)


def test_ids_that_wait_are_tried_as_ids() -> None:
    net = built("codsl 1\nnetwork n { input (1, T) delay(3) embedding(5, 3) }", torch.float64)
    fast = net.compile_step()
    with torch.no_grad():
        for t in range(9):
            frame = torch.tensor([[float(t % 5)]], dtype=torch.float64)
            agree(fast(frame), net.forward_step(frame), torch.float64)


def test_an_output_that_is_kept_in_part_may_be_written_over() -> None:
    net = built(
        "codsl 1\nnetwork n { input (4, T) outputs y, a\n"
        "a = conv1d(8, 1) y = temporal_shift(4, online=true) }",
        torch.float64,
    )
    fast = net.compile_step()
    with torch.inference_mode():
        for t in range(9):
            frame = frame_of(net, 1, torch.float64, t)
            found = fast(frame)
            agree(found["y"], net.forward_step(frame)["y"], torch.float64)
            found["a"].zero_()


def test_an_empty_batch_has_chunks() -> None:
    net = built(TCN, torch.float64)
    fast = net.compile_step()
    fast.set_state(replace(net.init_state(0), frame=net.graph.cycle.start))
    chunk = chunk_of(net, 1, torch.float64, 5)[:0]
    assert fast.forward_steps(chunk).shape[0] == 0


def test_weights_are_those_of_when_it_was_made() -> None:
    net = built(TCN, torch.float64)
    twin = deepcopy(net)
    fast = net.compile_step()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        for t in range(16):
            x = frame_of(net, 1, torch.float64, t)
            agree(fast(x), twin.forward_step(x), torch.float64)


@pytest.mark.parametrize("name", ["inception", "mbconv", "tcn", "two_rate"])
def test_a_turn_takes_the_multiplications_of_the_report(name: str) -> None:
    """In float64, where convolutions are those that the counter knows."""
    net = built(FOLDER / f"{name}.codsl", torch.float64, params=SMALL[name])
    fast = net.compile_step()
    cycle = net.graph.cycle
    with torch.no_grad():
        net.forward_steps(chunk_of(net, 1, torch.float64, cycle.start + 1))
        fast.set_state(net.get_state())
        fast(frame_of(net, 1, torch.float64, 0))
        with FlopCounterMode(display=False) as counter:
            for t in range(cycle.turn):
                fast(frame_of(net, 1, torch.float64, t))
    macs = sum(
        node.macs * length(time, 10 * cycle.turn) - node.macs * length(time, 9 * cycle.turn)
        for node, time in zip(net.graph.nodes, net.graph.times[net.graph.base :], strict=True)
    )
    assert counter.get_total_flops() == 2 * macs


@pytest.mark.parametrize("name", SMALL)
def test_the_state_takes_the_bytes_of_the_report(name: str) -> None:
    net = built(FOLDER / f"{name}.codsl", torch.float32, params=SMALL[name])
    fast = net.compile_step()
    with torch.no_grad():
        net.forward_steps(chunk_of(net, 1, torch.float32, net.graph.cycle.start + 1))
        fast.set_state(net.get_state())
        fast(frame_of(net, 1, torch.float32, 0))
    assert fast.held == net.report().total["state_bytes"]


def test_memory_does_not_grow() -> None:
    net = built(TCN, torch.float64)
    fast = net.compile_step()
    x = frame_of(net, 1, torch.float64, 0)

    def held() -> int:
        while gc.collect():
            pass
        return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())

    for _ in range(50):
        fast(x)
    before = held()
    for _ in range(500):
        fast(x)
    assert held() == before


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (torch.zeros(2, 4), "the stream has a batch of 1, a frame has 2"),
        (torch.zeros(1, 5), "a frame is B x 4, got one of shape"),
        (torch.zeros(1, 4, dtype=torch.float64), "the stream is torch.float32"),
    ],
)
@pytest.mark.parametrize("begun", [2, 30])
def test_a_frame_that_does_not_fit_is_refused(frame: Any, message: str, begun: int) -> None:
    net = built(TCN, torch.float32)
    fast = net.compile_step()
    for _ in range(begun):
        fast(torch.zeros(1, 4))
    with pytest.raises(ValueError, match=message):
        fast(frame)
    fast(torch.zeros(1, 4))


def test_mistakes_are_said() -> None:
    net = built(TCN, torch.float32)
    with pytest.raises(ValueError, match="no backend `quick`; there is `eager`, `native`"):
        net.compile_step(backend="quick")
    with pytest.raises(ValueError, match="in training mode"):
        net.train().compile_step()
    net.eval().norm.train()
    with pytest.raises(ValueError, match="`norm` is in training mode"):
        FastStep(net)
