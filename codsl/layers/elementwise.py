"""Functions of each number by itself, as torch's of the same name, and sums with constants."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.arguments import Number, NumberPerChannel, Optional, Real
from codsl.layers.mistake import Mistake
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import ANY_RANK, Parameterless, settings, type_name

Examples = tuple[Mapping[str, Any], ...]
PLAIN: Examples = ({},)
MaybeReal = Annotated[float | None, Optional(Number())]


class Function(Parameterless):
    """A function of torch, with its arguments."""

    @final
    def fit(self, x: Frame) -> Frame:
        return x

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return Pointwise(call=Call(type_name(type(self)), settings(self)))


@final
class Square(Function):
    """`x * x`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Sqrt(Function):
    """The square root; not a number below zero."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Rsqrt(Function):
    """One over the square root."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Reciprocal(Function):
    """`1 / x`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Exp(Function):
    """The exponential function."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
@dataclass(frozen=True)
class Log(Parameterless):
    """The natural logarithm of `x + eps`; minus infinity at zero without `eps`, or
    `clamp(min=1e-6)` before it."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({}, {"eps": 1e-6})
    eps: Annotated[float, Number(0)] = 0.0

    @final
    def fit(self, x: Frame) -> Frame:
        return x

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return Pointwise(call=Call("log_frames", {"eps": self.eps}))


@final
class Log1p(Function):
    """The natural logarithm of `1 + x`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Log2(Function):
    """The logarithm to base 2."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Log10(Function):
    """The logarithm to base 10."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Abs(Function):
    """The absolute value."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Neg(Function):
    """`-x`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Sin(Function):
    """The sine of radians."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Cos(Function):
    """The cosine of radians."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
@dataclass(frozen=True)
class Pow(Function):
    """`x` to the power `exponent`; not a number where `x` is negative and `exponent` no integer."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({"exponent": 3}, {"exponent": 0.5})
    exponent: Real


@final
@dataclass(frozen=True)
class Clamp(Function):
    """`x`, not below `min` and not above `max`; one of them may be left out."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({"min": -0.5, "max": 0.5}, {"min": 0.1}, {"max": 0.2})
    min: MaybeReal = None
    max: MaybeReal = None

    def __post_init__(self) -> None:
        if self.min is None and self.max is None:
            raise Mistake("E0304", "`clamp` needs `min`, `max`, or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise Mistake(
                "E0305",
                f"`min` of `clamp` is above `max`: {self.min} and {self.max}",
                argument="min",
            )


@dataclass(frozen=True)
class WithConstant(Parameterless):
    """An operation of torch with a number for all channels, or one each."""

    other: NumberPerChannel

    @final
    def fit(self, x: Frame) -> Frame:
        if isinstance(self.other, tuple) and len(self.other) != x.channels:
            raise Mistake(
                "E0402",
                f"`{type_name(type(self))}` has {len(self.other)} numbers for {x.channels} "
                "channels",
                argument="other",
                layer=f"the input is {x}",
                help="give one for all channels, or one each",
            )
        return x

    @final
    def recipe(self, x: Frame) -> Pointwise:
        name = type_name(type(self))
        if not isinstance(self.other, tuple):
            return Pointwise(call=Call(name, {"other": self.other}))
        call = Call("with_channels", {"operation": name})
        return Pointwise("Constant", {"numbers": self.other}, ("numbers",), call)


NUMBERS: Examples = ({"other": 0.5}, {"other": (0.5, -1, 2, 0.25)})
"""Numbers for four channels."""


@final
class Add(WithConstant):
    """`x + other`; `other` is a number, or one for each channel."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = NUMBERS


@final
class Sub(WithConstant):
    """`x - other`; `other` is a number, or one for each channel."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = NUMBERS


@final
class Mul(WithConstant):
    """`x * other`; `other` is a number, or one for each channel."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = NUMBERS


@final
@dataclass(frozen=True)
class Div(WithConstant):
    """`x / other`; `other` is a number, or one for each channel, and not zero."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = NUMBERS

    def __post_init__(self) -> None:
        numbers = self.other if isinstance(self.other, tuple) else (self.other,)
        if 0 in numbers:
            raise Mistake("E0305", "`other` of `div`: expected no 0", argument="other")
