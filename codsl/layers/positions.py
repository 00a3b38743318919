"""Encodings of the position of each item, added to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.arguments import Count, Flag, MaybeCount, Number
from codsl.layers.fit import inferred
from codsl.layers.mistake import Give, Mistake
from codsl.layers.recipe import Call, Carried, Memory
from codsl.layers.row import ANY_RANK, InPlace

Examples = tuple[Mapping[str, Any], ...]

POSITION = Memory("position", (), "int64")
"""The number of the next item."""


@final
@dataclass(frozen=True)
class PositionalEncoding(InPlace):
    """Adds sines and cosines of the item's number, counted from 0 (Vaswani et al., 2017).

    Channel `2i` of item `t` gets `sin(t / base ** (2i / C))`, channel `2i + 1` the cosine, at every
    place of space. They are worked out for each item in float64, so that an item of an endless
    stream gets what it would in a clip.
    """

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({}, {"base": 50})
    base: Annotated[float, Number(1)] = 10000.0

    def shape(self, x: Frame) -> Frame:
        return x

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {}

    def recipe(self, x: Frame) -> Carried:
        call = Call("add_sinusoids", {"base": self.base})
        return Carried("Identity", {}, call, (POSITION,))


@final
@dataclass(frozen=True)
class RecyclingPositionalEncoding(InPlace):
    """Adds one of `num_embeddings` vectors in turn, from the first again after the last.

    Recycling positional encoding (Hedegaard et al., 2022). The vectors are learned, with torch's
    embedding as their weight `(num_embeddings, C)`, or without `learned` the cyclic pattern of Ma
    et al. (2021), which is no weight. Items that a window of attention of at most `num_embeddings`
    holds have different ones.
    """

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = (
        {"num_embeddings": 5},
        {"num_embeddings": 7, "learned": False},
    )
    num_embeddings: Count
    learned: Flag = True
    num_features: MaybeCount = field(default=None, kw_only=True)

    def shape(self, x: Frame) -> Frame:
        inferred("num_features", self.num_features, x)
        if not self.learned and x.channels < 2:
            raise _cyclic("takes two channels or more", f"the input is {x}")
        if not self.learned and self.num_embeddings in (1, 5):
            raise _cyclic(
                f"of {self.num_embeddings} is zero everywhere",
                "a mean of five neighbours, less the mean of all",
            )
        return x

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {"weight": (self.num_embeddings, x.channels)} if self.learned else {}

    def recipe(self, x: Frame) -> Carried:
        size = {"num_embeddings": self.num_embeddings, "embedding_dim": x.channels}
        holder = "Embedding" if self.learned else "CyclicPattern"
        return Carried(holder, size, Call("add_in_turn"), (POSITION,))


def _cyclic(trouble: str, why: str) -> Mistake:
    return Mistake(
        "E0402",
        f"the cyclic pattern {trouble}",
        argument="learned",
        layer=why,
        help="let the vectors be learned",
        change=Give(True),
    )
