"""How several values become one: the aggregations of joins."""

from dataclasses import dataclass

from codsl.algebra.shape import Frame, broadcast, concatenate
from codsl.layers.recipe import Call, Pointwise

AGGREGATIONS = ("sum", "concat", "mul", "max", "mean")


@dataclass(frozen=True)
class Aggregation:
    """A join of item `j` of every input: `concat` along channels, the others elementwise."""

    word: str

    def shape(self, frames: tuple[Frame, ...]) -> Frame:
        """The frame of the join; raises `ValueError` where the inputs' do not fit."""
        return concatenate(frames) if self.word == "concat" else broadcast(frames)

    def recipe(self) -> Pointwise:
        """How torch computes it."""
        return Pointwise(call=Call(f"join_{self.word}"))
