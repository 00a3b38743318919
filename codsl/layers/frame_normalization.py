"""Normalisation of each frame by statistics of its own, so that no frame waits for another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.arguments import Count, Flag, MaybeCount, Number, Optional, Real, Sizes, Word
from codsl.layers.fit import divides, inferred
from codsl.layers.mistake import Give, Mistake, Omit
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import (
    ANY_RANK,
    InPlace,
    OfImages,
    Picture,
    Weightless,
    check_rank,
    settings,
    type_name,
)

Examples = tuple[Mapping[str, Any], ...]
Eps = Annotated[float, Number(0)]
MaybeEps = Annotated[float | None, Optional(Number(0))]
Over = Annotated[str, Word(("channels", "frame"))]
MaybeSizes = Annotated[tuple[int, ...] | None, Optional(Sizes(1))]


class OverSizes(InPlace):
    """A norm over the channels of each place, or over a whole frame."""

    over: Over
    normalized_shape: MaybeSizes

    @final
    def sizes(self, x: Frame) -> tuple[int, ...]:
        """The sizes that the statistics are over, those of the weight."""
        return x.shape if self.over == "frame" else (x.channels,)

    @final
    def shape(self, x: Frame) -> Frame:
        sizes = self.sizes(x)
        if self.normalized_shape not in (None, sizes):
            other = {"channels": "frame", "frame": "channels"}[self.over]
            meant = x.space and self.normalized_shape in (x.shape, (x.channels,))
            raise Mistake(
                "E0402",
                f"normalized_shape={self.normalized_shape}, but `over={self.over}` is {sizes} here",
                argument="normalized_shape",
                layer=f"the input is {x}",
                help=f'say `over="{other}"`' if meant else "leave it out: it is inferred",
                change=Give(other, "over") if meant else Omit(),
            )
        return x


@final
@dataclass(frozen=True)
class LayerNorm(OverSizes):
    """Normalisation by the mean and the variance of each frame (Ba et al., 2016): over the
    `channels` of each place, weight `(C,)`, or over all of the `frame`, weight `(C, *S)`.

    Torch's layer of that name takes the last dimensions of a tensor; over `(B, C, T)` those would
    be time. Here no statistic is over time.
    """

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("ln", "layer_normalization", "norm")
    examples: ClassVar[Examples] = (
        {},
        {"eps": 1e-3, "bias": False},
        {"elementwise_affine": False, "over": "frame"},
        {"over": "frame"},
        {"normalized_shape": 4},
    )
    eps: Eps = 1e-5
    elementwise_affine: Flag = True
    bias: Flag = True
    over: Over = field(default="channels", kw_only=True)
    normalized_shape: MaybeSizes = field(default=None, kw_only=True)

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        learnt = ("weight", "bias") if self.bias else ("weight",)
        return dict.fromkeys(learnt if self.elementwise_affine else (), self.sizes(x))

    @final
    def recipe(self, x: Frame) -> Pointwise:
        made_of = {
            "normalized_shape": self.sizes(x),
            "eps": self.eps,
            "elementwise_affine": self.elementwise_affine,
            "bias": self.bias,
        }
        call = Call("layer_norm_frames", {"over": self.over, "eps": self.eps})
        return Pointwise("LayerNorm", made_of, ("weight", "bias"), call)


@final
@dataclass(frozen=True)
class RmsNorm(OverSizes):
    """Division by the root of the mean square of each frame (Zhang and Sennrich, 2019): over the
    `channels` of each place, weight `(C,)`, or over all of the `frame`, weight `(C, *S)`.

    `eps` is the dtype's own where it is left out. Torch's RMSNorm takes the last dimensions of a
    tensor; over `(B, C, T)` those would be time. Here no statistic is over time.
    """

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = (
        {},
        {"eps": 1e-3, "over": "frame"},
        {"elementwise_affine": False, "normalized_shape": 4},
    )
    eps: MaybeEps = None
    elementwise_affine: Flag = True
    over: Over = field(default="channels", kw_only=True)
    normalized_shape: MaybeSizes = field(default=None, kw_only=True)

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {"weight": self.sizes(x)} if self.elementwise_affine else {}

    @final
    def recipe(self, x: Frame) -> Pointwise:
        made_of = {
            "normalized_shape": self.sizes(x),
            "eps": self.eps,
            "elementwise_affine": self.elementwise_affine,
        }
        call = Call("rms_norm_frames", {"over": self.over, "eps": self.eps})
        return Pointwise("RMSNorm", made_of, ("weight",), call)


@final
@dataclass(frozen=True)
class GroupNorm(InPlace):
    """Normalisation of each frame by the mean and the variance of each of `num_groups` groups of
    channels, with all their space (Wu and He, 2018). Weight and bias `(C,)`.

    Torch's GroupNorm of a clip takes its statistics over all frames, the future ones too. Here
    they are those of one frame: what torch gives for each frame alone.
    """

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("gn", "group_normalization")
    examples: ClassVar[Examples] = (
        {"num_groups": 2},
        {"num_groups": 1, "eps": 1e-3, "affine": False, "num_channels": 4},
    )
    num_groups: Count
    eps: Eps = 1e-5
    affine: Flag = True
    num_channels: MaybeCount = field(default=None, kw_only=True)

    @final
    def shape(self, x: Frame) -> Frame:
        inferred("num_channels", self.num_channels, x)
        divides("num_groups", self.num_groups, x)
        if x.size == self.num_groups:
            raise Mistake(
                "E0409",
                "each group of a frame is a single number, which is its own mean",
                argument="num_groups",
                layer=f"the input is {x}",
                note="torch would take the mean over time, but a stream knows no later frames",
                help="take fewer groups",
                change=Give(1) if x.size > 1 else None,
            )
        return x

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {"weight": (x.channels,), "bias": (x.channels,)} if self.affine else {}

    @final
    def recipe(self, x: Frame) -> Pointwise:
        made_of = {**settings(self), "num_channels": x.channels}
        call = Call("group_norm_frames", {"num_groups": self.num_groups, "eps": self.eps})
        return Pointwise("GroupNorm", made_of, ("weight", "bias"), call)


@dataclass(frozen=True)
class InstanceNorm(InPlace, OfImages):
    """Normalisation of each channel of each frame by its own statistics over space."""

    also: ClassVar[tuple[str, ...]] = ("instance_normalization",)
    eps: Eps = 1e-5
    momentum: Annotated[float | None, Optional(Number(0, 1))] = 0.1
    affine: Flag = False
    track_running_stats: Flag = False
    num_features: MaybeCount = field(default=None, kw_only=True)

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        return self._fit(x)

    @final
    def _fit(self, x: Frame) -> Frame:
        inferred("num_features", self.num_features, x)
        if x.positions == 1 and not self.track_running_stats:
            raise Mistake(
                "E0409",
                f"`{type_name(type(self))}` has one number of each channel in a frame",
                layer=f"the input is {x}",
                note="torch would take the mean over time, but a stream knows no later frames",
                help="`layer_norm` normalises over channels; with `track_running_stats` the "
                "statistics are constants in `eval()`",
            )
        return x

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {"weight": (x.channels,), "bias": (x.channels,)} if self.affine else {}

    @final
    def recipe(self, x: Frame) -> Pointwise:
        made_of = {**settings(self), "num_features": x.channels}
        if self.track_running_stats:
            return Pointwise(type(self).__name__, made_of)
        call = Call("instance_norm_frames", {"eps": self.eps})
        return Pointwise(type(self).__name__, made_of, ("weight", "bias"), call)

    @final
    def picture(self, x: Frame) -> Picture:
        recipe = Pointwise(type(self).__name__, {**settings(self), "num_features": x.channels})
        return Picture(self._fit(x), self.space(x), recipe)


@final
class InstanceNorm1d(InstanceNorm):
    """Instance normalisation of `(B, C, T)` by running statistics, which are constants in `eval()`
    (Ulyanov et al., 2016).

    A frame without space has no statistics of its own: without `track_running_stats` torch's would
    be over time, and this is refused.
    """

    rank: ClassVar[int] = 1
    examples: ClassVar[Examples] = (
        {"track_running_stats": True},
        {"eps": 1e-3, "momentum": 0.2, "affine": True, "track_running_stats": True},
    )


SPATIAL: Examples = (
    {},
    {"eps": 1e-3, "affine": True, "num_features": 4},
    {"affine": True, "momentum": 0.2, "track_running_stats": True},
)


@final
class InstanceNorm2d(InstanceNorm):
    """Instance normalisation of `(B, C, T, S)`, each channel of each frame over space (Ulyanov et
    al., 2016); torch's of that name takes its statistics over time too, the future included.

    With `track_running_stats` it is torch's own: over the clip in training, constants in `eval()`.
    """

    rank: ClassVar[int] = 2
    examples: ClassVar[Examples] = SPATIAL


@final
class InstanceNorm3d(InstanceNorm):
    """Instance normalisation of `(B, C, T, H, W)`, each channel of each frame over space (Ulyanov
    et al., 2016); torch's of that name takes its statistics over time too, the future included.

    With `track_running_stats` it is torch's own: over the clip in training, constants in `eval()`.
    """

    rank: ClassVar[int] = 3
    examples: ClassVar[Examples] = SPATIAL


@final
@dataclass(frozen=True)
class LocalResponseNorm(Weightless):
    """Each number divided by `(k + alpha * m) ** beta`, with `m` the mean square of `size` channels
    around its own at its place, those beyond the ends zero (Krizhevsky et al., 2012)."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("lrn",)
    examples: ClassVar[Examples] = ({"size": 3}, {"size": 2, "alpha": 0.5, "beta": 0.5, "k": 2.0})
    size: Count
    alpha: Real = 1e-4
    beta: Real = 0.75
    k: Real = 1.0

    @final
    def fit(self, x: Frame) -> Frame:
        return x
