"""Batch normalisation: in `eval()` a factor and a summand for each channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.arguments import Flag, MaybeCount, Number, Optional
from codsl.layers.fit import inferred
from codsl.layers.mistake import Give, Mistake
from codsl.layers.recipe import Pointwise
from codsl.layers.row import InPlace, check_rank, settings

EXAMPLES: tuple[Mapping[str, Any], ...] = ({}, {"eps": 1e-3, "affine": False})


@dataclass(frozen=True)
class BatchNorm(InPlace):
    """Normalisation of each channel by its statistics (Ioffe and Szegedy, 2015)."""

    also: ClassVar[tuple[str, ...]] = ("bn", "batch_normalization", "norm")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = EXAMPLES
    buffered: ClassVar[bool] = True
    eps: Annotated[float, Number(0, 1)] = 1e-5
    momentum: Annotated[float | None, Optional(Number(0, 1))] = 0.1
    affine: Flag = True
    track_running_stats: Flag = True
    num_features: MaybeCount = field(default=None, kw_only=True)

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        inferred("num_features", self.num_features, x)
        if not self.track_running_stats:
            raise Mistake(
                "E0409",
                "batch statistics are sums over all of a clip's frames",
                argument="track_running_stats",
                note="a stream knows no later frames; running statistics are constants",
                help="leave `track_running_stats` at true",
                change=Give(True),
            )
        return x

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {"weight": (x.channels,), "bias": (x.channels,)} if self.affine else {}

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return Pointwise(type(self).__name__, {**settings(self), "num_features": x.channels})


@final
class BatchNorm1d(BatchNorm):
    """Batch normalisation of `(B, C, T)`."""

    rank: ClassVar[int] = 1


@final
class BatchNorm2d(BatchNorm):
    """Batch normalisation of `(B, C, T, S)`."""

    rank: ClassVar[int] = 2


@final
class BatchNorm3d(BatchNorm):
    """Batch normalisation of `(B, C, T, H, W)`."""

    rank: ClassVar[int] = 3
