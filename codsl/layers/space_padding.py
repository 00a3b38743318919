"""Padding of space by itself, in the ways of torch.nn; time is padded by what looks over it."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, sees
from codsl.layers.arguments import Real
from codsl.layers.mistake import Give, Mistake
from codsl.layers.padding import PaddingOverSpace, shorthand
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import OfImages, Picture, Unlearned, check_rank, type_name
from codsl.layers.sliding import check_repeats, slide, torch_pad

Examples = tuple[Mapping[str, Any], ...]
FLAT: Examples = ({"padding": (0, 1)}, {"padding": (0, (2, 1))})
DEEP: Examples = ({"padding": (0, 1, 2)}, {"padding": (0, (2, 0), (1, 3))})


@dataclass(frozen=True)
class SpacePad(Unlearned, OfImages):
    """More space around each frame: `padding` is 0 over time, then for each dimension of space an
    int, or a pair of before and after."""

    padding: PaddingOverSpace

    mode: ClassVar[str]

    @abstractmethod
    def filled(self) -> float:
        """What stands there, where it is constant."""

    @final
    def _windows(self) -> tuple[Window, ...]:
        return tuple(Window(before=before, after=after) for before, after in self.padding)

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        if any(self.padding[0]):
            space = ", ".join(_written(pair) for pair in self.padding[1:])
            raise Mistake(
                "E0409",
                f"`{type_name(type(self))}` cannot pad time",
                argument="padding",
                note="a stream has no frame at hand where only padding is; convolutions and pools "
                "pad time for themselves",
                help=f"pad space alone: `(0, {space})`",
                change=Give(shorthand(((0, 0), *self.padding[1:]))),
            )
        check_repeats(self.mode, self._windows(), x)
        return slide(self._windows(), x, x.channels)

    @final
    def picture(self, x: Frame) -> Picture:
        made = self._windows()
        around = (Window(), *made)
        check_repeats(self.mode, around, x)
        return Picture(slide(around, x, x.channels), tuple(map(sees, made)), self.recipe(x))

    @final
    def time(self) -> Time:
        return IDENTITY

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return tuple(map(sees, self._windows()[1:]))

    @final
    def recipe(self, x: Frame) -> Pointwise:
        value = {"value": self.filled()} if self.mode == "constant" else {}
        pad = torch_pad(self._windows())
        return Pointwise(call=Call("pad", {"pad": pad, "mode": self.mode, **value}))


def _written(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else str(pair)


class Unvalued(SpacePad):
    """Padding whose values need not be told."""

    @final
    def filled(self) -> float:
        return 0.0


@dataclass(frozen=True)
class ConstantPad(SpacePad):
    """Padding by a number."""

    value: Real
    mode: ClassVar[str] = "constant"

    @final
    def filled(self) -> float:
        return self.value


@final
class ConstantPad2d(ConstantPad):
    """`value` around `(B, C, T, S)`; `padding` per dimension, time first and 0."""

    rank: ClassVar[int] = 2
    examples: ClassVar[Examples] = tuple({**each, "value": -0.5} for each in FLAT)


@final
class ConstantPad3d(ConstantPad):
    """`value` around `(B, C, T, H, W)`; `padding` per dimension, time first and 0."""

    rank: ClassVar[int] = 3
    examples: ClassVar[Examples] = tuple({**each, "value": -0.5} for each in DEEP)


class ZeroPad(Unvalued):
    """Zeros around space."""

    also: ClassVar[tuple[str, ...]] = ("pad", "zero_padding")
    mode: ClassVar[str] = "constant"


@final
class ZeroPad2d(ZeroPad):
    """Zeros around `(B, C, T, S)`; `padding` per dimension, time first and 0."""

    rank: ClassVar[int] = 2
    examples: ClassVar[Examples] = FLAT


@final
class ZeroPad3d(ZeroPad):
    """Zeros around `(B, C, T, H, W)`; `padding` per dimension, time first and 0."""

    rank: ClassVar[int] = 3
    examples: ClassVar[Examples] = DEEP


class ReplicationPad(Unvalued):
    """The nearest number, around space."""

    mode: ClassVar[str] = "replicate"


@final
class ReplicationPad2d(ReplicationPad):
    """The nearest number around `(B, C, T, S)`; `padding` per dimension, time first and 0."""

    rank: ClassVar[int] = 2
    examples: ClassVar[Examples] = FLAT


@final
class ReplicationPad3d(ReplicationPad):
    """The nearest number around `(B, C, T, H, W)`; `padding` per dimension, time first and 0."""

    rank: ClassVar[int] = 3
    examples: ClassVar[Examples] = DEEP


class ReflectionPad(Unvalued):
    """The frame mirrored, around space."""

    mode: ClassVar[str] = "reflect"


@final
class ReflectionPad2d(ReflectionPad):
    """The frame mirrored around `(B, C, T, S)`; `padding` per dimension, time first and 0."""

    rank: ClassVar[int] = 2
    examples: ClassVar[Examples] = FLAT


@final
class ReflectionPad3d(ReflectionPad):
    """The frame mirrored around `(B, C, T, H, W)`; `padding` per dimension, time first and 0."""

    rank: ClassVar[int] = 3
    examples: ClassVar[Examples] = DEEP


class CircularPad(Unvalued):
    """The far end of the frame, around space."""

    mode: ClassVar[str] = "circular"


@final
class CircularPad2d(CircularPad):
    """The far end around `(B, C, T, S)`; `padding` per dimension, time first and 0."""

    rank: ClassVar[int] = 2
    examples: ClassVar[Examples] = FLAT


@final
class CircularPad3d(CircularPad):
    """The far end around `(B, C, T, H, W)`; `padding` per dimension, time first and 0."""

    rank: ClassVar[int] = 3
    examples: ClassVar[Examples] = DEEP
