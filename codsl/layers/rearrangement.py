"""Layers that put the numbers of a frame elsewhere, and leave time as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, sees
from codsl.layers.arguments import LARGEST, Count, Integer, Optional, Sizes
from codsl.layers.fit import divides
from codsl.layers.mistake import Give, Mistake
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import ANY_RANK, Parameterless, Unlearned, Weightless, check_rank

Examples = tuple[Mapping[str, Any], ...]
Index = Annotated[int, Integer(-LARGEST)]
MaybeIndex = Annotated[int | None, Optional(Integer(-LARGEST))]
Places = Annotated[tuple[int, ...], Sizes(0)]
NewSizes = Annotated[tuple[int, ...], Sizes(-1)]


@final
@dataclass(frozen=True)
class ChannelShuffle(Weightless):
    """Channels dealt out anew: the first of each of `groups` groups, then the second, and so on
    (Zhang et al., 2018)."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({"groups": 2},)
    groups: Count

    @final
    def fit(self, x: Frame) -> Frame:
        divides("groups", self.groups, x)
        return x


@final
@dataclass(frozen=True)
class PixelShuffle(Parameterless):
    """Channels spread over space: `(B, C * r * r, T, H, W)` to `(B, C, T, H * r, W * r)`, where
    `r` is `upscale_factor` (Shi et al., 2016)."""

    rank: ClassVar[int] = 3
    examples: ClassVar[Examples] = ({"upscale_factor": 2},)
    upscale_factor: Count

    @final
    def fit(self, x: Frame) -> Frame:
        square = self.upscale_factor**2
        if x.channels % square:
            raise Mistake(
                "E0402",
                f"`pixel_shuffle` needs a multiple of {square} channels, not {x.channels}",
                argument="upscale_factor",
                about=f"its square is {square}",
                layer=f"the input is {x}",
            )
        height, width = (size * self.upscale_factor for size in x.space)
        return Frame(x.channels // square, (height, width))

    @final
    def recipe(self, x: Frame) -> Pointwise:
        call = Call("pixel_shuffle_frames", {"upscale_factor": self.upscale_factor})
        return Pointwise(call=call)


@final
@dataclass(frozen=True)
class PixelUnshuffle(Unlearned):
    """Space gathered into channels: `(B, C, T, H * r, W * r)` to `(B, C * r * r, T, H, W)`, where
    `r` is `downscale_factor`; what `pixel_shuffle` undoes."""

    rank: ClassVar[int] = 3
    examples: ClassVar[Examples] = ({"downscale_factor": 2}, {"downscale_factor": 3})
    downscale_factor: Count

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        factor = self.downscale_factor
        if any(size % factor for size in x.space):
            sizes = " x ".join(map(str, x.space))
            raise Mistake(
                "E0403",
                f"`pixel_unshuffle` cuts space into squares of {factor}, which do not fill {sizes}",
                argument="downscale_factor",
                layer=f"the input is {x}",
            )
        height, width = (size // factor for size in x.space)
        return Frame(x.channels * factor**2, (height, width))

    @final
    def time(self) -> Time:
        return IDENTITY

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        factor = self.downscale_factor
        return (sees(Window(factor, factor)),) * len(x.space)

    @final
    def recipe(self, x: Frame) -> Pointwise:
        call = Call("pixel_unshuffle_frames", {"downscale_factor": self.downscale_factor})
        return Pointwise(call=call)


@final
@dataclass(frozen=True)
class Slice(Parameterless):
    """The channels `start`, `start + step`, ... before `stop`, counted as Python counts: from 0,
    or from the end where negative."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("split", "chunk", "narrow")
    examples: ClassVar[Examples] = (
        {"start": 1},
        {"start": 0, "stop": -1},
        {"start": 0, "stop": 4, "step": 2},
    )
    start: Index
    stop: MaybeIndex = None
    step: Count = 1

    @final
    def fit(self, x: Frame) -> Frame:
        taken = range(x.channels)[self.start : self.stop : self.step]
        if not taken:
            raise Mistake(
                "E0402",
                f"`slice` takes none of {x.channels} channels",
                argument="start",
                layer=f"the input is {x}",
                help=f"channels are 0 to {x.channels - 1}; the one at `stop` is left out",
            )
        return Frame(len(taken), x.space)

    @final
    def recipe(self, x: Frame) -> Pointwise:
        taken = range(x.channels)[self.start : self.stop : self.step]
        chosen = {"start": taken.start, "stop": taken.stop, "step": taken.step}
        return Pointwise(call=Call("slice_channels", chosen))


@final
@dataclass(frozen=True)
class Permute(Parameterless):
    """The dimensions of each frame in another order. `dims` counts them without batch and time:
    0 is channels, 1 the first of space; `(2, 0, 1)` makes `(W, C, H)` of `(C, H, W)`."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("transpose",)
    examples: ClassVar[Examples] = ({"dims": (2, 0, 1)}, {"dims": (1, 0, 2)})
    dims: Places

    @final
    def fit(self, x: Frame) -> Frame:
        every = tuple(range(x.rank))
        if tuple(sorted(self.dims)) != every:
            raise Mistake(
                "E0401",
                f"`dims={self.dims}` is no order of the {x.rank} dimensions of a frame",
                argument="dims",
                layer=f"the input is {x}",
                help=f"name each of {every} once: 0 is channels, time stays where it is",
            )
        channels, *space = (x.shape[dim] for dim in self.dims)
        return Frame(channels, tuple(space))

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return Pointwise(call=Call("permute_frames", {"dims": self.dims}))


@final
@dataclass(frozen=True)
class Reshape(Parameterless):
    """The numbers of each frame, in their order, as a frame of other `sizes`, channels first; one
    may be -1, which is worked out. `(-1, 1, 1)` gives a frame without space two dimensions."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("view", "squeeze", "unsqueeze", "unflatten")
    examples: ClassVar[Examples] = ({"sizes": (2, -1)}, {"sizes": -1}, {"sizes": (-1, 1, 2)})
    sizes: NewSizes

    @final
    def fit(self, x: Frame) -> Frame:
        channels, *space = self._settled(x)
        return Frame(channels, tuple(space))

    @final
    def _settled(self, x: Frame) -> tuple[int, ...]:
        known = prod(size for size in self.sizes if size > 0)
        open_ = self.sizes.count(-1)
        if open_ > 1 or 0 in self.sizes:
            raise Mistake(
                "E0305",
                f"`sizes` of `reshape`: expected sizes, of which one may be -1, not {self.sizes}",
                argument="sizes",
            )
        if x.size % known or (not open_ and known != x.size):
            raise Mistake(
                "E0402",
                f"a frame of {x.size} numbers does not fill {self.sizes}",
                argument="sizes",
                layer=f"the input is {x}",
                help="-1 for one of them is worked out",
                change=self._open(x),
            )
        return tuple(x.size // known if size < 0 else size for size in self.sizes)

    @final
    def _open(self, x: Frame) -> Give | None:
        """The sizes with -1 for the last of them that can be worked out from the others."""
        for at in range(len(self.sizes) - 1, -1, -1):
            others = (*self.sizes[:at], *self.sizes[at + 1 :])
            if min(others, default=1) > 0 and not x.size % prod(others):
                return Give((*self.sizes[:at], -1, *self.sizes[at + 1 :]))
        return None

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return Pointwise(call=Call("reshape_frames", {"sizes": self._settled(x)}))
