"""Layers without a window that are no nonlinearity: identity, delay, flatten, linear."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, waits
from codsl.layers.arguments import Count, Flag, MaybeCount, Natural
from codsl.layers.fit import inferred
from codsl.layers.mistake import Mistake, Precede
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import ANY_RANK, InPlace, Layer, Unlearned, Weightless

Examples = tuple[Mapping[str, Any], ...]


@final
class Identity(Weightless):
    """What comes in."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("noop", "pass")
    examples: ClassVar[Examples] = ({},)

    @final
    def fit(self, x: Frame) -> Frame:
        return x


@final
@dataclass(frozen=True)
class Delay(Unlearned):
    """What came in `delay` items ago, while streaming; a clip passes unchanged.

    Joins are aligned without it: it is for making a stream wait on purpose.
    """

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({"delay": 2},)
    delay: Natural

    @final
    def shape(self, x: Frame) -> Frame:
        return x

    @final
    def time(self) -> Time:
        return waits(self.delay)

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return Pointwise()


@final
class Flatten(InPlace):
    """Each frame's numbers in a row: `(B, C, T, *S)` to `(B, C * prod(S), T)`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({},)

    @final
    def shape(self, x: Frame) -> Frame:
        return Frame(x.size)

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {}

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return Pointwise(call=Call("flatten_frames"))


@final
@dataclass(frozen=True)
class Linear(Layer):
    """The same affine map of every frame: `(B, in, T)` to `(B, out, T)`; weight `(out, in)`."""

    rank: ClassVar[int] = 1
    also: ClassVar[tuple[str, ...]] = ("fc", "dense", "fully_connected")
    examples: ClassVar[Examples] = ({"out_features": 3}, {"out_features": 2, "bias": False})
    out_features: Count
    bias: Flag = True
    in_features: MaybeCount = field(default=None, kw_only=True)

    @final
    def shape(self, x: Frame) -> Frame:
        if x.space:
            raise Mistake(
                "E0401",
                "`linear` takes frames without space",
                layer=f"the input is {x}",
                help="put `flatten` before it, or use a convolution with `kernel_size=1`",
                change=Precede("flatten"),
            )
        inferred("in_features", self.in_features, x)
        return Frame(self.out_features)

    @final
    def time(self) -> Time:
        return IDENTITY

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        weight = (self.out_features, x.channels)
        return {"weight": weight, **({"bias": (self.out_features,)} if self.bias else {})}

    @final
    def macs(self, x: Frame, y: Frame) -> int:
        return x.channels * y.channels

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return ()

    @final
    def recipe(self, x: Frame) -> Pointwise:
        settings = {
            "in_features": x.channels,
            "out_features": self.out_features,
            "bias": self.bias,
        }
        return Pointwise("Linear", settings, ("weight", "bias"), Call("linear_frames"))
