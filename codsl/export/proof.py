"""A file that was written, held against the network it was made of."""

from dataclasses import dataclass
from math import inf, isinf

import torch
from torch import Tensor

from codsl.diagnostics import plural
from codsl.export.layout import Layout
from codsl.export.rings import Rings, Run
from codsl.nn.running.program import Program

ALLOWED = {"float64": 1e-9, "float32": 1e-4}
"""How far outputs may be from the network's, of the largest of these."""
LONGEST = 4096
"""Frames of a trial at most."""
ENDLESS = 32
"""Frames for a past without end."""
ROWS = 2
"""Rows that are compared."""


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


def prove(run: Run, program: Program, layout: Layout, rows: int = ROWS) -> Proof:
    """Run a batch of so many streams from their first frames on; the second begins as soon after
    the first as it may.

    Raises `ValueError` where outputs are further from those of the network than rounding explains,
    come at other frames, or not at all.
    """
    needed = _needed(program, layout)
    calls = min(needed, LONGEST) // layout.frames + ROWS * layout.phases + 1
    worst = _compare(run, program, layout, rows, calls)
    if not worst <= ALLOWED[layout.dtype]:
        raise ValueError(f"its outputs are {worst:.2g} apart from the network's, of the largest")
    return Proof(calls * layout.frames, needed, min(rows, ROWS), worst)


def _needed(program: Program, layout: Layout) -> int:
    """Frames after which a stream is beyond its beginning, whatever that reaches."""
    graph = program.graph
    field = ENDLESS if isinf(graph.receptive_field) else int(graph.receptive_field)
    return max(field + graph.delay, graph.cycle.start) + 2 * layout.frames * layout.phases


def _compare(run: Run, program: Program, layout: Layout, rows: int, calls: int) -> float:
    """How far outputs of the first rows are apart at most; row `n` begins when phase 0 comes for
    the `n`th time again, where the state is used."""
    tried = min(rows, ROWS)
    draw = torch.Generator().manual_seed(0)
    kind = getattr(torch, layout.dtype)
    stream = Rings(layout, rows, run)
    states = [program.init_state(1, kind, torch.device("cpu")) for _ in range(tried)]
    gaps, sizes = [0.0] * len(layout.outputs), [0.0] * len(layout.outputs)
    told = [0] * len(layout.outputs)
    for call in range(calls):
        turn, phase = divmod(call, layout.phases)
        if 0 < turn < tried and phase == 0:
            stream.begin(turn)
        clips = [
            torch.randn(rows, *port.shape, generator=draw, dtype=kind) for port in layout.inputs
        ]
        found = stream.step(clips)
        for row in range(min(tried, turn + 1)):
            own = [clip[row : row + 1] for clip in clips]
            wanted, states[row] = program.steps(own, states[row])
            for place, ((y, valid), want) in enumerate(zip(found, wanted, strict=True)):
                due = y[row : row + 1, :, valid[row]]
                told[place] += due.shape[2]
                gap, size = _gap(due, want)
                gaps[place] = max(gaps[place], gap)
                sizes[place] = max(sizes[place], size)
    if not all(told):
        raise ValueError("it gave no output")
    return max(gap / (size or 1.0) for gap, size in zip(gaps, sizes, strict=True))


def _gap(found: Tensor, wanted: Tensor | None) -> tuple[float, float]:
    """How far numbers are from others, and how large these are."""
    if wanted is None or found.shape != wanted.shape:
        return (inf if found.shape[2] or wanted is not None else 0.0), 0.0
    if not torch.equal(found.isfinite(), wanted.isfinite()):
        return inf, 1.0
    gap = (found - wanted).nan_to_num(0.0, 0.0, 0.0).abs().max().item()
    return gap, wanted.nan_to_num(0.0, 0.0, 0.0).abs().max().item()
