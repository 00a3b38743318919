"""The contract fails on a network that is broken, for the reason that it is broken."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

import codsl
from codsl.algebra import time as algebra
from codsl.graph import align
from codsl.layers import convolution, cumulative, transposed
from codsl.nn.functions import attention, functions
from codsl.nn.running import program, windows, work
from codsl.nn.running.laid import Laid
from codsl.nn.running.program import Program, Values
from codsl.nn.running.state import State
from codsl.nn.running.streaming import Streaming
from harness.contract import close, contract, randomise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codsl.network import Network

CONV = {"conv1d": {"name": "conv", "out_channels": 2, "kernel_size": 3}}
PADDED = {"conv1d": {"name": "conv", "out_channels": 2, "kernel_size": 3, "padding": 1}}
CAUSAL = {"conv1d": {"name": "conv", "out_channels": 2, "kernel_size": 3, "padding": "causal"}}
STRIDED = {"conv1d": {"name": "conv", "out_channels": 2, "kernel_size": 1, "stride": 2}}
POOL = {"max_pool1d": {"kernel_size": 3, "stride": 1, "padding": 1}}
NORM = {"batch_norm1d": {"name": "norm"}}
JOIN = {"residual": {"name": "r", "layers": [PADDED], "shortcut": ["relu", "tanh"]}}


def built(*layers: Any, channels: int = 2) -> Network:
    """A small network of one dimension, with state of its own."""
    torch.manual_seed(3)
    spec = {"codsl": 1, "input": [channels, "T"], "layers": list(layers)}
    net = codsl.build(spec, dtype=torch.float64).eval()
    randomise(net, 3)
    return net


@pytest.mark.parametrize("layers", [[CONV], [CAUSAL], [STRIDED], [POOL], [NORM, PADDED], [JOIN]])
def test_whole_networks_pass(layers: list[Any]) -> None:
    """What is broken below keeps the contract while it is whole."""
    contract(built(*layers))


def changed(time: algebra.Time, **by: int) -> algebra.Time:
    """A time with some of its numbers off by a few."""
    names = ("stride", "past", "ahead", "delay", "offset")
    return algebra.steady(**{name: getattr(time, name) + by.get(name, 0) for name in names})


def fails(net: Network, why: str) -> None:
    """The contract fails with these words."""
    with pytest.raises(AssertionError, match=why):
        contract(net)


def test_a_delay_that_is_one_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    net = built(PADDED)
    late = algebra.emits

    def emits(time: algebra.Time, frames: int) -> int:
        pointwise = time.pointwise and not time.delay
        return late(time if pointwise else algebra.postponed(time, 1), frames)

    monkeypatch.setattr(program, "emits", emits)
    fails(net, r"frame 1: outputs \[0\] are NoneType")


def test_a_delay_that_is_one_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    true = algebra.sees

    def sees(window: algebra.Window) -> algebra.Time:
        time = true(window)
        return changed(time, delay=-1)

    monkeypatch.setattr(convolution, "sees", sees)
    with pytest.raises((AssertionError, RuntimeError)):
        contract(built(CONV))


def test_zeros_at_the_start_of_a_max_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    true = windows._fill
    monkeypatch.setattr(windows, "_fill", lambda like, items, fill: true(like, items, 0.0))
    net = built({"conv1d": {"out_channels": 2, "kernel_size": 1}}, "log_sigmoid", POOL)
    fails(net, "after 1 frames: off by")


def test_zeros_at_the_start_of_a_replicated_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    true = windows._fill
    monkeypatch.setattr(windows, "_fill", lambda like, items, fill: true(like, items, 0.0))
    padded = {**PADDED["conv1d"], "padding_mode": "replicate"}
    fails(built({"conv1d": padded}), "after 1 frames: off by")


def test_end_padding_that_reaches_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Streaming.flush

    def flush(self: Streaming) -> torch.Tensor | None:
        y, state = true(self), self.get_state()
        if state is not None:
            frame = torch.zeros(state.batch_size, *self.graph.input.shape, dtype=state.dtype)
            _, state = self.step(frame, state)
            self.set_state(replace(state, frame=state.frame - 1))
        return y

    monkeypatch.setattr(Streaming, "flush", flush)
    fails(built(PADDED), "step at frame 1: off by")


def test_a_hold_that_is_one_item_short(monkeypatch: pytest.MonkeyPatch) -> None:
    true = align.backlog

    def backlog(source: algebra.Time, edge: algebra.Time, reader: algebra.Time) -> int:
        depth = true(source, edge, reader)
        return depth - 1 if edge.pointwise and depth else depth

    monkeypatch.setattr(align, "backlog", backlog)
    with pytest.raises((AssertionError, IndexError)):
        contract(built(JOIN))


def test_a_join_by_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    true = work.outputs

    def outputs(
        module: Any, recipe: Any, tapes: Sequence[windows.Tape], spans: Any, first: int, stop: int
    ) -> torch.Tensor:
        if len(tapes) > 1:
            last = [tape.first + tape.items.shape[2] for tape in tapes]
            spans = [(end - stop + first, end - 1) for end in last]
        return true(module, recipe, tapes, spans, first, stop)

    monkeypatch.setattr(work, "outputs", outputs)
    fails(built({"residual": {"layers": [PADDED]}}), "step at frame 1: off by")


def test_stale_statistics_in_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    net = built(NORM, PADDED)
    stale = copy.deepcopy(net)
    randomise(net, 4)
    laid = stale._settled()
    monkeypatch.setattr(net, "_advance", lambda _, xs, state: stale._advance(laid, xs, state))
    fails(net, "off by")


def test_an_end_without_its_last_output(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Program.flush

    def flush(self: Program, state: State) -> tuple[torch.Tensor | None]:
        (y,) = true(self, state)
        return (None if y is None or y.shape[2] == 1 else y[:, :, :-1],)

    monkeypatch.setattr(Program, "flush", flush)
    fails(built(PADDED), "1 frames give nothing")


@pytest.mark.parametrize("by", [{"past": 1}, {"ahead": 1}, {"ahead": -1}])
def test_a_wrong_window(monkeypatch: pytest.MonkeyPatch, by: dict[str, int]) -> None:
    true = algebra.sees

    def sees(window: algebra.Window) -> algebra.Time:
        time = true(window)
        return changed(time, **by)

    monkeypatch.setattr(convolution, "sees", sees)
    fails(built(CAUSAL), r"output \d+ sees")


def test_a_window_that_is_declared_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frames that are not declared are not kept, so the stream cannot read them."""
    true = algebra.sees

    def sees(window: algebra.Window) -> algebra.Time:
        time = true(window)
        return changed(time, past=-1)

    monkeypatch.setattr(convolution, "sees", sees)
    with pytest.raises((AssertionError, RuntimeError)):
        contract(built(CAUSAL))


