"""A step as a pure module: frames and state go in, outputs and what is new of it come out."""

from collections.abc import Sequence

from torch import Tensor, nn

from codsl.engine.listing import Listing


class PureStep(nn.Module):
    """A listing as a module, of tensors alone.

    It takes what the listing is given, in that order, and gives, all in one tuple: the items of
    each output, those that come to each feed, the carried tensors, and, where rows begin at any
    frame, which of them have each item of each output.
    """

    def __init__(self, listing: Listing) -> None:
        super().__init__()
        self.listing = listing
        self._straight = listing.straight()

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """All results, flat."""
        outputs, stores, carried, valid = self._straight(*given)
        return (*_flat(outputs), *_flat(stores), *carried, *_flat(valid))


def _flat(groups: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    return [each for group in groups for each in group]
