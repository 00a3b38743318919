"""A module laid out for frames that are known, and frames as clips of one."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from codsl.algebra.shape import Frame
from codsl.nn.nest import Nest, leaves, number, rebuild
from codsl.nn.running.program import Program


@dataclass(frozen=True)
class Laid:
    """A module laid out for certain frames: its program, and the shapes in which outputs go out and
    inputs come in."""

    program: Program
    outputs: Nest
    inputs: Nest = 0

    @property
    def taken(self) -> tuple[Nest, tuple[Frame, ...]]:
        """What it was laid out for."""
        return self.inputs, tuple(inlet.frame for inlet in self.program.graph.inputs)


def as_clips(frame: Any) -> Any:
    """Frames as clips of one."""
    if isinstance(frame, Tensor):
        return frame.unsqueeze(2) if frame.dim() > 1 else frame
    numbers = [
        x.unsqueeze(2) if isinstance(x, Tensor) and x.dim() > 1 else x for x in leaves(frame)
    ]
    return rebuild(number(frame), numbers)
