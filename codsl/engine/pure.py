"""A step as a pure module: frames and state go in, outputs and what is new of it come out."""

from collections.abc import Sequence

from torch import Tensor, nn

from codsl.engine.listing import Listing


class PureStep(nn.Module):
    """A listing as a module, of tensors alone.

    It takes what the listing is given, in that order, and gives the items of each output, which
    rows have them (where rows begin at any frame), the items that come to each feed, and the
    carried tensors: all in one tuple.
    """

    def __init__(self, listing: Listing) -> None:
        super().__init__()
        self.listing = listing
        self._straight = listing.straight()

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """All results, flat."""
        outputs, stores, carried, valid = self._straight(*given)
        return (*_flat(outputs), *_flat(valid), *_flat(stores), *carried)


def _flat(groups: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    return [each for group in groups for each in group]
