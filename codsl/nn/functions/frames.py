"""Where the numbers of each frame of `(B, C, T, *S)` go when a frame takes another shape."""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional


def each_frame(x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """What a function makes of frames `(N, C, *S)`, for all frames of clips `(B, C, T, *S)`.

    One frame is never moved in memory: of a view of one frame whose strides are neither those of
    contiguous nor of channels-last memory, torch's batch norm (2.13, CPU) gives wrong gradients in
    `eval()`.
    """
    batch, time = x.shape[0], x.shape[2]
    if time == 1:
        return function(x.squeeze(2)).unsqueeze(2)
    made = function(x.movedim(2, 1).flatten(0, 1))
    return made.view(batch, time, *made.shape[1:]).movedim(1, 2)


def flatten_frames(x: Tensor) -> Tensor:
    """`(B, C, T, *S)` to `(B, C * prod(S), T)`."""
    return x.movedim(2, -1).flatten(1, -2) if x.dim() > 3 else x


def reshape_frames(x: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Each frame `(C, *S)` as one of other sizes, its numbers in their order."""
    return x.movedim(2, 1).reshape(x.shape[0], x.shape[2], *sizes).movedim(1, 2)


def permute_frames(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """The dimensions of each frame `(C, *S)` in another order.

    In memory of its own, for the reason that `each_frame` gives.
    """
    channels, *space = (dim + 1 + (dim > 0) for dim in dims)
    return x.permute(0, channels, 2, *space).contiguous()


def slice_channels(x: Tensor, start: int, stop: int, step: int) -> Tensor:
    """The channels from `start` to before `stop`."""
    return x[:, start:stop:step]


def pixel_shuffle_frames(x: Tensor, upscale_factor: int) -> Tensor:
    """`(B, C * r * r, T, H, W)` to `(B, C, T, H * r, W * r)`."""
    return each_frame(x, lambda frames: functional.pixel_shuffle(frames, upscale_factor))


def pixel_unshuffle_frames(x: Tensor, downscale_factor: int) -> Tensor:
    """`(B, C, T, H * r, W * r)` to `(B, C * r * r, T, H, W)`."""
    return each_frame(x, lambda frames: functional.pixel_unshuffle(frames, downscale_factor))


FUNCTIONS: tuple[Callable[..., Tensor], ...] = (
    flatten_frames,
    reshape_frames,
    permute_frames,
    slice_channels,
    pixel_shuffle_frames,
    pixel_unshuffle_frames,
)
"""What recipes call."""
