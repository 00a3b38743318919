"""Layers whose signature by hand is not that of their row: tripy's convolution, torch's linear."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.layers.table import table
from codsl.nn.classes import hand_class
from codsl.nn.counting import count_as
from codsl.nn.functions.operation import FrameByFrame
from codsl.nn.layer import Layer

TIME = 2
"""The dimension of time in a clip `(B, C, T, *S)`."""


def Conv(  # noqa: N802
    in_channels: int,
    out_channels: int,
    kernel_dims: Sequence[int],
    *,
    padding: Sequence[Sequence[int]] | None = None,
    stride: Sequence[int] | None = None,
    groups: int | None = None,
    dilation: Sequence[int] | None = None,
    bias: bool = True,
    dtype: torch.dtype | None = None,
) -> Layer:
    """A convolution in tripy's terms: one entry for each dimension, the first of which is time.

    Args:
        in_channels: channels that come in.
        out_channels: channels that go out.
        bias: whether a bias is added.
        kernel_dims: the kernel, one size for each of up to three dimensions.
        padding: zeros before and after each dimension, in pairs; none if not said.
        stride: one for each dimension; 1 if not said.
        groups: 1 if not said.
        dilation: one for each dimension; 1 if not said.
        dtype: that of the weights; torch's default if not said.

    Raises `ValueError` where an entry is missing or does not fit.
    """
    rank = len(kernel_dims)
    if not 1 <= rank <= 3:
        raise ValueError(f"a convolution has one to three dimensions, got {rank}")
    padding = padding or ((0, 0),) * rank
    stride, dilation = stride or (1,) * rank, dilation or (1,) * rank
    _check_entries(rank, padding=padding, stride=stride, dilation=dilation)
    made = hand_class(table()[f"conv{rank}d"])
    sizes = (tuple(kernel_dims), stride, padding, dilation)
    return made(in_channels, out_channels, *sizes, groups or 1, bias, dtype=dtype)


def _check_entries(rank: int, padding: Sequence[Any], **others: Sequence[int]) -> None:
    """Raise `ValueError` where an entry for a dimension is missing, or is no pair of `padding`."""
    for name, entries in {"padding": padding, **others}.items():
        if len(entries) != rank:
            raise ValueError(f"`{name}` has an entry for each of {rank} dimensions, got {entries}")
    for pair in padding:
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise ValueError(f"`padding` is made of pairs, before and after, got {pair}")


class Linear(Layer, nn.Linear):
    """`torch.nn.Linear` over one dimension of a frame: `channel_dim=1` for `(B, C, T, *S)`.

    By itself, with `channel_dim=-1`, it is torch's in all modes: the last dimension, whatever it
    is. In a stream of `(B, C, T)` that one is time, and only `channel_dim=1` makes sense.
    """

    holder = nn.Linear

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
        channel_dim: int = -1,
    ) -> None:
        nn.Linear.__init__(self, in_features, out_features, bias, device, dtype)
        self._over(channel_dim)

    def _over(self, channel_dim: int) -> None:
        self.channel_dim = channel_dim
        sizes = {name: tuple(each.shape) for name, each in self.named_parameters()}
        self.operation = FrameByFrame(self._made, sizes, self._work)
        self.path = ""
        self.__dict__.update(stride=(1,), padding=(0,))

    def _made(self, x: Frame) -> Frame:
        sizes = [1, x.channels, 1, *x.space]
        place = self.channel_dim % len(sizes)
        if place in (0, 2):
            raise ValueError(
                f"`Linear` over dimension {self.channel_dim} of (B, C, T, *S) is over "
                f"{'time' if place else 'the batch'}: give `channel_dim=1`"
            )
        if sizes[place] != self.in_features:
            raise ValueError(f"`Linear` takes {self.in_features} features, got {sizes[place]}")
        sizes[place] = self.out_features
        return Frame(sizes[1], tuple(sizes[3:]))

    def _work(self, x: Frame, y: Frame) -> int:
        return y.size * self.in_features

    @staticmethod
    def build_from(module: nn.Module, channel_dim: int = -1, **kwargs: Any) -> "Linear":
        """A copy of a `torch.nn.Linear`."""
        made = copy.deepcopy(module)
        made.__class__ = Linear
        made._over(channel_dim)  # type: ignore[operator]
        return made  # type: ignore[return-value]

    def forward(self, x: Tensor, run: Any = None) -> Any:
        """The linear map of a clip."""
        if run is not None:
            return run(self, x)
        return self._mapped(x, self.channel_dim)

    def _mapped(self, x: Tensor, dim: int) -> Tensor:
        return self.own_forward(x.movedim(dim, -1)).movedim(-1, dim)  # type: ignore[no-any-return]

    def forward_step(self, frame: Tensor, update_state: bool = True) -> Any:
        """The linear map of a frame, which lacks time: what stands behind it in a clip is one
        dimension nearer to the first."""
        dim = self.channel_dim
        rank = frame.dim() + 1
        if dim < 0:
            return self._mapped(frame, dim + (0 <= dim + rank < TIME))
        return self._mapped(frame, dim - (dim > TIME))

    def forward_steps(self, chunk: Tensor, pad_end: bool = False, update_state: bool = True) -> Any:
        """The linear map of a chunk; None where it is empty."""
        if chunk.dim() > TIME and not chunk.shape[TIME]:
            return None
        return self.forward(chunk)

    def extra_repr(self) -> str:
        """Torch's, and the dimension."""
        return f"{nn.Linear.extra_repr(self)}, channel_dim={self.channel_dim}"


count_as(Linear, nn.Linear)
