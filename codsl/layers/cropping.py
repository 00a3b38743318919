"""Leaving out frames at the ends of a clip."""

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
    """All frames but the first `front` and the last `back`.

    That a frame is not among the last ones is known only `back` frames later: a stream waits.
    """

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"front": 2, "back": 1}, {"front": 1})
    front: Natural
    back: Natural = 0

    @final
    def shape(self, x: Frame) -> Frame:
        return x

    @final
    def time(self) -> Time:
        return crops(self.front, self.back)

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)

    @final
    def recipe(self, x: Frame) -> Windowed:
        return Windowed(
            "Identity", {}, over=Window(), window=Call("same_frames"), sight=self.time()
        )
