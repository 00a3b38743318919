"""Images in blocks of channels, in which ONNX Runtime computes convolutions."""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from codsl.engine.backends.form import Form
from codsl.engine.backends.marks import block_of

MULTIPLE = 4
"""What the channels of an image are a multiple of, for it to be kept in blocks."""

block = cache(partial(block_of, MULTIPLE))
"""The channels of a block on this machine; 0 where there are none."""


def form_of(shape: Sequence[int], dtype: torch.dtype) -> Form | None:
    """The form of what is kept of this shape, `(B, C, *S)`; None where that is not in blocks."""
    image = dtype == torch.float32 and len(shape) == 4 and shape[2] * shape[3] > 1
    if not image or shape[1] % MULTIPLE or not shape[1] >= block() > 0:
        return None
    return Form(partial(_blocks, block()), partial(_image, block(), shape[1]))


def _blocks(size: int, x: Tensor) -> Any:
    """An image `(B, C, H, W)` as `(B, C / size, H, W, size)`, zeros behind its channels, in an
    array of its own that says it is an image."""
    batch, channels, *space = x.shape
    wide = functional.pad(x, (0, 0, 0, 0, 0, -channels % size))
    blocks = wide.reshape(batch, -1, size, *space).permute(0, 1, 3, 4, 2)
    return blocks.clone(memory_format=torch.contiguous_format).view(wide.shape).numpy()


def _image(size: int, channels: int, array: Any) -> Tensor:
    """The image of so many channels that lies in blocks."""
    batch, wide, *space = array.shape
    blocks = torch.from_numpy(array).view(batch, wide // size, *space, size)
    return blocks.permute(0, 1, 4, 2, 3).reshape(array.shape)[:, :channels]
