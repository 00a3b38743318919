"""A user's own continual module in a graph: its time is what it declares, its step its own."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, length, steady
from codsl.layers.recipe import Foreign
from codsl.nn.module import CoModule, first


@dataclass(frozen=True)
class Declared:
    """A module as an operation, by the numbers that it states."""

    module: CoModule

    def time(self) -> Time:
        module = self.module
        stride, padding = first(module.stride), first(module.padding)
        reach = module.receptive_field - 1
        offset = 2 * padding - reach - 1 + stride
        return steady(stride, padding, int(reach - padding), int(module.delay), offset)

    def shape(self, x: Frame) -> Frame:
        """The frame that a clip of zeros gives, just long enough; raises `ValueError` where its
        length is not what the module declares."""
        like = next(iter(self.module.parameters()), torch.empty(0))
        time = self.time()
        clip = like.new_zeros((1, x.channels, time.shortest, *x.space))
        twin = deepcopy(self.module).eval()
        with torch.no_grad():
            y = twin.forward(clip)
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


def stepped(module: Any, items: Tensor | None, state: Any, ends: bool) -> tuple[Any, Any]:
    """What a module gives for items from a state on, and its state after them.

    Its own stream stays as it is.
    """
    own = module.get_state()
    try:
        _restore(module, deepcopy(state))
        if items is None:
            return None, state
        y = module.forward_steps(items, pad_end=ends)
        return y, deepcopy(module.get_state())
    finally:
        _restore(module, own)


def _restore(module: CoModule, state: Any) -> None:
    if state is None:
        module.clean_state()
    else:
        module.set_state(state)
