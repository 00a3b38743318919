"""How much work a function of frames is, as torch counts it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn
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

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False: nothing here is compiled, and all of torch's compiler would be loaded for that."""
        return False

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
    given = None if like is None or not like.is_floating_point() else like
    few, many = (_clips(frames, given, items) for items in (1, FRAMES))
    return (macs_in(lambda: how(many)) - macs_in(lambda: how(few))) / (FRAMES - 1)


def macs_in(call: Callable[[], Any]) -> Fraction:
    """Multiply-accumulates of convolutions and matrix products of a call."""
    counting = Counting()
    with torch.no_grad(), counting:
        call()
    return Fraction(counting.flops, 2)


def _clips(frames: Sequence[Frame], like: Tensor | None, items: int) -> list[Tensor]:
    clips = [torch.zeros(1, frame.channels, items, *frame.space) for frame in frames]
    return clips if like is None else [clip.to(like) for clip in clips]


@contextmanager
def evaluated(owner: nn.Module) -> Iterator[None]:
    """In `eval()`, part by part as it was after that."""
    training = [(part, part.training) for part in owner.modules()]
    owner.eval()
    try:
        yield
    finally:
        for part, before in training:
            part.training = before
