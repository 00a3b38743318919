"""How much work a function of frames is, as torch counts it."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from codsl.algebra.shape import Frame

FRAMES = 5
"""Frames of the longer of the two clips of which the work is counted."""


class Counting(TorchDispatchMode):
    """Counts operations as `torch.utils.flop_counter` does, in this thread alone."""

    flops: int

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """The operation itself."""
        named = kwargs or {}
        count = flop_registry.get(func._overloadpacket)
        if count is None:
            with self:
                made = func.decompose(*args, **named)
            if made is not NotImplemented:
                return made
        made = func(*args, **named)
        self.flops += count(*args, **named, out_val=made) if count is not None else 0
        return made


def macs_of(
    how: Callable[[Sequence[Tensor]], Tensor], frames: Sequence[Frame], like: Tensor | None = None
) -> Fraction:
    """Multiply-accumulates of convolutions and matrix products of a function for one frame more.

    It is given clips of the dtype and on the device of `like`, where that is no id.
    """
    few, many = (_flops(how, frames, like, items) for items in (1, FRAMES))
    return Fraction(many - few, 2 * (FRAMES - 1))


def _flops(
    how: Callable[[Sequence[Tensor]], Tensor],
    frames: Sequence[Frame],
    like: Tensor | None,
    items: int,
) -> int:
    given = None if like is None or not like.is_floating_point() else like
    clips = [torch.zeros(1, frame.channels, items, *frame.space) for frame in frames]
    counting = Counting()
    with torch.no_grad(), counting:
        how(clips if given is None else [clip.to(given) for clip in clips])
    return counting.flops
