"""A value of a random network: its frame, and its time, calculated here once more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

Layers = list[Any]
"""Statements of the YAML form, one after another."""

MIXED: Layers = ["softmax"]
"""What makes every channel depend on all frames that any depends on."""


@dataclass(frozen=True)
class At:
    """A value: its channels and space, and its time.

    `n` frames give `floor((n + offset) / stride)` items; `field` is how far an item reaches.
    """

    channels: int
    space: tuple[int, ...]
    stride: int = 1
    offset: int = 0
    field: int = 0

    @property
    def rank(self) -> int:
        """The number of dimensions, time among them."""
        return 1 + len(self.space)

    def through(self, stride: int, offset: int, reach: int) -> At:
        """After a window over time."""
        return replace(
            self,
            stride=self.stride * stride,
            offset=self.offset + self.stride * offset,
            field=self.field + self.stride * reach,
        )


@dataclass(frozen=True)
class Limits:
    """How far a network may go, so that its clips stay short."""

    field: int = 36
    stride: int = 6
    depth: int = 3
    blocks: bool = True
    """Whether there are several inputs and outputs, and blocks of single frames."""


def met(ends: list[At], word: str) -> At:
    """The value that a join gives."""
    assert len({end.stride for end in ends}) == 1
    offsets = [end.offset for end in ends]
    assert max(offsets) - min(offsets) < ends[0].stride
    return replace(
        ends[0],
        channels=sum(end.channels for end in ends) if word == "concat" else ends[0].channels,
        offset=min(offsets),
        field=max(end.field for end in ends),
    )