def test_a_wrong_length(monkeypatch: pytest.MonkeyPatch) -> None:
    true = algebra.sees

    def sees(window: algebra.Window) -> algebra.Time:
        time = true(window)
        return changed(time, offset=1)

    monkeypatch.setattr(convolution, "sees", sees)
    fails(built(PADDED), "frames give")


def test_an_output_at_every_step_of_a_stride(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Streaming._stepped

    def step(
        self: Streaming, laid: Laid, xs: list[torch.Tensor], state: State
    ) -> tuple[torch.Tensor | None, State]:
        _, new = true(self, laid, xs, state)
        return self.get_submodule("conv").own_forward(xs[0])[:, :, 0], new

    monkeypatch.setattr(Streaming, "_stepped", step)
    fails(built(STRIDED), r"frame 1: outputs \[\] are Tensor")


def test_a_state_that_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Program.steps

    def steps(self: Program, xs: list[torch.Tensor], state: State) -> tuple[Values, State]:
        ys, new = true(self, xs, state)
        for old, tensor in zip(state.tensors, new.tensors, strict=True):
            old.copy_(tensor)
        return ys, replace(new, tensors=state.tensors)

    monkeypatch.setattr(Program, "steps", steps)
    fails(built(PADDED), "step")


def test_a_state_that_is_a_view_of_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Program.steps

    def steps(self: Program, xs: list[torch.Tensor], state: State) -> tuple[Values, State]:
        ys, new = true(self, xs, state)
        depth = new.tensors[0].shape[2]
        return ys, replace(new, tensors=(xs[0][:, :, -depth:],)) if xs[0].shape[2] >= depth else new

    monkeypatch.setattr(Program, "steps", steps)
    net = built({"conv1d": {**PADDED["conv1d"], "kernel_size": 2}})
    fails(net, "off by nan")


def test_an_output_that_shows_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        windows.Tape,
        "cut",
        lambda tape, oldest, newest: tape.items.narrow(2, oldest - tape.first, newest - oldest + 1),
    )
    fails(built({"delay": 1}), "off by nan")


def test_more_state_than_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(align, "FLOAT32", 3)
    fails(built(PADDED), "bytes kept")


def test_a_storage_larger_than_its_tensor(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Program.steps

    def steps(self: Program, xs: list[torch.Tensor], state: State) -> tuple[Values, State]:
        ys, new = true(self, xs, state)
        wide = tuple(torch.cat([each, each], 2)[:, :, : each.shape[2]] for each in new.tensors)
        return ys, replace(new, tensors=wide)

    monkeypatch.setattr(Program, "steps", steps)
    fails(built(PADDED), "more is stored than kept")


def test_a_short_clip_that_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Streaming, "_run_clip", lambda self, x: x)
    fails(built(CONV), "a clip of 0 frames is no error")


GRU = {"gru": {"name": "memory", "hidden_size": 3}}
ATTENTION = {"multihead_attention": {"num_heads": 1, "past": 2, "ahead": 1}}
UP = {"conv_transpose1d": {"out_channels": 2, "kernel_size": 4, "stride": 2, "padding": 1}}


