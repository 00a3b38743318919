"""Normalisation of each frame of `(B, C, T, *S)` by its own statistics."""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from codsl.nn.functions.frames import each_frame


def _over(x: Tensor, over: str, function: Callable[[Tensor, tuple[int, ...]], Tensor]) -> Tensor:
    """A function of the last dimensions: those are made channels, or all of a frame."""
    if over == "channels":
        last = x.movedim(1, -1)
        return function(last, last.shape[-1:]).movedim(-1, 1)
    frames = x.movedim(2, 1)
    return function(frames, frames.shape[2:]).movedim(1, 2)


def layer_norm_frames(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, over: str, eps: float
) -> Tensor:
    """Layer normalisation over `channels` of each place, or over each `frame`."""
    return _over(x, over, lambda y, sizes: functional.layer_norm(y, sizes, weight, bias, eps))


def rms_norm_frames(x: Tensor, weight: Tensor | None, over: str, eps: float | None) -> Tensor:
    """Division by the root mean square over `channels` of each place, or over each `frame`."""
    return _over(x, over, lambda y, sizes: functional.rms_norm(y, sizes, weight, eps))


def group_norm_frames(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, num_groups: int, eps: float
) -> Tensor:
    """Group normalisation of each frame."""
    return each_frame(x, lambda y: functional.group_norm(y, num_groups, weight, bias, eps))


def instance_norm_frames(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tensor:
    """Instance normalisation of each frame: a group for each channel."""
    return group_norm_frames(x, weight, bias, x.shape[1], eps)


FUNCTIONS: tuple[Callable[..., Tensor], ...] = (
    layer_norm_frames,
    rms_norm_frames,
    group_norm_frames,
    instance_norm_frames,
)
"""What recipes call."""
