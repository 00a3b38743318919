"""Torch itself, operation by operation, with oneDNN's convolutions where they are."""

from collections.abc import Sequence

import torch
from torch import Tensor

from codsl.engine.backends.backend import Backend
from codsl.engine.backends.shelves import Forms, Shelving
from codsl.engine.listing import Listing, Straight
from codsl.engine.style import Style


def _style(batch: int, device: torch.device) -> Style:
    packed = device.type == "cpu" and torch._C._has_mkldnn
    return Style(last=True, packed=packed, batch=batch if packed else None, rings=True)


def _prepare(
    listing: Listing, given: Sequence[Tensor], precision: torch.dtype | None, forms: Forms
) -> Straight:
    return listing.straight()


EAGER = Backend(
    "eager",
    "torch, operation by operation",
    Shelving(_prepare),
    _style,
    precisions=(torch.bfloat16,),
    anywhere=True,
)
