"""How a source cuts the tensors of a layer: gates apart, or in another order, heads in axes of
their own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from codsl.weights.entry import Array

Shape = tuple[int, ...]
Index = tuple[int | slice, ...]


@dataclass(frozen=True)
class Piece:
    """`rows` of a tensor of the network, and the part of a source's tensor that has them.

    The part is `leaf[index]`, `turned` where it has its inputs first; these are a frame `(*S, C)`
    where the network's are `order`, `(C, *S)`. Where a source has one bias of two, the network's
    `besides` is added to the rows when they are written back.
    """

    target: str
    rows: slice
    leaf: str
    index: Index = ()
    turned: bool = False
    besides: str | None = None
    order: Shape = ()


@dataclass(frozen=True)
class Cut:
    """The tensors of a layer as a source has them.

    `sources` and `targets` are the shapes of both by key below the layer; `views` are those of
    sources whose axes are told apart before they are cut; `ones` are the rows of a target that are
    one where no source has them, all others are zero.
    """

    sources: Mapping[str, Shape]
    targets: Mapping[str, Shape]
    pieces: tuple[Piece, ...]
    views: Mapping[str, Shape] = field(default_factory=dict)
    ones: Mapping[str, slice] = field(default_factory=dict)

    def needs(self, target: str) -> tuple[str, ...]:
        """The source's tensors that a tensor of the network hangs on."""
        found = (each.leaf for each in self.pieces if target in (each.target, each.besides))
        return tuple(dict.fromkeys(found))

    def parts(self, target: str) -> tuple[str, ...]:
        """Those whose numbers are in it; none where it is the same whatever the source has."""
        return tuple(dict.fromkeys(each.leaf for each in self.pieces if each.target == target))

    def made(self, target: str, given: Mapping[str, Array]) -> Array:
        """A tensor of the network out of those of the source that it needs."""
        array = self._rest(target, np.result_type(*given.values()) if given else np.float32)
        for piece in self.pieces:
            if piece.target == target:
                part = self._seen(piece, given[piece.leaf])
                array[piece.rows] = part.reshape(array[piece.rows].shape)
        return array

    def undone(self, leaf: str, given: Mapping[str, Array]) -> Array:
        """A tensor of the source out of those of the network, by `made_of(leaf)`."""
        dtype = np.result_type(*given.values())
        array = np.zeros(self.sources[leaf], dtype)
        for piece in self.pieces:
            if piece.leaf == leaf:
                part = self._seen(piece, array)
                rows = given[piece.target][piece.rows]
                if piece.besides:
                    rest = self._rest(piece.besides, dtype)
                    rows = rows + (given[piece.besides] - rest)[piece.rows]
                part[...] = rows.reshape(part.shape)
        return array

    def made_of(self, leaf: str) -> tuple[str, ...]:
        """The network's tensors that are in one of the source."""
        own = (each for each in self.pieces if each.leaf == leaf)
        found = (name for each in own for name in (each.target, each.besides) if name)
        return tuple(dict.fromkeys(found))

    def lost(self, target: str, array: Array) -> bool:
        """Whether a tensor of the network has numbers that the source has no room for."""
        rest = self._rest(target, array.dtype)
        strange = np.asarray(array != rest)
        for piece in self.pieces:
            if target in (piece.target, piece.besides):
                strange[piece.rows] = False
        return bool(strange.any())

    def change(self, target: str) -> str:
        """What happens to the numbers, in words."""
        own = [each for each in self.pieces if each.target == target]
        if not own:
            return "left at what changes nothing"
        words = ["joined"] if len({each.leaf for each in own}) > 1 else ["cut anew"]
        words += ["transposed"] if any(each.turned for each in own) else []
        return " and ".join(words)

    def _rest(self, target: str, dtype: np.dtype[np.generic] | type[np.float32]) -> Array:
        rest = np.zeros(self.targets[target], dtype)
        if target in self.ones:
            rest[self.ones[target]] = 1
        return rest

    def _seen(self, piece: Piece, array: Array) -> Array:
        """The part of a source's array, as a view with the rows first."""
        part: Array = array.reshape(self.views.get(piece.leaf, array.shape))[piece.index]
        part = part.T if piece.turned else part
        if not piece.order:
            return part
        first, *space = piece.order
        return np.moveaxis(part.reshape(len(part), *space, first), -1, 1)


def blocks(order: Sequence[str], size: int) -> Iterator[tuple[str, slice]]:
    """Names of blocks of so many rows, and where they are."""
    for at, name in enumerate(order):
        yield name, slice(at * size, (at + 1) * size)
