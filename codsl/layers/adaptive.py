"""Pools to a given size over space, and over a window of time that is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, sees
from codsl.layers.arguments import MaybeCount, OutputSizes
from codsl.layers.mistake import Give, Mistake, Omit, Remedy
from codsl.layers.recipe import Call, Pointwise, Windowed
from codsl.layers.row import OfImages, Picture, Unlearned, check_rank, type_name

Examples = tuple[Mapping[str, Any], ...]

_WINDOWS = (
    Remedy("per frame: `kernel_size=1` pools each frame by itself", Give(1)),
    Remedy(
        "sliding window: `kernel_size=N` pools the last N frames, 16 say", Give(16, shortens=True)
    ),
)


@dataclass(frozen=True)
class AdaptivePool(Unlearned, OfImages):
    """A pool to a given size over space, and over `kernel_size` items of time.

    In a stream nobody knows how long the clip will be: the window over time is said, and slides
    over longer clips too. At a clip of `kernel_size` items it is torch's.
    """

    output_size: OutputSizes
    kernel_size: MaybeCount = field(default=None, kw_only=True)

    function: ClassVar[str]

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        self._check_one_frame()
        return Frame(x.channels, _sized(self.output_size[1:], x))

    @final
    def _check_one_frame(self) -> None:
        """A window over time gives one output."""
        if self.output_size[0] == 1:
            return
        space = ", ".join(map(_written, self.output_size[1:]))
        raise Mistake(
            "E0305",
            f"`output_size` of `{type_name(type(self))}`: expected one over time"
            + (f": `(1, {space})`" if space else ", as a window gives one output"),
            argument="output_size",
            change=Give((1, *self.output_size[1:]) if space else 1),
        )

    @final
    def picture(self, x: Frame) -> Picture:
        if self.kernel_size is not None:
            raise Mistake(
                "E0420",
                "`kernel_size` is a window over time, and a single frame has none",
                argument="kernel_size",
                help="leave it out",
                change=Omit(),
            )
        sizes = {"output_size": _sized(self.output_size, x)}
        call = Call(type_name(type(self)), sizes)
        recipe = Pointwise(type(self).__name__, sizes, (), call)
        return Picture(Frame(x.channels, sizes["output_size"]), self.space(x), recipe)

    @final
    def time(self) -> Time:
        return sees(self._over())

    @final
    def _over(self) -> Window:
        if self.kernel_size is None:
            raise Mistake(
                "E0408",
                f"`{type_name(type(self))}` needs `kernel_size`, its window over time",
                argument="kernel_size",
                note="over a whole clip, a head or a gate (squeeze-and-excitation) waits for the "
                "last frame, and a stream has none",
                remedies=_WINDOWS,
            )
        return Window(self.kernel_size)

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)

    @final
    def recipe(self, x: Frame) -> Windowed:
        over = self._over()
        space = _sized(self.output_size[1:], x)
        name = type_name(type(self))
        kernel = (over.kernel, *(1,) * len(space))
        settled = {"output_size": (1, *space)}
        return Windowed(
            type(self).__name__,
            settled,
            over=over,
            window=Call(self.function, {"kernel_size": kernel, "stride": (1,) * self.rank}),
            clip=Call(name, settled),
            clip_items=(over.kernel, over.kernel),
            frame=Call(name, {"output_size": (None, *space)}) if space != x.space else None,
            keeps=Frame(x.channels, space) if space != x.space else None,
        )


def _sized(sizes: tuple[int | None, ...], x: Frame) -> tuple[int, ...]:
    """What is asked for over space; as many as there are where nothing is."""
    pairs = zip(sizes, x.space, strict=True)
    return tuple(there if size is None else size for size, there in pairs)


def _written(size: int | None) -> str:
    return "none" if size is None else str(size)


@final
class AdaptiveAvgPool1d(AdaptivePool):
    """Mean over `kernel_size` items of time: `(B, C, T)`."""

    rank: ClassVar[int] = 1
    also: ClassVar[tuple[str, ...]] = ("gap", "global_avg_pool", "global_average_pooling")
    function: ClassVar[str] = "avg_pool1d"
    examples: ClassVar[Examples] = ({"output_size": 1, "kernel_size": 4},)


@final
class AdaptiveAvgPool2d(AdaptivePool):
    """Mean to a given size over space and `kernel_size` items of time: `(B, C, T, S)`."""

    rank: ClassVar[int] = 2
    also: ClassVar[tuple[str, ...]] = ("gap", "global_avg_pool", "global_average_pooling")
    function: ClassVar[str] = "avg_pool2d"
    examples: ClassVar[Examples] = ({"output_size": (1, 3), "kernel_size": 4},)


@final
class AdaptiveAvgPool3d(AdaptivePool):
    """Mean to a given size over space and `kernel_size` items of time: `(B, C, T, H, W)`."""

    rank: ClassVar[int] = 3
    also: ClassVar[tuple[str, ...]] = ("gap", "global_avg_pool", "global_average_pooling")
    function: ClassVar[str] = "avg_pool3d"
    examples: ClassVar[Examples] = (
        {"output_size": 1, "kernel_size": 4},
        {"output_size": (1, None, 2), "kernel_size": 2},
    )


@final
class AdaptiveMaxPool1d(AdaptivePool):
    """Maximum over `kernel_size` items of time: `(B, C, T)`."""

    rank: ClassVar[int] = 1
    also: ClassVar[tuple[str, ...]] = ("global_max_pool", "global_max_pooling")
    function: ClassVar[str] = "max_pool1d"
    examples: ClassVar[Examples] = ({"output_size": 1, "kernel_size": 4},)


@final
class AdaptiveMaxPool2d(AdaptivePool):
    """Maximum to a given size over space and `kernel_size` items of time: `(B, C, T, S)`."""

    rank: ClassVar[int] = 2
    also: ClassVar[tuple[str, ...]] = ("global_max_pool", "global_max_pooling")
    function: ClassVar[str] = "max_pool2d"
    examples: ClassVar[Examples] = ({"output_size": (1, 3), "kernel_size": 4},)


@final
class AdaptiveMaxPool3d(AdaptivePool):
    """Maximum to a given size over space and `kernel_size` items of time: `(B, C, T, H, W)`."""

    rank: ClassVar[int] = 3
    also: ClassVar[tuple[str, ...]] = ("global_max_pool", "global_max_pooling")
    function: ClassVar[str] = "max_pool3d"
    examples: ClassVar[Examples] = ({"output_size": (1, 4, 2), "kernel_size": 3},)
