"""A module laid out for frames that are known, and frames as clips of one."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from codsl.nn.nest import Nest, leaves, number, rebuild
from codsl.nn.running.program import Program


@dataclass(frozen=True)
class Laid:
    """A module laid out for certain frames: its program, and the shape in which outputs go out."""

    program: Program
    outputs: Nest


def as_clips(frame: Any) -> Any:
    """Frames as clips of one."""
    if isinstance(frame, Tensor):
        return frame.unsqueeze(2) if frame.dim() > 1 else frame
    numbers = [
        x.unsqueeze(2) if isinstance(x, Tensor) and x.dim() > 1 else x for x in leaves(frame)
    ]
    return rebuild(number(frame), numbers)
