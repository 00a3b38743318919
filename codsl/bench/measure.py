"""A network measured: its contenders run the same stream, are compared, and take turns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import lcm
from typing import Any

import torch
from torch import Tensor

from codsl.bench import contender
from codsl.bench.clock import Effort, Timing, interleaved
from codsl.bench.contender import Absent, Contender, Window
from codsl.bench.footage import Footage, beyond, frame, repeated, run_in, spread
from codsl.bench.limit import limit
from codsl.bench.result import Bound, Case, Outcome, Row
from codsl.network import Network
from codsl.nn.nest import leaves
from codsl.nn.state import State

MOST = 1 << 28
"""Numbers that a clip which is run again and again may have."""


@dataclass(frozen=True)
class Wish:
    """What is to be measured: which backends, for how many streams, in steps (a chunk of 0) and in
    chunks, and how long. `window` is the clip that is run again, if not all that an output sees."""

    backends: Sequence[str] = field(default_factory=contender.backends)
    streams: Sequence[int] = (1,)
    chunks: Sequence[int] = (0,)
    effort: Effort = field(default_factory=Effort)
    window: int | None = None
    seed: int = 0


@torch.inference_mode()
def measure(net: Network, wish: Wish, name: str | None = None) -> Case:
    """The contenders for a network in `eval()`, side by side; the network's stream is reset."""
    graph = net.graph
    footage = Footage(net, wish.seed)
    window = Window.of(graph, wish.window)
    kept = window.frames if isinstance(window, Window) else 0
    if kept * graph.input.size * max(wish.streams) > MOST:
        kept = 0
    state, past = run_in(net, footage, max(beyond(graph), kept), kept)
    outcomes = [
        Trial(net, wish, footage, spread(state, streams), past, streams, chunk).outcome()
        for streams in wish.streams
        for chunk in wish.chunks
    ]
    net.reset()
    total = graph.report().to_dict()["total"]
    return Case(name or graph.name, total, tuple(wish.backends), tuple(outcomes))


@dataclass(frozen=True, eq=False)
class Trial:
    """One kind of work for a network: a step, or a chunk, of so many streams from a state on."""

    net: Network
    wish: Wish
    footage: Footage
    state: State
    past: Any
    streams: int
    chunk: int

    def outcome(self) -> Outcome:
        """What came of it."""
        field = list(self._field())
        running = {each.name: each for each in field if isinstance(each, Contender)}
        absent = {each.name: each.reason for each in field if isinstance(each, Absent)}
        inputs = self._inputs()
        given = {name: [each.run(x) for x in inputs] for name, each in running.items()}
        calls = {name: [partial(each.run, x) for x in inputs] for name, each in running.items()}
        timings = interleaved(calls, self.wish.effort)
        meant = given[contender.PLAIN]
        rows = [
            self._row(each, timings[name], len(inputs), apart(given[name], meant))
            for name, each in running.items()
        ]
        bound = limit(self.net.graph, self.streams, self.chunk or 1)
        worth = 1e3 / self.streams
        limits = Bound(worth * bound.arithmetic, worth * bound.memory)
        return Outcome(self.chunk, self.streams, tuple(rows), absent, limits)

    def _field(self) -> Iterator[Contender | Absent]:
        """Who takes part; the network itself first."""
        yield contender.plain(self.net, self.state, self.chunk)
        for backend in self.wish.backends:
            yield contender.fast(self.net, backend, self.state, self.chunk)
        if self.chunk:
            yield contender.at_once(self.net, self.footage, self.streams, self.chunk)
        else:
            past = None if self.past is None else repeated(self.past, self.streams)
            yield contender.rerun(self.net, past, self.wish.window)

    def _inputs(self) -> list[Any]:
        """What is fed: the frames of a turn, or so many chunks that they are whole turns."""
        turn = self.net.graph.cycle.turn
        if self.chunk:
            count = lcm(turn, self.chunk) // self.chunk
            return [self.footage.clip(self.chunk, self.streams) for _ in range(count)]
        clip = self.footage.clip(turn, self.streams)
        return [frame(clip, index) for index in range(turn)]

    def _row(self, each: Contender, timing: Timing, calls: int, apart: float | None) -> Row:
        worth = 1e3 / (calls * each.frames * self.streams)
        return Row(
            each.name,
            each.words,
            worth * timing.median,
            worth * timing.least,
            1e3 * timing.longest / each.frames,
            timing.tail,
            timing.passes,
            each.same,
            apart if each.same else None,
        )


def apart(given: Sequence[Any], meant: Sequence[Any]) -> float | None:
    """How far outputs are from those that are meant, relative to the largest of them; None where
    there is none, and infinity where one is missing or has another shape."""
    pairs = list(zip(leaves(list(given)), leaves(list(meant)), strict=True))
    if any((y is None) != (z is None) for y, z in pairs):
        return float("inf")
    there = [(y, z) for y, z in pairs if isinstance(y, Tensor) and isinstance(z, Tensor)]
    if any(y.shape != z.shape for y, z in there):
        return float("inf")
    if not there:
        return None
    largest = max(float(z.abs().amax()) for _, z in there)
    farthest = max(float((y - z).abs().amax()) for y, z in there)
    return farthest / max(largest, 1e-30)
