"""Statistics of all frames so far, and the normalisations by them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, remembers
from codsl.layers.arguments import Flag, MaybeCount, Number, Optional
from codsl.layers.fit import inferred
from codsl.layers.recipe import Call, Carried, Memory, Pointwise
from codsl.layers.row import ANY_RANK, InPlace, Layer, Unlearned

Examples = tuple[Mapping[str, Any], ...]
Epsilon = Annotated[float, Number(0)]

COUNT = Memory("count", (), "int64")
"""How many items there have been."""


def _gains(affine: bool, x: Frame) -> Mapping[str, tuple[int, ...]]:
    return {"gamma": (x.channels,), "beta": (x.channels,)} if affine else {}


@final
@dataclass(frozen=True)
class CumulativeLayerNorm(Layer):
    """Normalisation by the mean and the variance of all numbers of all frames so far.

    The cumulative layer normalisation of Conv-TasNet (Luo and Mesgarani, 2019), which asteroid
    calls `cgLN`: `(x - mean) / sqrt(variance + eps) * gamma + beta`, with `gamma` and `beta` for
    each channel. Frames with space are normalised over it too: `(B, C, T, *S)` keeps its shape. The
    sums are carried on in float64, so that they stay exact in an endless stream.
    """

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("cln",)
    examples: ClassVar[Examples] = ({}, {"eps": 1e-3, "affine": False})
    eps: Epsilon = 1e-8
    affine: Flag = True
    num_features: MaybeCount = field(default=None, kw_only=True)

    def shape(self, x: Frame) -> Frame:
        inferred("num_features", self.num_features, x)
        return x

    def time(self) -> Time:
        return remembers()

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return _gains(self.affine, x)

    def macs(self, x: Frame, y: Frame) -> int:
        return 0

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)

    def recipe(self, x: Frame) -> Carried:
        settings = {"channels": x.channels, "affine": self.affine}
        memory = (COUNT, Memory("sums", (2,), "float64"))
        return Carried("Gains", settings, Call("cumulative_norm", {"eps": self.eps}), memory)


@final
@dataclass(frozen=True)
class ChannelLayerNorm(InPlace):
    """Normalisation of each frame, at each place, over its channels alone.

    What asteroid calls `cLN`: `(x - mean) / sqrt(variance + eps) * gamma + beta`. That of
    Conv-TasNet's paper is `cumulative_layer_norm`.
    """

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({}, {"eps": 1e-3, "affine": False})
    eps: Epsilon = 1e-8
    affine: Flag = True
    num_features: MaybeCount = field(default=None, kw_only=True)

    def shape(self, x: Frame) -> Frame:
        inferred("num_features", self.num_features, x)
        return x

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return _gains(self.affine, x)

    def recipe(self, x: Frame) -> Pointwise:
        settings = {"channels": x.channels, "affine": self.affine}
        call = Call("channel_norm", {"eps": self.eps})
        return Pointwise("Gains", settings, ("gamma", "beta"), call)


@final
@dataclass(frozen=True)
class RunningMean(Unlearned):
    """The mean of all items so far, number by number: `(B, C, T, *S)` keeps its shape.

    As causal MoViNets pool over time (Kondratyuk et al., 2021). With `momentum` later items weigh
    more: `mean + momentum * (x - mean)`, from the first item on, which is its own mean. Carried on
    in float64, so that it stays exact in an endless stream.
    """

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({}, {"momentum": 0.2})
    momentum: Annotated[float | None, Optional(Number(0, 1))] = None

    def shape(self, x: Frame) -> Frame:
        return x

    def time(self) -> Time:
        return remembers()

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)

    def recipe(self, x: Frame) -> Carried:
        call = Call("running_mean", {"momentum": self.momentum})
        return Carried("Identity", {}, call, (COUNT, Memory("mean", x.shape, "float64")))
