"""How frameworks have the projections of attention, which torch stacks: query, key, value."""

from collections.abc import Iterator
from dataclasses import dataclass

from codsl.weights.cuts import Cut, Piece, Shape, blocks

STACKED = ("query", "key", "value")


@dataclass(frozen=True)
class Attention:
    """An attention of so many heads over vectors of `width` numbers."""

    width: int
    heads: int
    biased: bool

    @property
    def targets(self) -> dict[str, Shape]:
        """Its tensors as torch has them."""
        weights: dict[str, Shape] = {
            "in_proj_weight": (3 * self.width, self.width),
            "out_proj.weight": (self.width, self.width),
        }
        biases: dict[str, Shape] = {
            "in_proj_bias": (3 * self.width,),
            "out_proj.bias": (self.width,),
        }
        return weights | biases if self.biased else weights

    @property
    def per_head(self) -> Shape:
        """The numbers of a vector, by head."""
        return (self.heads, self.width // self.heads)

    def cut(self, words: "Words") -> Cut:
        """The cut into one linear layer for each projection."""
        weight, bias = words.leaves
        flat: Shape = (self.width,)
        apart = self.per_head if words.by_head else flat
        sources: dict[str, Shape] = {}
        pieces = []
        for word, rows in blocks(STACKED, self.width):
            name = words.names[word]
            sources |= {f"{name}.{weight}": (*flat, *apart), f"{name}.{bias}": apart}
            pieces += [
                Piece("in_proj_weight", rows, f"{name}.{weight}", (), words.turned),
                Piece("in_proj_bias", rows, f"{name}.{bias}"),
            ]
        name = words.names["out"]
        sources |= {f"{name}.{weight}": (*apart, *flat), f"{name}.{bias}": flat}
        every = slice(None)
        pieces += [
            Piece("out_proj.weight", every, f"{name}.{weight}", (), words.turned),
            Piece("out_proj.bias", every, f"{name}.{bias}"),
        ]
        kept = tuple(each for each in pieces if each.target in self.targets)
        held = {leaf: sources[leaf] for leaf in sources if leaf in {each.leaf for each in kept}}
        square = (self.width, self.width)
        views: dict[str, Shape] = {
            each.leaf: square for each in kept if each.target.endswith("weight")
        }
        views |= {each.leaf: flat for each in kept if each.target.endswith("bias")}
        return Cut(held, self.targets, kept, views)


@dataclass(frozen=True)
class Words:
    """What a framework calls the projections and their tensors, whether its weights have inputs
    first, and whether heads have an axis of their own."""

    names: dict[str, str]
    leaves: tuple[str, str]
    turned: bool
    by_head: bool = False


PROJECTED = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "out_proj"}
PLAIN = {"query": "query", "key": "key", "value": "value"}
FLAX = Words({**PLAIN, "out": "out"}, ("kernel", "bias"), True, True)
KERAS = Words({**PLAIN, "out": "attention_output"}, ("kernel", "bias"), True, True)
WORDS = {
    "torch": Words(PROJECTED, ("weight", "bias"), False),
    "keras": KERAS,
    "tensorflow": KERAS,
    "flax": FLAX,
    "flax_transpose_kernel": FLAX,
    "haiku": Words({**PLAIN, "out": "linear"}, ("w", "b"), True),
    "paddle": Words(PROJECTED, ("weight", "bias"), True),
}
"""The words by layout."""


def cuts(attention: Attention, layout: str) -> Iterator[Cut]:
    """The cut of an attention, where the layout has one."""
    if layout in WORDS:
        yield attention.cut(WORDS[layout])
