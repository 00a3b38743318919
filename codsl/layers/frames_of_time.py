"""Layers that take frames of a window as they are: leave out, shift, stack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, sees
from codsl.layers.arguments import ZERO, Count, Flag, Integer, Word
from codsl.layers.mistake import Give, Mistake
from codsl.layers.padding import PaddingOverTime
from codsl.layers.recipe import Attended, Call, Windowed
from codsl.layers.row import ANY_RANK, Unlearned
from codsl.layers.sliding import windows

Examples = tuple[Mapping[str, Any], ...]
TimeFill = Annotated[str, Word(("zeros", "replicate"))]


class FramesOfTime(Unlearned):
    """A layer of no parameters over a window of time that leaves space as it is."""

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)


@final
@dataclass(frozen=True)
class Subsample(FramesOfTime):
    """Every `stride`-th frame, the first among them: `x[:, :, ::stride]`."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("downsample", "decimate")
    examples: ClassVar[Examples] = ({"stride": 2}, {"stride": 3})
    stride: Count

    @final
    def shape(self, x: Frame) -> Frame:
        return x

    @final
    def _over(self) -> Window:
        return Window(stride=self.stride)

    @final
    def time(self) -> Time:
        return sees(self._over())

    @final
    def recipe(self, x: Frame) -> Windowed:
        call = Call("subsample_frames", {"stride": self.stride})
        return Windowed("Identity", {}, over=self._over(), window=call, clip=call)


@final
@dataclass(frozen=True)
class TemporalShift(FramesOfTime):
    """Some channels of the neighbouring frames (TSM, Lin et al., 2019): the first `C // fold_div`
    from the next frame, as many after them from the previous one, the rest from this one; zeros
    stand before the first frame and after the last.

    `online` never looks ahead: the first `C // fold_div` channels are the previous frame's, and a
    stream keeps them alone.
    """

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("shift",)
    examples: ClassVar[Examples] = (
        {"fold_div": 4},
        {"fold_div": 2},
        {"fold_div": 3, "online": True},
    )
    fold_div: Annotated[int, Integer(2)] = 8
    online: Flag = field(default=False, kw_only=True)

    @final
    def shape(self, x: Frame) -> Frame:
        if x.channels < self.fold_div:
            raise Mistake(
                "E0402",
                f"{x.channels} channels in {self.fold_div} parts: nothing would be shifted",
                argument="fold_div",
                layer=f"the input is {x}",
                help=f"`fold_div` is {x.channels} at most" if x.channels > 1 else "",
                change=Give(x.channels) if x.channels > 1 else None,
            )
        return x

    @final
    def _over(self) -> Window:
        return Window(2, before=1) if self.online else Window(3, before=1, after=1)

    @final
    def time(self) -> Time:
        return sees(self._over())

    @final
    def recipe(self, x: Frame) -> Windowed | Attended:
        shifted = {"channels": x.channels // self.fold_div}
        if self.online:
            keeps = Frame(shifted["channels"], x.space)
            frame, call = Call("first_channels", shifted), Call("shift_first_channels", shifted)
            return Attended("Identity", {}, frame, keeps, call, self.time())
        window = Call("shift_channels", shifted)
        return Windowed("Identity", {}, over=self._over(), window=window)


@final
@dataclass(frozen=True)
class Stack(FramesOfTime):
    """The channels of `frames` frames in one, the oldest frame's first: `(B, C, T, *S)` to
    `(B, frames * C, T', *S)`, for every `stride`-th frame; speech recognition stacks so to lower
    the frame rate (Sak et al., 2015).

    `padding` is that of a convolution of kernel `frames` over time: an int, a pair of before and
    after, `same` or `causal`; `temporal_fill` says what stands there.
    """

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = (
        {"frames": 3},
        {"frames": 3, "padding": "causal", "temporal_fill": "replicate"},
        {"frames": 4, "stride": 3, "padding": (2, 1)},
        {"frames": 2, "padding": "same"},
    )
    frames: Count
    stride: Count = 1
    padding: PaddingOverTime = ZERO
    temporal_fill: TimeFill = field(default="zeros", kw_only=True)

    @final
    def shape(self, x: Frame) -> Frame:
        return Frame(self.frames * x.channels, x.space)

    @final
    def _over(self) -> Window:
        return windows((self.frames,), (self.stride,), (self.padding,), (1,))[0]

    @final
    def time(self) -> Time:
        return sees(self._over())

    @final
    def recipe(self, x: Frame) -> Windowed:
        window = Call("stack_frames", {"frames": self.frames, "stride": self.stride})
        fill: Any = "replicate" if self.temporal_fill == "replicate" else 0.0
        return Windowed("Identity", {}, over=self._over(), window=window, fill=fill)
