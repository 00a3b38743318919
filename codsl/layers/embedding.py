"""Vectors for ids: a table with one for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.arguments import LARGEST, Count, Integer, Optional
from codsl.layers.mistake import Mistake
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import ANY_RANK, InPlace, settings

MaybeId = Annotated[int | None, Optional(Integer(-LARGEST))]


@final
@dataclass(frozen=True)
class Embedding(InPlace):
    """The vector of each id: `(B, 1, T, *S)` to `(B, embedding_dim, T, *S)`; weight
    `(num_embeddings, embedding_dim)`.

    Ids come as numbers of the network's dtype and are rounded: 0 to `num_embeddings - 1`, others
    are an error; NaN gives NaN. Half precision counts exactly to 2048, bfloat16 to 256. The vector
    of `padding_idx` starts as zeros and is not learnt.
    """

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("embed",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"num_embeddings": 6, "embedding_dim": 3},
        {"num_embeddings": 6, "embedding_dim": 2, "padding_idx": -1},
    )
    num_embeddings: Count
    embedding_dim: Count
    padding_idx: MaybeId = None

    @final
    def shape(self, x: Frame) -> Frame:
        if x.channels != 1:
            raise Mistake(
                "E0402",
                f"`embedding` takes one channel of ids, not {x.channels}",
                layer=f"the input is {x}",
                help="`slice` takes one of several channels",
            )
        if self.padding_idx not in (None, *range(-self.num_embeddings, self.num_embeddings)):
            raise Mistake(
                "E0305",
                f"`padding_idx={self.padding_idx}` is none of {self.num_embeddings} ids",
                argument="padding_idx",
                help=f"ids are 0 to {self.num_embeddings - 1}; -1 is the last",
            )
        return Frame(self.embedding_dim, x.space)

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    @final
    def recipe(self, x: Frame) -> Pointwise:
        call = Call("embedding_frames", {"padding_idx": self.padding_idx})
        return Pointwise("Embedding", settings(self), ("weight",), call)
