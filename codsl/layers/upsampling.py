"""Upsampling: more items over time and more places in space, repeated or between two others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.algebra.time import Time, stretches
from codsl.layers.arguments import EXPRESSION, LARGEST, Flag, Integer, Kind, Optional, Value, Word
from codsl.layers.fit import few
from codsl.layers.mistake import Give, Mistake
from codsl.layers.recipe import Call, Spread
from codsl.layers.row import ANY_RANK, Unlearned

Examples = tuple[Mapping[str, Any], ...]
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


@final
@dataclass(frozen=True)
class Factors(Kind):
    """An integer for all dimensions, or one for each of as many as there are, time first."""

    def read(self, value: Value, rank: int) -> int | tuple[int, ...]:
        if isinstance(value, tuple):
            if not 1 <= len(value) <= 3:
                raise ValueError("expected an integer, or one for each dimension, time first")
            return tuple(Integer(1).read(each, rank) for each in value)
        return Integer(1).read(value, rank)

    def schema(self, rank: int) -> dict[str, Any]:
        bounds = {"minimum": 1, "maximum": LARGEST, "pattern": EXPRESSION}
        entry = {"type": ["integer", "string"], **bounds}
        kinds = ["integer", "array", "string"]
        return {**entry, "type": kinds, "minItems": 1, "maxItems": 3, "items": entry}


@final
@dataclass(frozen=True)
class Upsample(Unlearned):
    """More items over time and more places in space, as torch.nn.Upsample makes them.

    `scale_factor` is an integer for all dimensions, or one for each, time first: `(B, C, T, *S)` to
    `(B, C, T * f, ...)`. `nearest` repeats every item; `linear` (`bilinear` with one dimension of
    space, `trilinear` with two) weighs the two next to each output, and repeats the first and the
    last item at the ends, as torch does with `align_corners=false`. So a clip of `T` frames gives
    `T * f` outputs; those of an item that need the one after it come with that one. Several outputs
    come with one frame where the factor over time is more than 1: a stream is then fed with
    `forward_steps`. `align_corners` is for space alone.
    """

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("interpolate", "resize", "upsampling", "nearest", "bilinear")
    examples: ClassVar[Examples] = ({"scale_factor": 2}, {"scale_factor": 3, "mode": "nearest"})
    scale_factor: Annotated[int | tuple[int, ...], Factors()]
    mode: Annotated[str, Word(("nearest", *LINEAR.values()))] = "nearest"
    align_corners: Flag = False
    size: Annotated[int | tuple[int, ...] | None, Optional(Factors())] = field(
        default=None, kw_only=True
    )

    def _factors(self, rank: int) -> tuple[int, ...]:
        given = self.scale_factor
        return given if isinstance(given, tuple) else (given,) * rank

    def shape(self, x: Frame) -> Frame:
        self._check_size()
        factors = self._factors(x.rank)
        if len(factors) != x.rank:
            raise Mistake(
                "E0401",
                f"`scale_factor` has {len(factors)} entries, the input has {x.rank} dimensions "
                "with time",
                argument="scale_factor",
                layer=f"the input is {x}",
                help="an integer is for all of them",
            )
        if self.mode != "nearest" and self.mode != LINEAR.get(x.rank):
            raise Mistake(
                "E0401",
                f"`{self.mode}` is for another number of dimensions",
                argument="mode",
                layer=f"the input is {x}",
                help=f"use `{LINEAR.get(x.rank, 'nearest')}`: time counts",
                change=Give(LINEAR.get(x.rank, "nearest")),
            )
        for factor in factors:
            few("scale_factor", factor)
        space = zip(factors[1:], x.space, strict=True)
        return Frame(x.channels, tuple(factor * size for factor, size in space))

    def _check_size(self) -> None:
        if self.size is not None:
            raise Mistake(
                "E0409",
                "a size over time would be that of the whole clip",
                argument="size",
                note="a stream does not know how long it will be",
                help="say by which factor: `scale_factor`",
            )

    def time(self) -> Time:
        (factor, *_) = self._factors(1)
        if self.align_corners and (factor > 1 or self.mode == "nearest"):
            raise Mistake(
                "E0409",
                "`align_corners` spreads the outputs between the first and the last frame"
                if factor > 1
                else "`align_corners` says nothing where items are repeated",
                argument="align_corners",
                note="a stream does not know its last frame",
                help="leave `align_corners` at false",
                change=Give(False),
            )
        return self._stretched(factor)

    def _stretched(self, factor: int) -> Time:
        return stretches(factor, [self._reach(output, factor) for output in range(factor)])

    def _reach(self, output: int, factor: int) -> tuple[int, int]:
        """The oldest and the newest item of an output of item 0."""
        if self.mode == "nearest":
            return 0, 0
        oldest, between = divmod(2 * output + 1 - factor, 2 * factor)
        return oldest, oldest + (between > 0)

    def space(self, x: Frame) -> tuple[Time, ...]:
        return tuple(map(self._stretched, self._factors(x.rank)[1:]))

    def recipe(self, x: Frame) -> Spread:
        factors = self._factors(x.rank)
        given: dict[str, Any] = {"scale_factor": factors, "mode": self.mode}
        call = Call("repeat_items", {"factors": factors})
        if self.mode != "nearest":
            corners = {"align_corners": self.align_corners}
            given |= corners
            call = Call("between_items", {"factors": factors, **corners})
        return Spread("Upsample", given, call, self.time(), factors[0])
