"""A block of frames as a module of tensors alone, for exporters."""

import torch
from torch import Tensor, nn

from codsl.engine.lister import Lister
from codsl.engine.listing import Listing
from codsl.engine.style import GRAPH
from codsl.export.layout import Layout, layout_of
from codsl.nn.running.program import Program


class BlockStep(nn.Module):
    """A step that is exact from the first frame of each row on; see `Layout` for its tensors."""

    def __init__(self, listing: Listing) -> None:
        super().__init__()
        self.listing = listing
        self._straight = listing.straight()

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """The outputs, their flags, the new items and the carried tensors.

        Whatever is kept is in memory of its own: else a caller who writes into a frame that was
        given would write into the past.
        """
        clips, rest = given[: self.listing.inputs], given[self.listing.inputs :]
        frames = zip(*(clip.unbind(2) for clip in clips), strict=True)
        outputs, stores, carried, valid = self._straight(
            *(x for each in frames for x in each), *rest
        )
        kept = [item for items in stores for item in items] + list(carried)
        return (
            *(torch.stack(items, 2) for items in outputs),
            *(torch.stack(flags, 1) for flags in valid),
            *(each.clone(memory_format=torch.contiguous_format) for each in kept),
        )


def block_of(program: Program, dtype: torch.dtype) -> tuple[BlockStep, Layout]:
    """The step of one turn of a program: `graph.cycle.turn` frames, one where nothing is strided.

    Raises `ValueError` for modules with a step of their own.
    """
    cycle = program.graph.cycle
    first = -(-cycle.start // cycle.turn) * cycle.turn
    lister = Lister(program, torch.empty(0, dtype=dtype), GRAPH)
    listing = lister.listing(first, cycle.turn, begins=True)
    return BlockStep(listing), layout_of(program, listing, dtype)
