"""A module laid out for frames that are known, and frames as clips of one."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from codsl.algebra.shape import Frame
from codsl.nn.nest import Nest, leaves, number, rebuild
from codsl.nn.running.program import Program

Taken = tuple[Nest, tuple[Frame, ...], Tensor | None]
"""What comes into a module: in which shape, of which frames, and one of no numbers."""


@dataclass(frozen=True)
class Laid:
    """A module laid out for certain frames: its program, the shapes in which outputs go out and
    inputs come in, and an input of no numbers."""

    program: Program
    outputs: Nest
    inputs: Nest = 0
    like: Tensor | None = None

    @property
    def taken(self) -> Taken:
        """What it was laid out for."""
        return self.inputs, tuple(inlet.frame for inlet in self.program.graph.inputs), self.like


def as_clips(frame: Any) -> Any:
    """Frames as clips of one."""
    if isinstance(frame, Tensor):
        return frame.unsqueeze(2) if frame.dim() > 1 else frame
    numbers = [
        x.unsqueeze(2) if isinstance(x, Tensor) and x.dim() > 1 else x for x in leaves(frame)
    ]
    return rebuild(number(frame), numbers)
