"""A node: what a layer is without saying which, and what it reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from codsl.algebra.shape import Frame
from codsl.algebra.shared import Shared
from codsl.algebra.time import IDENTITY, Time
from codsl.layers.recipe import Recipe
from codsl.source import Span


@dataclass(frozen=True)
class Edge:
    """A value that a node reads, and the node's own time over it."""

    source: int
    reach: Time


@dataclass(frozen=True)
class Node(Shared):
    """A layer or a join, relative to its own input; `macs` are for one output."""

    path: str
    type: str
    edges: tuple[Edge, ...]
    frame: Frame
    recipe: Recipe
    weights: Mapping[str, tuple[int, ...]]
    macs: int | Fraction
    space: tuple[Time, ...]
    span: Span | None = None

    @property
    def parameters(self) -> int:
        """How many numbers it learns."""
        return sum(prod(shape) for shape in self.weights.values())

    def over(self, dimensions: int) -> tuple[Time, ...]:
        """How it sits over so many dimensions of space; over lost ones it changes nothing."""
        return (*self.space, *(IDENTITY,) * (dimensions - len(self.space)))
