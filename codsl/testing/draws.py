"""What a network is tried on: random clips, and values of its own where fresh ones hide faults."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from codsl.nn.nest import leaves, number, rebuild
from codsl.nn.running.drawn import drawn

BATCH = 2
"""Rows of a clip."""


def over(x: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A nest of tensors, each of them changed."""
    return rebuild(number(x), [change(each) for each in leaves(x)])


def part(x: Any, start: int, stop: int) -> Any:
    """Some frames of a nest of clips, in the same memory."""
    return over(x, lambda each: each[:, :, start:stop])


@dataclass(frozen=True)
class Source:
    """Where clips come from. `like` is a nest of examples `(B, C, T, *S)`: of their frames, where
    `drawn` says so, otherwise only of their shape; of some each number is one of so many `ids`."""

    like: Any
    drawn: bool
    seed: int
    dtype: torch.dtype
    device: torch.device
    ids: tuple[int | None, ...] = ()

    def clip(self, frames: int) -> Any:
        """A random clip, the same for the same number of frames."""
        generator = torch.Generator().manual_seed(self.seed)

        def draw(like: Tensor, most: int | None) -> Tensor:
            batch, channels, length, *space = like.shape
            shape = (BATCH, channels, frames, *space)
            if self.drawn:
                pool = like.detach().movedim(2, 1).flatten(0, 1).cpu()
                picked = torch.randint(batch * length, (BATCH, frames), generator=generator)
                clip = pool[picked].movedim(1, 2)
            else:
                clip = drawn(shape, most, generator)
            return clip.to(self.device, self.dtype)

        examples = list(leaves(self.like))
        most = self.ids or (None,) * len(examples)
        return rebuild(number(self.like), list(map(draw, examples, most)))


def randomise(net: nn.Module, seed: int) -> None:
    """Give biases, gains and statistics values of their own; a fresh norm of a running mean is the
    identity."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(tensor: Tensor | None, low: float, high: float) -> None:
        if isinstance(tensor, Tensor):
            drawn = torch.rand(tensor.shape, generator=generator, dtype=torch.float64)
            tensor.copy_((low + (high - low) * drawn).to(tensor.dtype))

    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, _NormBase):
                uniform(module.running_mean, -1, 1)
                uniform(module.running_var, 0.5, 2)
            if isinstance(module, nn.LayerNorm | nn.GroupNorm | nn.RMSNorm | _NormBase):
                uniform(module.weight, 0.5, 1.5)
            for name in ("bias", "beta", "in_proj_bias"):
                uniform(getattr(module, name, None), -1, 1)
            uniform(getattr(module, "gamma", None), 0.5, 1.5)
