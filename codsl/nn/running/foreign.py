"""A user's own continual module in a graph: its time is what it declares, its step its own."""

from copy import deepcopy
from dataclasses import dataclass
from math import inf, isinf
from typing import Any

import torch
from torch import Tensor

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, length, steady
from codsl.layers.recipe import Foreign
from codsl.nn.module import CoModule, first
from codsl.nn.running.tree import copied


@dataclass(frozen=True)
class Declared:
    """A module as an operation, by the numbers that it states."""

    module: CoModule

    def time(self) -> Time:
        module = self.module
        stride, padding = first(module.stride), first(module.padding)
        if isinf(module.receptive_field):
            delay = self._delay()
            return steady(stride, inf, delay, delay, padding - delay - 1 + stride)
        reach = module.receptive_field - 1
        offset = 2 * padding - reach - 1 + stride
        return steady(stride, padding, int(reach - padding), int(module.delay), offset)

    def _delay(self) -> int:
        """The delay where it does not follow from the receptive field; `ValueError` if not said."""
        if isinf(self.module.delay):
            raise ValueError(
                f"`{type(self.module).__name__}` has an endless receptive field, and has to say "
                "what its `delay` is"
            )
        return int(self.module.delay)

    def shape(self, x: Frame) -> Frame:
        """The frame that a clip of zeros gives, just long enough; raises `ValueError` where its
        length is not what the module declares."""
        like = next(iter(self.module.parameters()), torch.empty(0))
        time = self.time()
        clip = like.new_zeros((1, x.channels, time.shortest, *x.space))
        with torch.no_grad():
            y = twin(self.module).forward(clip)
        if y.shape[2] != length(time, time.shortest):
            raise ValueError(
                f"a clip of {time.shortest} frames has {length(time, time.shortest)} outputs by "
                f"what the module declares, but its forward gave {y.shape[2]}"
            )
        return Frame(y.shape[1], tuple(y.shape[3:]))

    def weights(self, x: Frame) -> dict[str, tuple[int, ...]]:
        return {name: tuple(each.shape) for name, each in self.module.named_parameters()}

    def macs(self, x: Frame, y: Frame) -> int:
        return 0

    def recipe(self, x: Frame) -> Foreign:
        return Foreign()

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)


def twin(module: CoModule) -> CoModule:
    """A copy of a module, in `eval()` and without a stream."""
    own = module.get_state()
    try:
        module.clean_state()
        return deepcopy(module).eval()
    finally:
        restore(module, own)


def stepped(
    path: str, module: Any, items: Tensor, state: Any, ends: bool, due: int
) -> tuple[Tensor | None, Any]:
    """What a module gives for items from a state on, and its state after them; its own stream
    stays as it is.

    Raises `ValueError` where these are not as many outputs as it declares to be `due`.
    """
    own = module.get_state()
    try:
        restore(module, copied(state))
        y = module.forward_steps(items, pad_end=ends)
        after = copied(module.get_state())
    finally:
        restore(module, own)
    given = 0 if y is None else y.shape[2]
    if given != due:
        raise ValueError(
            f"`{path}` declares that {due} outputs are due, but its step gave {given}: "
            "`delay`, `stride`, `padding` or `receptive_field` is not what it does"
        )
    return y, after


def restore(module: CoModule, state: Any) -> None:
    """Let a module go on from a state, or from the beginning."""
    if state is None:
        module.clean_state()
    else:
        module.set_state(state)
