"""Leaving out items at the ends of a sequence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, crops
from codsl.layers.arguments import Natural
from codsl.layers.recipe import Call, Windowed
from codsl.layers.row import ANY_RANK, Unlearned


@final
@dataclass(frozen=True)
class Crop(Unlearned):
    """A clip without its first `front` and its last `back` items: `(B, C, T, *S)` to
    `(B, C, T - front - back, *S)`.

    That an item is not among the last `back` is known only `back` items later, so a stream gives
    it `back` items late. The items left out at the front are never waited for.
    """

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("chomp", "trim")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"front": 2, "back": 1},
        {"front": 3},
        {"back": 2},
    )
    front: Natural = 0
    back: Natural = 0

    def shape(self, x: Frame) -> Frame:
        return x

    def time(self) -> Time:
        return crops(self.front, self.back)

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)

    def recipe(self, x: Frame) -> Windowed:
        return Windowed("Identity", {}, Window(), Call("as_is"), sight=self.time())