@pytest.mark.parametrize("layers", [[GRU], ["running_mean"], [ATTENTION], [UP], [STRIDED, UP]])
def test_whole_memories_pass(layers: list[Any]) -> None:
    """What is broken below keeps the contract while it is whole."""
    contract(built(*layers))


def test_a_memory_that_is_not_carried_on(monkeypatch: pytest.MonkeyPatch) -> None:
    true = work.remembered

    def remembered(
        module: Any, recipe: Any, tape: windows.Tape, span: Any, memory: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, ...]:
        return (true(module, recipe, tape, span, memory)[0], *memory)

    monkeypatch.setattr(work, "remembered", remembered)
    fails(built(GRU), "step at frame 1: off by")


def test_a_memory_that_the_next_frame_disturbs(monkeypatch: pytest.MonkeyPatch) -> None:
    """An output that is a view of what is carried on."""
    true = work.remembered

    def remembered(*given: Any) -> tuple[torch.Tensor, ...]:
        y, *memory = true(*given)
        return (y, *memory[:-1], y[:, :, -1].unsqueeze(1))

    monkeypatch.setattr(work, "remembered", remembered)
    fails(built(GRU), "off by nan")


def test_an_endless_past_that_is_not_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cumulative, "remembers", lambda: algebra.steady(past=2))
    fails(built("running_mean"), "step at frame 0: .* is not")


def test_an_endless_past_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    net = built("running_mean")
    monkeypatch.setitem(functions._OWN, "running_mean", lambda _, x, *memory, **__: (x, *memory))
    fails(net, r"sees \(\d+, \d+\), not \(-inf")


def test_a_band_that_is_one_off(monkeypatch: pytest.MonkeyPatch) -> None:
    true = functions._OWN["attend"]

    def attend(module: Any, x: Any, kept: Any, lead: int, past: int, **more: Any) -> torch.Tensor:
        return true(module, x, kept, lead, past=past - 1, **more)

    monkeypatch.setitem(functions._OWN, "attend", attend)
    fails(built(ATTENTION), "off by|sees")


@pytest.mark.parametrize(
    ("over", "why"),
    [((1, 2, 3), "sees more than declared"), ((0, 2, 3), "a row beside one of nan")],
)
def test_attention_that_multiplies_by_zero(
    monkeypatch: pytest.MonkeyPatch, over: tuple[int, ...], why: str
) -> None:
    """A mask over all frames, or all rows, lets `nan` through."""
    true = attention._band

    def band(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *more: Any) -> Any:
        return true(query, key, value, *more) + 0 * value.sum(over, keepdim=True)

    monkeypatch.setattr(attention, "_band", band)
    fails(built(ATTENTION), why)


def test_outputs_that_come_a_frame_early(monkeypatch: pytest.MonkeyPatch) -> None:
    true = algebra.spreads

    def spreads(*given: Any) -> algebra.Time:
        first, second = true(*given).phases
        return algebra.Time(1, (first, replace(second, due=first.due)))

    monkeypatch.setattr(transposed, "spreads", spreads)
    with pytest.raises((AssertionError, RuntimeError)):
        contract(built(UP))


def test_a_burst_that_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Program, "bursts", False)
    with pytest.raises((AssertionError, RuntimeError)):
        contract(built(UP))


def test_a_count_of_another_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(align.WIDTHS, "int64", 4)
    fails(built("running_mean"), "bytes kept")


def test_a_tolerance_is_relative_to_one_or_more() -> None:
    """A small error in a small number, and a large one in a large number."""
    double = torch.float64
    wanted = torch.tensor([0, 1e12 + 1], dtype=double)
    close(torch.tensor([1e-12, 1e12], dtype=double), wanted, "")
    for found in (1e-9, math.nan, math.inf):
        with pytest.raises(AssertionError, match="off by"):
            close(torch.tensor([found, 1e12], dtype=double), wanted, "")
    with pytest.raises(AssertionError, match="is not"):
        close(wanted.float(), wanted, "")


def test_a_norm_of_a_permuted_frame_has_the_gradient_of_the_clip() -> None:
    """Of a permuted view of one frame, torch's batch norm (2.13) gives a wrong one."""
    layers = ["sigmoid", {"permute": {"dims": [2, 0, 1]}}, {"batch_norm3d": {"name": "norm"}}]
    spec = {"codsl": 1, "input": [3, "T", 4, 6], "layers": [*layers, "tanh"]}
    net = codsl.build(spec, dtype=torch.float64).eval()
    randomise(net, 1)
    contract(net)


def test_an_endless_past_of_dilated_windows() -> None:
    """Its first output is of a window in which the first frame falls between two others."""
    pool = {"max_pool1d": {"kernel_size": 4, "stride": 1, "padding": 1, "dilation": 2}}
    contract(built(pool, GRU))
