"""A stream around a step that is exported: the state, kept as the samples keep it."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from codsl.export.layout import Layout

Run = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
"""What a runtime does: the tensors of a layout by name, in and out."""
Clips = Sequence[Tensor]
Due = list[tuple[Tensor, Tensor]]


class Streams(Protocol):
    """Streams that begin together, in rows, all before their first frames."""

    def begin(self, row: int) -> None:
        """Let a stream begin in a row, at phase 0: what the one before left is wiped."""

    def step(self, clips: Clips) -> Due:
        """The items of each output, `(B, C, T, *S)`, and which of them each row has, `(B, T)`."""


class Rings:
    """The state of `batch` streams, all before their first frames."""

    def __init__(self, layout: Layout, batch: int, run: Run) -> None:
        kind = getattr(torch, layout.dtype)
        self._layout, self._run, self._phase = layout, run, 0
        self._had = torch.zeros(batch, dtype=torch.int64)
        self._rings = [
            deque(
                (torch.zeros(batch, *ring.shape, dtype=kind) for _ in range(ring.depth)), ring.depth
            )
            for ring in layout.rings
        ]
        self._carried = {
            each.old: torch.zeros(batch, *each.shape, dtype=getattr(torch, each.dtype))
            for each in layout.carried
        }

    def begin(self, row: int) -> None:
        """Let a stream begin in a row, at phase 0: what the one before left is wiped."""
        self._had[row] = 0
        self._rings = [
            deque((_wiped(item, row) for item in ring), ring.maxlen) for ring in self._rings
        ]
        self._carried = {name: _wiped(each, row) for name, each in self._carried.items()}

    def step(self, clips: Clips) -> Due:
        """The items of each output, `(B, C, T, *S)`, and which of them each row has, `(B, T)`."""
        layout = self._layout
        given = {port.name: clip for port, clip in zip(layout.inputs, clips, strict=True)}
        if layout.phase:
            given[layout.phase] = torch.tensor(self._phase)
        given[layout.had] = self._had
        for ring, items in zip(layout.rings, self._rings, strict=True):
            given |= {name: items[-back] for name, back in ring.taps}
        made = self._run(given | self._carried)
        for ring, items in zip(layout.rings, self._rings, strict=True):
            items.extend(made[name] for name in ring.new[: ring.comes[self._phase]])
        self._carried = {each.old: made[each.new] for each in layout.carried}
        self._had = self._had + layout.frames
        self._phase = (self._phase + 1) % layout.phases
        return [(made[port.name], made[port.valid]) for port in layout.outputs]


def _wiped(x: Tensor, row: int) -> Tensor:
    x = x.clone()
    x[row] = 0
    return x
