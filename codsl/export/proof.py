"""A file that was written, held against the network it was made of."""

from dataclasses import dataclass
from math import inf, isinf

import torch
from torch import Tensor

from codsl.algebra.time import emits, rate
from codsl.diagnostics import plural
from codsl.export.layout import Layout
from codsl.export.rings import Streams
from codsl.graph.ids import ids
from codsl.nn.running.drawn import drawn
from codsl.nn.running.program import Program

ALLOWED = {"float64": 1e-9, "float32": 1e-4}
"""How far outputs may be from the network's, of the largest of these."""
LONGEST = 16_384
"""Frames of a trial at most."""
ENDLESS = 32
"""Frames for a past without end."""
ROWS = 2
"""Rows that are compared."""
CHUNK = 1 << 26
"""Numbers that the network computes at once, of all its values."""


@dataclass(frozen=True)
class Proof:
    """How a file was tried: over how many frames, of how many that would show all of the past, in
    how many rows, and how far it was from the network, of the largest output."""

    frames: int
    needed: int
    rows: int
    apart: float

    def __str__(self) -> str:
        most = f" (the past has {self.needed:,})" if self.frames < self.needed else ""
        return f"{self.frames:,} frames{most}, {plural(self.rows, 'row')}, {self.apart:.1g} apart"


def prove(file: Streams, program: Program, layout: Layout, rows: int = ROWS) -> Proof:
    """Run so many streams of a file from their first frames on; the second begins as soon after
    the first as it may.

    The file is called as it will be, block by block; the network is given the same frames in
    chunks, and every output of both is compared. Raises `ValueError` where outputs are further
    from those of the network than rounding explains, come at other frames, or not at all.
    """
    needed = _needed(program, layout)
    calls = min(needed, LONGEST) // layout.frames + ROWS * layout.phases + 1
    worst = _compare(file, program, layout, rows, calls)
    if not worst <= ALLOWED[layout.dtype]:
        raise ValueError(f"its outputs are {worst:.2g} apart from the network's, of the largest")
    return Proof(calls * layout.frames, needed, min(rows, ROWS), worst)


def _needed(program: Program, layout: Layout) -> int:
    """Frames after which a stream is beyond its beginning, whatever that reaches."""
    graph = program.graph
    field = ENDLESS if isinf(graph.receptive_field) else int(graph.receptive_field)
    return max(field + graph.delay, graph.cycle.start) + 2 * layout.frames * layout.phases


def _compare(file: Streams, program: Program, layout: Layout, rows: int, calls: int) -> float:
    """How far outputs of the first rows are apart at most; row `n` begins when phase 0 comes for
    the `n`th time again, where the state is used."""
    draw = torch.Generator().manual_seed(0)
    kind = getattr(torch, layout.dtype)
    looked_up = [ids(program.graph, value) for value in range(program.graph.base)]
    streams = [_Stream(program, layout) for _ in range(min(rows, ROWS))]
    chunk = max(1, CHUNK // (layout.frames * _numbers(program)))
    for call in range(calls):
        turn, phase = divmod(call, layout.phases)
        if 0 < turn < len(streams) and phase == 0:
            file.begin(turn)
        clips = [
            drawn((rows, *port.shape), most, draw, kind)
            for port, most in zip(layout.inputs, looked_up, strict=True)
        ]
        found = file.step(clips)
        for row, stream in enumerate(streams[: turn + 1]):
            due = [y[row : row + 1, :, valid[row]] for y, valid in found]
            stream.note([clip[row : row + 1] for clip in clips], due)
            if (call + 1) % chunk == 0 or call + 1 == calls:
                stream.compare()
    if streams[0].silent:
        raise ValueError("it gave no output")
    return max(map(_apart, *(stream.gaps for stream in streams)))


def _numbers(program: Program) -> int:
    """How many numbers all values have, of one frame of the input."""
    graph = program.graph
    values = zip(graph.schedule.fires, graph.frames, strict=True)
    return 1 + int(sum(rate(fires, frame.size) for fires, frame in values))


def _apart(*gaps: tuple[float, float]) -> float:
    """The largest of some gaps, of the largest number."""
    most = max(gap for gap, _ in gaps)
    return most / (max(size for _, size in gaps) or 1.0)


class _Stream:
    """One row of a file, and the network's own stream of the same frames, which follows in chunks.

    `gaps` says of each output how far it was apart, and how large the network's is.
    """

    def __init__(self, program: Program, layout: Layout) -> None:
        graph, kind = program.graph, getattr(torch, layout.dtype)
        self._program = program
        self._names = [port.name for port in layout.outputs]
        self._fires = [graph.schedule.fires[outlet.value] for outlet in graph.outputs]
        self._state = program.init_state(1, kind, torch.device("cpu"))
        self._given = [0] * len(self._fires)
        self._noted: list[tuple[list[Tensor], list[Tensor]]] = []
        self.frames = 0
        self.gaps = [(0.0, 0.0)] * len(self._fires)

    def note(self, clips: list[Tensor], found: list[Tensor]) -> None:
        """Note what a call was given and gave.

        Raises `ValueError` where this is more or fewer outputs than the network gives.
        """
        self.frames += clips[0].shape[2]
        given = [emits(fires, self.frames) for fires in self._fires]
        for name, items, before, now in zip(self._names, found, self._given, given, strict=True):
            if items.shape[2] != now - before:
                raise ValueError(
                    f"it gives {plural(items.shape[2], 'item')} of `{name}` where the network "
                    f"gives {now - before}, after {plural(self.frames, 'frame')}"
                )
        self._given = given
        self._noted.append((clips, found))

    def compare(self) -> None:
        """Let the network catch up, and hold what it gives against what was noted."""
        clips, found = (
            [torch.cat(parts, 2) for parts in zip(*all_calls, strict=True)]
            for all_calls in zip(*self._noted, strict=True)
        )
        self._noted = []
        wanted, self._state = self._program.steps(clips, self._state)
        for place, (items, own) in enumerate(zip(found, wanted, strict=True)):
            gap, size = self.gaps[place]
            more, larger = _gap(items, own)
            self.gaps[place] = max(gap, more), max(size, larger)

    @property
    def silent(self) -> bool:
        """Whether some output was not given at all."""
        return not all(self._given)


def _gap(found: Tensor, wanted: Tensor | None) -> tuple[float, float]:
    """How far numbers are from others, and how large these are."""
    if wanted is None or found.shape != wanted.shape:
        return (inf if found.shape[2] or wanted is not None else 0.0), 0.0
    if not torch.equal(found.isfinite(), wanted.isfinite()):
        return inf, 1.0
    gap = (found - wanted).nan_to_num(0.0, 0.0, 0.0).abs().max().item()
    return gap, wanted.nan_to_num(0.0, 0.0, 0.0).abs().max().item()
