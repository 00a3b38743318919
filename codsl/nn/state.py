"""The state of a stream, as a value."""

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class State:
    """What a stream remembers after `frame` frames: tensors with the batch first, under `names`.

    Past items of a value are `(batch_size, channels, items, *space)`. It is never written to.
    `others` are the states of modules with a step of their own, by their node.
    """

    frame: int
    batch_size: int
    dtype: torch.dtype
    device: torch.device
    tensors: tuple[Tensor, ...] = field(repr=False)
    names: tuple[str, ...] = ()
    others: tuple[tuple[int, object], ...] = field(default=(), repr=False)

    @property
    def layout(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each tensor without its batch."""
        return tuple(tuple(tensor.shape[1:]) for tensor in self.tensors)

    @property
    def bytes(self) -> int:
        """Bytes that the tensors take."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors)
