"""How parallel values become one by hand: a word of the language, or a function of a list."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY
from codsl.graph.node import Edge
from codsl.layers.joining import AGGREGATIONS, Aggregation
from codsl.layers.recipe import OWN
from codsl.nn.functions.functions import function
from codsl.nn.measured import macs_of
from codsl.nn.running.trace import Trace

How = str | Callable[[Sequence[Tensor]], Tensor]
PROBES = 11
"""Frames on which a function is tried before it is believed to be pointwise in time."""
ALONE = (0, 4, PROBES - 1)
"""Those of them that it then gets one by one."""
FINE, ROUGH = 1e-4, 2e-2
"""How far, relatively, its answers may differ; and in half precision."""
BATCH = 2
"""Streams on which it is tried before it is believed not to mix them."""


class Joint:
    """An aggregation: `sum`, `concat`, `mul`, `max`, `mean`, or a function of a list of tensors."""

    def __init__(self, how: How) -> None:
        if not callable(how) and how not in AGGREGATIONS:
            listed = ", ".join(f"`{word}`" for word in AGGREGATIONS)
            raise ValueError(f"an aggregation is one of {listed}, or a function, got {how!r}")
        self.how = how

    def __call__(self, values: Sequence[Tensor]) -> Tensor:
        """The join of these tensors."""
        return self.how(values) if callable(self.how) else function(f"join_{self.how}")(*values)

    def __repr__(self) -> str:
        return name_of(self.how) if callable(self.how) else self.how

    def lay(self, trace: Trace, path: str, owner: nn.Module, edges: Sequence[Edge]) -> int:
        """Add the join of some values to a graph, and give its value."""
        known = [trace.frames[edge.source] for edge in edges]
        frames = [frame for frame in known if frame is not None]
        word = repr(self) if repr(self).isidentifier() else "join"
        if len(frames) < len(known):
            return trace.join(path, owner, OWN, edges, None, word)
        if callable(self.how):
            frame = probe(self.how, frames, repr(self), trace.like)
            macs = macs_of(self.how, frames, trace.like)
            return trace.join(path, JoinBy(self.how), OWN, edges, frame, word, macs)
        aggregation = Aggregation(self.how)
        try:
            frame = aggregation.shape(tuple(frames))
        except ValueError as error:
            listed = ", ".join(map(str, frames))
            raise ValueError(f"`{self.how}` cannot join {listed}: {error}") from None
        return trace.join(path, JoinBy(self), aggregation.recipe(), edges, frame, word)


class JoinBy(nn.Module):
    """A join as a node of a graph."""

    def __init__(self, how: Callable[[Sequence[Tensor]], Tensor]) -> None:
        super().__init__()
        self._how = how

    def forward(self, *inputs: Tensor) -> Tensor:
        """The join of clips of equal length."""
        return self._how(inputs)


def beside(values: Sequence[int]) -> list[Edge]:
    """Edges over whole values."""
    return [Edge(value, IDENTITY) for value in values]


class NotByFrames(ValueError):
    """A function is not one of single frames of single streams."""


def probe(
    how: Callable[[Sequence[Tensor]], Tensor],
    frames: Sequence[Frame],
    name: str,
    like: Tensor | None = None,
) -> Frame:
    """The frame that a function makes; raises `NotByFrames` where it mixes frames or streams.

    It is tried on clips of the dtype and on the device of `like`, where that is no id.
    """
    generator = torch.Generator().manual_seed(0)
    shapes = [(BATCH, frame.channels, PROBES, *frame.space) for frame in frames]
    clips = [torch.rand(shape, generator=generator) for shape in shapes]
    if like is not None and like.is_floating_point():
        clips = [clip.to(like) for clip in clips]
    try:
        with torch.no_grad():
            whole = how(clips)
            singly = [how([x[:, :, t : t + 1] for x in clips]) for t in ALONE]
            alone = [how([x[b : b + 1] for x in clips]) for b in range(BATCH)]
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise NotByFrames(
            f"`{name}` does not take any number of frames, as a stream has to: {error}"
        ) from error
    fits = isinstance(whole, Tensor) and whole.dim() > 2 and whole.shape[2] == PROBES
    if not fits or not _same(whole[:, :, list(ALONE)], singly, 2):
        raise NotByFrames(
            f"`{name}` is not pointwise in time: its output for a frame depends on others, which a "
            "stream does not have"
        )
    if not _same(whole, alone, 0):
        raise NotByFrames(f"`{name}` mixes the rows of a batch, which are streams of their own")
    return Frame(whole.shape[1], tuple(whole.shape[3:]))


def _same(whole: Tensor, parts: Sequence[Tensor], dim: int) -> bool:
    if any(not isinstance(part, Tensor) or part.dim() != whole.dim() for part in parts):
        return False
    together = torch.cat(list(parts), dim)
    rough = ROUGH if whole.dtype.itemsize < 4 else FINE
    return whole.shape == together.shape and torch.allclose(
        whole, together, rtol=rough, atol=rough / 100, equal_nan=True
    )


def name_of(function: Any) -> str:
    """What a function is called."""
    return getattr(function, "__name__", type(function).__name__)
