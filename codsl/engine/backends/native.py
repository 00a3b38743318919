"""C++ of codsl's own, written for the network and compiled by the machine's compiler."""

from collections.abc import Sequence
from operator import attrgetter

import torch
from torch import Tensor

from codsl.engine.backends.backend import Backend, Forms
from codsl.engine.backends.form import Form
from codsl.engine.listing import Listing, Straight
from codsl.engine.pure import PureStep
from codsl.engine.style import Style
from codsl.native.compiling import no_compiler
from codsl.native.native import native
from codsl.native.rooms import as_it_comes, copied
from codsl.native.target import lanes
from codsl.native.values import Unsupported


def _style(batch: int, device: torch.device) -> Style:
    if device.type != "cpu":
        raise ValueError(f"the backend `native` computes on the CPU, and the stream is on {device}")
    return Style(batch=batch, channels=lanes(torch.float32))


def _prepare(
    listing: Listing, given: Sequence[Tensor], precision: torch.dtype | None, forms: Forms
) -> Straight:
    group = listing.grouping()
    kept = range(listing.stored.start, listing.stored.stop + len(listing.carried))
    try:
        run = native(PureStep(listing), given, kept, plain=listing.frames * listing.inputs)
    except Unsupported as error:
        raise Unsupported(
            f"the backend `native` has no kernel for {error}: take `eager` or another"
        ) from None
    return lambda *rooms: group(*run(*rooms))


NATIVE = Backend(
    "native",
    "C++ of its own, compiled here",
    _prepare,
    _style,
    form=Form(copied, attrgetter("tensor"), as_it_comes),
    lacks=no_compiler,
)
