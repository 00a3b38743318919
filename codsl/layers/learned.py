"""Factors and summands that are learnt, one for all of a frame or one for each of its parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.arguments import Real, Word
from codsl.layers.mistake import Give, Mistake
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import ANY_RANK, InPlace, type_name

Examples = tuple[Mapping[str, Any], ...]
Part = Annotated[str, Word(("frame", "channel", "place", "number"))]


class Learned(InPlace):
    """Numbers to learn, each of which meets some numbers of a frame."""

    each: Part
    init: Real

    @final
    def shape(self, x: Frame) -> Frame:
        if self.each == "place" and not x.space:
            raise Mistake(
                "E0401",
                f"`{type_name(type(self))}` of each place of space, but the input has no space",
                argument="each",
                layer=f"the input is {x}",
                help="take one for each channel",
                change=Give("channel"),
            )
        return x

    @final
    def _met(self, x: Frame) -> tuple[int, ...]:
        """The sizes of what is learnt beside those of a frame; 1 where it repeats."""
        channels = x.channels if self.each in ("channel", "number") else 1
        space = x.space if self.each in ("place", "number") else (1,) * len(x.space)
        return channels, *space

    @final
    def _sizes(self, x: Frame) -> tuple[int, ...]:
        """The shape of the parameter."""
        sizes = self._met(x)
        return {"frame": (1,), "channel": sizes[:1], "place": sizes[1:]}.get(self.each, sizes)

    @final
    def learn(self, name: str, function: str, x: Frame) -> Pointwise:
        """The recipe of a function of an item and the parameter `name`."""
        channels, *space = self._met(x)
        call = Call(function, {"sizes": (channels, 1, *space)})
        settings = {"shapes": {name: self._sizes(x)}, "init": self.init}
        return Pointwise("Learned", settings, (name,), call)


@final
@dataclass(frozen=True)
class Scale(Learned):
    """Times a learnt factor, `init` at first: ReZero (Bachlechner et al., 2020), layer scale
    (Touvron et al., 2021), importance of edges or joints (Yan et al., 2018).

    There is one for `each` `frame` (the same for all its numbers), weight `(1,)`; each `channel`,
    `(C,)`; each `place` of space, `(*S)`; or each `number`, `(C, *S)`. None differs over time.
    """

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = (
        {"init": 0.1},
        {"each": "channel"},
        {"each": "number", "init": -0.5},
    )
    each: Part = "frame"
    init: Real = 1.0

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {"weight": self._sizes(x)}

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return self.learn("weight", "scale_frames", x)


@final
@dataclass(frozen=True)
class Bias(Learned):
    """Plus a learnt summand, `init` at first; `each` is that of `scale`, the parameter `bias`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = (
        {},
        {"each": "frame", "init": 0.1},
        {"each": "number"},
    )
    each: Part = "channel"
    init: Real = 0.0

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {"bias": self._sizes(x)}

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return self.learn("bias", "shift_frames", x)
