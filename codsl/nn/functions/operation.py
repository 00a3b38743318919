"""What a layer of a network does to frames: a row of the table, or a node of a checked graph."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from codsl.algebra.shape import Frame
from codsl.algebra.shared import Shared
from codsl.algebra.time import IDENTITY, Time
from codsl.graph.node import Node
from codsl.layers.recipe import OWN, Pointwise, Recipe


class Operation(Protocol):
    """What a frame becomes, when, at what cost and how."""

    def shape(self, x: Frame) -> Frame:
        """The frame that it makes of `x`; raises `ValueError` where that cannot be."""

    def time(self) -> Time:
        """When its outputs see what."""

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        """The shapes of its parameters."""

    def macs(self, x: Frame, y: Frame) -> int | Fraction:
        """Multiply-accumulates of convolutions and matrix products for one output."""

    def recipe(self, x: Frame) -> Recipe:
        """How torch computes it."""

    def space(self, x: Frame) -> tuple[Time, ...]:
        """How its outputs sit over each dimension of space of the input."""


@dataclass(frozen=True)
class Settled(Shared):
    """A node of a checked graph; it takes frames of one kind."""

    node: Node
    input: Frame

    def shape(self, x: Frame) -> Frame:
        if x != self.input:
            raise ValueError(f"`{self.node.path}` takes frames of {self.input}, got {x}")
        return self.node.frame

    def time(self) -> Time:
        return self.node.edges[0].reach

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return self.node.weights

    def macs(self, x: Frame, y: Frame) -> int | Fraction:
        return self.node.macs

    def recipe(self, x: Frame) -> Recipe:
        return self.node.recipe

    def space(self, x: Frame) -> tuple[Time, ...]:
        return self.node.space


@dataclass(frozen=True)
class FrameByFrame:
    """Something that makes each frame of one frame: `made` gives what it makes of a kind of frame,
    `sizes` are the shapes of its parameters, `work` its multiply-accumulates for two kinds."""

    made: Callable[[Frame], Frame]
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    work: Callable[[Frame, Frame], int | Fraction] = lambda x, y: 0

    def shape(self, x: Frame) -> Frame:
        return self.made(x)

    def time(self) -> Time:
        return IDENTITY

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return self.sizes

    def macs(self, x: Frame, y: Frame) -> int | Fraction:
        return self.work(x, y)

    def recipe(self, x: Frame) -> Pointwise:
        return OWN

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)
