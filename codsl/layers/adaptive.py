"""Pools to a given size over space, and over a window of time that is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, sees
from codsl.layers.arguments import MaybeCount, OneFrameSize
from codsl.layers.mistake import Mistake
from codsl.layers.recipe import Call, Windowed
from codsl.layers.row import Unlearned, check_rank, type_name

Examples = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class AdaptivePool(Unlearned):
    """A pool to a given size over space, and over `kernel_size` items of time.

    In a stream nobody knows how long the clip will be: the window over time is said, and slides
    over longer clips too. At a clip of `kernel_size` items it is torch's.
    """

    output_size: OneFrameSize
    kernel_size: MaybeCount = field(default=None, kw_only=True)

    function: ClassVar[str]

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        return Frame(x.channels, self._space(x))

    @final
    def _space(self, x: Frame) -> tuple[int, ...]:
        sizes = zip(self.output_size[1:], x.space, strict=True)
        return tuple(there if size is None else size for size, there in sizes)

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
                replacement="1",
                note="a clip is pooled over all its frames; a stream has no last frame to wait for",
                help="`kernel_size=1` pools each frame, `kernel_size=N` the last N that reach it",
            )
        return Window(self.kernel_size)

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)

    @final
    def recipe(self, x: Frame) -> Windowed:
        over = self._over()
        space = self._space(x)
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


@final
class AdaptiveAvgPool1d(AdaptivePool):
    """Mean over `kernel_size` items of time: `(B, C, T)`."""

    rank: ClassVar[int] = 1
    function: ClassVar[str] = "avg_pool1d"
    examples: ClassVar[Examples] = ({"output_size": 1, "kernel_size": 4},)


@final
class AdaptiveAvgPool2d(AdaptivePool):
    """Mean to a given size over space and `kernel_size` items of time: `(B, C, T, S)`."""

    rank: ClassVar[int] = 2
    function: ClassVar[str] = "avg_pool2d"
    examples: ClassVar[Examples] = ({"output_size": (1, 3), "kernel_size": 4},)


@final
class AdaptiveAvgPool3d(AdaptivePool):
    """Mean to a given size over space and `kernel_size` items of time: `(B, C, T, H, W)`."""

    rank: ClassVar[int] = 3
    function: ClassVar[str] = "avg_pool3d"
    examples: ClassVar[Examples] = (
        {"output_size": 1, "kernel_size": 4},
        {"output_size": (1, None, 2), "kernel_size": 2},
    )


@final
class AdaptiveMaxPool1d(AdaptivePool):
    """Maximum over `kernel_size` items of time: `(B, C, T)`."""

    rank: ClassVar[int] = 1
    function: ClassVar[str] = "max_pool1d"
    examples: ClassVar[Examples] = ({"output_size": 1, "kernel_size": 4},)


@final
class AdaptiveMaxPool2d(AdaptivePool):
    """Maximum to a given size over space and `kernel_size` items of time: `(B, C, T, S)`."""

    rank: ClassVar[int] = 2
    function: ClassVar[str] = "max_pool2d"
    examples: ClassVar[Examples] = ({"output_size": (1, 3), "kernel_size": 4},)


@final
class AdaptiveMaxPool3d(AdaptivePool):
    """Maximum to a given size over space and `kernel_size` items of time: `(B, C, T, H, W)`."""

    rank: ClassVar[int] = 3
    function: ClassVar[str] = "max_pool3d"
    examples: ClassVar[Examples] = ({"output_size": (1, 4, 2), "kernel_size": 3},)
