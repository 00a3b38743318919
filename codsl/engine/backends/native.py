"""C++ of codsl's own, written for the network and compiled by the machine's compiler."""

from collections.abc import Sequence

import torch
from torch import Tensor

from codsl.engine.backends.backend import Backend
from codsl.engine.backends.memory import Needs, Step
from codsl.engine.listing import Listing
from codsl.engine.pure import PureStep
from codsl.engine.style import Style
from codsl.native.block import Block
from codsl.native.compiling import no_compiler
from codsl.native.keeping import Kept
from codsl.native.native import native
from codsl.native.target import lanes
from codsl.native.values import Unsupported
from codsl.nn.running.program import Values


def _style(batch: int, device: torch.device) -> Style:
    return Style(batch=batch, channels=lanes(torch.float32), fresh=True)


class _Memory:
    """A block, in which carried tensors are items too: the last is read while the next comes."""

    def __init__(self, needs: Needs) -> None:
        feeds = [Kept(x.sizes, needs.dtype, x.depth) for x in needs.feeds]
        carried = [Kept(sizes, dtype, 2) for sizes, dtype in needs.carried]
        self._depths = [each.depth for each in needs.feeds]
        self._carried = range(len(feeds), len(feeds) + len(carried))
        self._block = Block([*feeds, *carried])

    def load(self, items: Sequence[Sequence[Tensor]], carried: Sequence[Tensor]) -> None:
        """Remember copies of these instead: the items of each feed, the oldest first."""
        for which, some in enumerate([*items, *([x] for x in carried)]):
            for x in some:
                self._block.put(which, x)

    def items(self) -> list[list[Tensor]]:
        """The items of each feed, the oldest first, until the next step."""
        return [
            [self._block.item(which, back) for back in range(depth, 0, -1)]
            for which, depth in enumerate(self._depths)
        ]

    def carried(self) -> list[Tensor]:
        """The carried tensors, until the next step."""
        return [self._block.item(which, 1) for which in self._carried]

    def step(self, listing: Listing, xs: list[Tensor]) -> Step:
        """What happens at a frame, compiled if anything is computed."""
        stores = [(feed, slot) for feed, slots in enumerate(listing.stores) for slot in slots]
        due = [bool(slots) for slots in listing.outputs]
        frames = all(slot < len(xs) for _, slot in stores)
        if frames and not listing.operations and not any(due):
            return self._keeping(stores, due)
        loads = [(load.feed, load.back) for load in listing.loads]
        reads = [*loads, *((which, 1) for which in self._carried)]
        writes = [*(feed for feed, _ in stores), *self._carried]
        given = [*xs, *(self._block.item(*each) for each in reads)]
        try:
            run = native(PureStep(listing), given, self._block, reads, writes)
        except Unsupported as error:
            raise Unsupported(
                f"the backend `native` has no kernel for {error}: take `eager` or another"
            ) from None
        if all(due):
            return lambda xs: tuple(run(*xs))
        return lambda xs: _spread(run(*xs), due)

    def _keeping(self, stores: Sequence[tuple[int, int]], due: Sequence[bool]) -> Step:
        """What happens at a frame that is only kept."""

        def step(xs: list[Tensor]) -> Values:
            for feed, slot in stores:
                self._block.put(feed, xs[slot])
            return (None,) * len(due)

        return step


def _spread(made: Sequence[Tensor], due: Sequence[bool]) -> Values:
    """Outputs where they are due."""
    comes = iter(made)
    return tuple(next(comes) if each else None for each in due)


NATIVE = Backend(
    "native",
    "C++ of its own, compiled here",
    _Memory,
    _style,
    lacks=no_compiler,
    light=1 << 20,
)
