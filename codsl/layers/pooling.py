"""Pools over a sliding window."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, ClassVar, final

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import Time, sees
from codsl.layers.arguments import (
    ONE,
    ZERO,
    Dims,
    Fill,
    Flag,
    MaybeCount,
    MaybeDims,
    ZeroFill,
)
from codsl.layers.mistake import Mistake
from codsl.layers.padding import Padding
from codsl.layers.recipe import Call, Pointwise, Windowed
from codsl.layers.row import OfImages, Picture, Unlearned, check_rank, type_name
from codsl.layers.sliding import even, slide, torch_pad, windows, without_time

Examples = tuple[Mapping[str, Any], ...]


class Pool(Unlearned, OfImages):
    """A layer that sums up a window and has no weights."""

    kernel_size: Dims
    stride: MaybeDims
    padding: Padding
    temporal_fill: str | None

    @abstractmethod
    def over(self, in_time: bool = True) -> tuple[Window, ...]:
        """The window of each dimension, the first of time if `in_time`."""

    @abstractmethod
    def check_space(self, made: tuple[Window, ...], x: Frame) -> None:
        """Raise `Mistake` where torch does not pool over space so."""

    @abstractmethod
    def whole(self, made: tuple[Window, ...]) -> Call:
        """The pool over these windows in one call."""

    @final
    def picture(self, x: Frame) -> Picture:
        without_time(self.padding, self.temporal_fill)
        made = self.over(in_time=False)
        _check_half(made)
        over = (Window(), *made)
        self.check_space(over, x)
        recipe = Pointwise(type(self).__name__, _module_settings(self, made), (), self.whole(made))
        return Picture(slide(over, x, x.channels, self.kernel_size), tuple(map(sees, made)), recipe)

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        made = self.over()
        self.check_space(made, x)
        return slide(made, x, x.channels, self.kernel_size)

    @final
    def time(self) -> Time:
        return sees(self.over()[0])

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return tuple(map(sees, self.over()[1:]))


def _refuse_foreign(made: tuple[Window, ...], why: str) -> None:
    if not _native(made[1:]):
        raise Mistake(
            "E0404",
            f"with {why}, padding over space is alike at both ends, half of `kernel_size` at most",
            argument="padding",
        )


def _check_half(made: tuple[Window, ...]) -> None:
    """Torch pads at most half of a pool's window."""
    for window in made:
        if 2 * max(window.before, window.after) > window.reach + 1:
            raise Mistake(
                "E0404",
                f"padding of {max(window.before, window.after)} is more than half of a window of "
                f"{window.reach + 1}",
                argument="padding",
                help=f"pad at most {(window.reach + 1) // 2} on either side",
            )


@dataclass(frozen=True)
class AveragePool(Pool):
    """The mean of a window, as torch.nn's of the same rank."""

    also: ClassVar[tuple[str, ...]] = (
        "average_pool",
        "average_pooling",
        "pool",
        "pooling",
    )
    kernel_size: Dims
    stride: MaybeDims = None
    padding: Padding = ZERO
    ceil_mode: Flag = False
    count_include_pad: Flag = True
    temporal_fill: Fill = field(default=None, kw_only=True)

    @abstractmethod
    def divisor(self) -> int | None:
        """What the sum is divided by instead of the number of items."""

    @final
    def over(self, in_time: bool = True) -> tuple[Window, ...]:
        ones = (1,) * self.rank
        stride = self.stride or self.kernel_size
        return windows(self.kernel_size, stride, self.padding, ones, self.ceil_mode, in_time)

    @final
    def whole(self, made: tuple[Window, ...]) -> Call:
        return self._call(made, self.divisor())

    @final
    def check_space(self, made: tuple[Window, ...], x: Frame) -> None:
        if not self.count_include_pad:
            _refuse_foreign(made, "`count_include_pad=False`")
        if self.ceil_mode:
            _refuse_foreign(made, "`ceil_mode`")
        if self.rank == 3 and any(
            window.kernel > size for window, size in zip(made[1:], x.space, strict=True)
        ):
            raise Mistake(
                "E0403",
                "the window is larger than the frame",
                argument="kernel_size",
                layer=f"the input is {x}",
            )

    @final
    def recipe(self, x: Frame) -> Windowed:
        made = self.over()
        replicates = self.temporal_fill == "replicate"
        reduces = self.shape(x).positions < x.positions
        frame = self._call((Window(), *made[1:]), 1 if self.divisor() else None)
        whole = None if replicates or not _native(made) else self._call(made, self.divisor())
        space = (Window(),) * (self.rank - 1) if reduces else made[1:]
        return Windowed(
            type(self).__name__,
            _module_settings(self, made),
            over=made[0],
            window=self._call((made[0], *space), self.divisor(), in_time=False),
            clip=whole,
            clip_items=(made[0].kernel if self.rank == 3 else 1, inf),
            frame=frame if reduces else None,
            keeps=self.shape(x) if reduces else None,
            fill="replicate" if replicates else 0.0 if self.count_include_pad else None,
        )

    @final
    def _call(self, made: tuple[Window, ...], divisor: int | None, in_time: bool = True) -> Call:
        padded = made if in_time else (Window(made[0].kernel, made[0].stride), *made[1:])
        native = _native(padded)
        arguments: dict[str, Any] = {
            "kernel_size": tuple(window.kernel for window in made),
            "stride": tuple(window.stride for window in made),
            "padding": tuple(window.before for window in padded) if native else 0,
            "ceil_mode": self.ceil_mode,
            "count_include_pad": self.count_include_pad,
        }
        if self.rank > 1:
            arguments["divisor_override"] = divisor
        return Call(type_name(type(self)), arguments, () if native else torch_pad(padded))


