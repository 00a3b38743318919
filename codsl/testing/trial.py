"""A module under test: what it is tried on, and how its modes are asked."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from codsl.algebra.time import length
from codsl.graph.graph import Graph
from codsl.graph.ids import ids
from codsl.nn.nest import leaves
from codsl.nn.running.state import State
from codsl.testing.comparison import close, tolerance_of
from codsl.testing.declared import Declared
from codsl.testing.draws import Source, over

Outputs = list[Tensor | None]
"""For every output of a network, a clip of what came of it, or None."""

LONGEST = 256
"""Frames of a clip at most, where nothing else is said."""
WORK = 4e10
"""Multiply-accumulates, about, up to which clips of every length are tried."""
ROOM = 2**28
"""Bytes that a value takes at most while frames are spoilt, and while gradients are worked out."""


@dataclass(frozen=True)
class Trial:
    """A module, the clip that it is tried on, and how often each promise was tried.

    With `whole`, the clip is as long as all that a network declares takes to be seen. With `some`,
    not all lengths of clips are tried, whatever that takes.
    """

    net: Any
    graph: Graph
    declared: Declared
    source: Source
    x: Any
    tolerance: float
    seed: int = 0
    whole: bool = True
    some: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(
        cls, net: Any, source: Source, frames: int | None = None, tolerance: float | None = None
    ) -> "Trial":
        """A trial in clips of so many frames, or of as many as show all.

        Raises `ValueError` where that is more than `LONGEST` and not asked for, or too few.
        """
        laid, _ = net._laid_for(source.clip(1), "a clip")
        graph = laid.program.graph
        source = replace(source, ids=tuple(ids(graph, value) for value in range(graph.base)))
        declared = Declared.of(graph)
        most = declared.most if frames is None else frames
        if frames is None and most > LONGEST:
            raise ValueError(
                f"clips of {most} frames are needed to see all that this network does, and "
                f"{LONGEST} at most are tried unasked: give frames={most}, or fewer for a part"
            )
        if most <= declared.min_frames:
            raise ValueError(
                f"clips of {most} frames are too short for this network: frames is at least "
                f"{declared.min_frames + 1}, and {declared.most} shows all"
            )
        bound = tolerance_of(source.dtype) if tolerance is None else tolerance
        whole = most >= declared.most
        return cls(net, graph, declared, source, source.clip(most), bound, source.seed, whole)

    @property
    def frames(self) -> int:
        """Frames of the clip."""
        return int(next(leaves(self.x)).shape[2])

    @property
    def batch(self) -> int:
        """Rows of the clip."""
        return int(next(leaves(self.x)).shape[0])

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the clip."""
        dtype: torch.dtype = next(leaves(self.x)).dtype
        return dtype

    @cached_property
    def work(self) -> float:
        """Multiply-accumulates of a frame, about."""
        return float(self.graph.report().total["macs"]) + sum(
            10 * frame.size for frame in self.graph.frames
        )

    @cached_property
    def lengths(self) -> frozenset[int]:
        """The lengths of clip that are tried: all of them, or some where a network is large."""
        if not self.some and self.work * self.frames**2 <= WORK:
            return frozenset(range(self.frames + 1))
        least = self.declared.min_frames
        drawn = random.Random(self.seed).choices(range(least, self.frames), k=2)
        some = {0, least - 1, least, least + 1, self.frames - 1, self.frames, *drawn}
        return frozenset(each for each in some if each >= 0)

    @property
    def every(self) -> bool:
        """Whether every length is tried."""
        return len(self.lengths) == self.frames + 1

    def cut(self, start: int, stop: int) -> Any:
        """Frames of the clip, in memory of their own."""
        return over(self.x, lambda each: each[:, :, start:stop].clone())

    def frame(self, t: int) -> Any:
        """One frame, in memory of its own."""
        return over(self.x, lambda each: each[:, :, t].clone())

    def several(self, ys: Any) -> Outputs:
        """What came out, output by output."""
        return [None] * len(self.declared.each) if ys is None else list(leaves(ys))

    def clip(self, x: Any) -> list[Tensor]:
        """All outputs of a clip."""
        self.counts["clips"] += 1
        return list(leaves(self.net(x)))

    def steps(self, chunk: Any, **more: Any) -> Outputs:
        """What comes with the frames of a chunk."""
        self.counts["chunks"] += 1
        return self.several(self.net.forward_steps(chunk, **more))

    def flush(self) -> Outputs:
        """What is left, were the stream to end."""
        self.counts["ends"] += 1
        return self.several(self.net.flush())

    def step(self, frame: Any, update_state: bool = True) -> Outputs:
        """What comes with a frame, as clips."""
        self.counts["steps"] += 1
        if self.declared.bursts:
            chunk = over(frame, lambda each: each.unsqueeze(2))
            return self.several(self.net.forward_steps(chunk, update_state=update_state))
        return _as_clips(self.several(self.net.forward_step(frame, update_state=update_state)))

    def pure_step(self, frame: Any, state: State) -> tuple[Outputs, State]:
        """The same, from a state to the next."""
        self.counts["pure steps"] += 1
        if self.declared.bursts:
            chunk = [each.unsqueeze(2) for each in leaves(frame)]
            ys, new = self.net.program.steps(chunk, state)
            return list(ys), new
        y, new = self.net.step(frame, state)
        return _as_clips(self.several(y)), new

    def close(self, found: Tensor | None, wanted: Tensor, what: str) -> None:
        """Both are equal, as far as is allowed; raises `ContractError` otherwise."""
        close(found if found is not None else wanted[:, :, :0], wanted, what, self.tolerance)
        self.counts["comparisons"] += 1

    def seen(self, frames: int) -> tuple[int, int]:
        """The first frame that every value sees, and the first that some value's end cuts off, in a
        clip of so many frames."""
        first, last = 0.0, frames
        for time in self.graph.times:
            turn = len(time.phases)
            items = length(time, frames)
            oldest = min(time.output(j).oldest for j in range(turn))
            missing = max(time.output(j).oldest for j in range(-turn, 0)) + 1
            if oldest != float("-inf"):
                first = max(first, oldest, missing)
            last = min(last, *(time.output(j).newest for j in range(items, items + turn)))
        return int(first), last

    def undisturbed(self, frames: int) -> list[list[int]]:
        """Of each output, the items that no padding of any layer reaches in a clip of so many
        frames; of an endless past, those after so many others that no dilation leaves a frame out.
        """
        first, last = self.seen(frames)
        edges = [edge for node in self.graph.nodes for edge in node.edges]
        gaps = sum(
            (each.reach.spacing - 1) * self.graph.times[each.source].period for each in edges
        )
        found = []
        for timing in self.declared.each:
            settled = max(first + 2, timing.output(0)[1] + gaps)
            reached = {j: timing.output(j)[:2] for j in range(timing.length(frames))}
            found.append(
                [
                    j
                    for j, (oldest, newest) in reached.items()
                    if (oldest >= first or (oldest == float("-inf") and newest >= settled))
                    and newest < last
                ]
            )
        return found


def spoil(x: Any) -> None:
    """Overwrite what was handed over: nothing of it may be kept."""
    for each in leaves(x):
        if each is not None:
            each.fill_(float("nan"))


def _as_clips(ys: Outputs) -> Outputs:
    return [None if y is None else y.unsqueeze(2) for y in ys]