@dataclass(frozen=True)
class MaxPool(Pool):
    """The largest of a window, as torch.nn's of the same rank."""

    also: ClassVar[tuple[str, ...]] = ("max_pooling", "pool", "pooling")
    kernel_size: Dims
    stride: MaybeDims = None
    padding: Padding = ZERO
    dilation: Dims = ONE
    ceil_mode: Flag = field(default=False, kw_only=True)
    temporal_fill: ZeroFill = field(default=None, kw_only=True)

    @final
    def over(self, in_time: bool = True) -> tuple[Window, ...]:
        stride = self.stride or self.kernel_size
        sizes = (self.kernel_size, stride, self.padding, self.dilation)
        return windows(*sizes, self.ceil_mode, in_time)

    @final
    def whole(self, made: tuple[Window, ...]) -> Call:
        return self._call(made)

    @final
    def check_space(self, made: tuple[Window, ...], x: Frame) -> None:
        if self.ceil_mode:
            _refuse_foreign(made, "`ceil_mode`")

    @final
    def recipe(self, x: Frame) -> Windowed:
        made = self.over()
        reduces = self.shape(x).positions < x.positions
        native = _native(made) and self.temporal_fill is None
        space = (Window(),) * (self.rank - 1) if reduces else made[1:]
        in_time = Window(made[0].kernel, made[0].stride, dilation=made[0].dilation)
        return Windowed(
            type(self).__name__,
            _module_settings(self, made),
            over=made[0],
            window=self._call((in_time, *space)),
            clip=self._call(made) if native else None,
            frame=self._call((Window(), *made[1:])) if reduces else None,
            keeps=self.shape(x) if reduces else None,
            fill=0.0 if self.temporal_fill else -inf,
            overflow=-inf,
        )

    @final
    def _call(self, made: tuple[Window, ...]) -> Call:
        native = _native(made)
        arguments = {
            "kernel_size": tuple(window.kernel for window in made),
            "stride": tuple(window.stride for window in made),
            "padding": tuple(window.before for window in made) if native else 0,
            "dilation": tuple(window.dilation for window in made),
            "ceil_mode": self.ceil_mode,
        }
        return Call(type_name(type(self)), arguments, () if native else torch_pad(made), value=-inf)


def _native(made: tuple[Window, ...]) -> bool:
    """Whether torch's pools pad so: alike at both ends, by half of `kernel_size` at most."""
    return even(made) and all(2 * window.before <= window.kernel for window in made)


def _module_settings(row: Pool, made: tuple[Window, ...]) -> dict[str, Any]:
    return {
        "kernel_size": row.kernel_size,
        "stride": row.stride or row.kernel_size,
        "padding": tuple(window.before for window in made) if _native(made) else 0,
    }


@final
class AvgPool1d(AveragePool):
    """Mean over a window of time: `(B, C, T)`."""

    rank: ClassVar[int] = 1
    examples: ClassVar[Examples] = (
        {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
        {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    )

    @final
    def divisor(self) -> int | None:
        return None


@dataclass(frozen=True)
class _Divided(AveragePool):
    """An average pool whose divisor may be given."""

    divisor_override: MaybeCount = None

    @final
    def divisor(self) -> int | None:
        return self.divisor_override


@final
class AvgPool2d(_Divided):
    """Mean over a window of time and one dimension of space: `(B, C, T, S)`."""

    rank: ClassVar[int] = 2
    examples: ClassVar[Examples] = (
        {"kernel_size": 3, "stride": (1, 2), "padding": 1, "count_include_pad": False},
        {"kernel_size": (2, 3), "padding": ((1, 0), 1), "divisor_override": 5},
    )


@final
class AvgPool3d(_Divided):
    """Mean over a window of time and two dimensions of space: `(B, C, T, H, W)`."""

    rank: ClassVar[int] = 3
    examples: ClassVar[Examples] = (
        {"kernel_size": 3, "stride": 1, "padding": 1, "temporal_fill": "replicate"},
        {
            "kernel_size": (3, 2, 2),
            "stride": 2,
            "padding": (1, 0, 1),
            "ceil_mode": True,
            "count_include_pad": False,
        },
    )


@final
class MaxPool1d(MaxPool):
    """Maximum over a window of time: `(B, C, T)`."""

    rank: ClassVar[int] = 1
    examples: ClassVar[Examples] = (
        {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
        {"kernel_size": 3, "stride": 1, "padding": "causal", "dilation": 2},
    )


@final
class MaxPool2d(MaxPool):
    """Maximum over a window of time and one dimension of space: `(B, C, T, S)`."""

    rank: ClassVar[int] = 2
    examples: ClassVar[Examples] = (
        {"kernel_size": 3, "stride": 1, "padding": 1},
        {"kernel_size": 2, "padding": ((0, 1), (0, 1)), "temporal_fill": "zeros"},
    )


@final
class MaxPool3d(MaxPool):
    """Maximum over a window of time and two dimensions of space: `(B, C, T, H, W)`."""

    rank: ClassVar[int] = 3
    examples: ClassVar[Examples] = (
        {"kernel_size": (1, 3, 3), "stride": 1, "padding": (0, 1, 1)},
        {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": (2, 1, 1), "ceil_mode": True},
    )
