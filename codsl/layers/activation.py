"""Nonlinearities of each number by itself, as torch.nn's of the same name and arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.arguments import Count, Number, Real, Word
from codsl.layers.mistake import Give, Mistake
from codsl.layers.recipe import Pointwise
from codsl.layers.row import ANY_RANK, InPlace, Weightless, check_rank, settings

Examples = tuple[Mapping[str, Any], ...]
PLAIN: Examples = ({},)


class Elementwise(Weightless):
    """Each number for itself."""

    @final
    def fit(self, x: Frame) -> Frame:
        return x


@final
@dataclass(frozen=True)
class Threshold(Elementwise):
    """`x` where it is above `threshold`, else `value`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({"threshold": 0.1, "value": -0.2},)
    threshold: Real
    value: Real


@final
class ReLU(Elementwise):
    """`max(0, x)`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
@dataclass(frozen=True)
class RReLU(Elementwise):
    """Leaky ReLU whose slope is drawn while training, its mean otherwise (Xu et al., 2015)."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN
    lower: Real = 1 / 8
    upper: Real = 1 / 3

    def __post_init__(self) -> None:
        if self.lower > self.upper:
            raise Mistake(
                "E0305",
                f"`lower` of `rrelu` is above `upper`: {self.lower} and {self.upper}",
                argument="lower",
            )


@final
@dataclass(frozen=True)
class Hardtanh(Elementwise):
    """`x` held between `min_val` and `max_val`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN
    min_val: Real = -1.0
    max_val: Real = 1.0

    def __post_init__(self) -> None:
        if self.min_val >= self.max_val:
            raise Mistake(
                "E0305",
                f"`min_val` of `hardtanh` is not below `max_val`: {self.min_val} and "
                f"{self.max_val}",
                argument="min_val",
            )


@final
class ReLU6(Elementwise):
    """`min(max(0, x), 6)` (Howard et al., 2017)."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Sigmoid(Elementwise):
    """`1 / (1 + exp(-x))`."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("logistic",)
    examples: ClassVar[Examples] = PLAIN


@final
class Hardsigmoid(Elementwise):
    """`relu6(x + 3) / 6` (Howard et al., 2019)."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("h_sigmoid",)
    examples: ClassVar[Examples] = PLAIN


@final
class Tanh(Elementwise):
    """The hyperbolic tangent."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class SiLU(Elementwise):
    """`x * sigmoid(x)`, also called swish (Ramachandran et al., 2017)."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("swish",)
    examples: ClassVar[Examples] = PLAIN


@final
class Hardswish(Elementwise):
    """`x * relu6(x + 3) / 6` (Howard et al., 2019)."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("h_swish",)
    examples: ClassVar[Examples] = PLAIN


@final
class Mish(Elementwise):
    """`x * tanh(softplus(x))` (Misra, 2019)."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
@dataclass(frozen=True)
class ELU(Elementwise):
    """`x` above zero, `alpha * (exp(x) - 1)` below (Clevert et al., 2015)."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN
    alpha: Real = 1.0


@final
@dataclass(frozen=True)
class CELU(Elementwise):
    """ELU with a continuous slope (Barron, 2017); `alpha` is not zero."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN
    alpha: Real = 1.0

    def __post_init__(self) -> None:
        if self.alpha == 0:
            raise Mistake(
                "E0305", "`alpha` of `celu`: expected a number other than 0", argument="alpha"
            )


@final
class SELU(Elementwise):
    """The self-normalising ELU (Klambauer et al., 2017)."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
@dataclass(frozen=True)
class GELU(Elementwise):
    """`x` times the normal distribution function of `x` (Hendrycks and Gimpel, 2016)."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("gelu_tanh",)
    examples: ClassVar[Examples] = ({}, {"approximate": "tanh"})
    approximate: Annotated[str, Word(("none", "tanh"))] = "none"


@final
@dataclass(frozen=True)
class Hardshrink(Elementwise):
    """`x` beyond `lambd` on either side, else 0."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN
    lambd: Real = 0.5


@final
@dataclass(frozen=True)
class LeakyReLU(Elementwise):
    """`x` above zero, `negative_slope * x` below (Maas et al., 2013)."""

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("lrelu",)
    examples: ClassVar[Examples] = ({"negative_slope": 0.1},)
    negative_slope: Real = 0.01


@final
class LogSigmoid(Elementwise):
    """The logarithm of the sigmoid."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
@dataclass(frozen=True)
class Softplus(Elementwise):
    """`log(1 + exp(beta * x)) / beta`, and `x` itself where `beta * x` is above `threshold`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN
    beta: Real = 1.0
    threshold: Real = 20.0


@final
@dataclass(frozen=True)
class Softshrink(Elementwise):
    """`x` moved towards zero by `lambd`, 0 where it would cross it."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN
    lambd: Annotated[float, Number(0)] = 0.5


@final
@dataclass(frozen=True)
class PReLU(InPlace):
    """Leaky ReLU with a learnt slope, one for all channels or one each (He et al., 2015)."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({}, {"num_parameters": 4})
    num_parameters: Count = 1
    init: Real = 0.25

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        if self.num_parameters not in (1, x.channels):
            raise Mistake(
                "E0402",
                f"`prelu` has {self.num_parameters} slopes for {x.channels} channels",
                argument="num_parameters",
                layer=f"the input is {x}",
                help="give one for all channels, or one each",
                change=Give(x.channels),
            )
        return x

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {"weight": (self.num_parameters,)}

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return Pointwise("PReLU", settings(self))


@final
class Softsign(Elementwise):
    """`x / (1 + |x|)`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Tanhshrink(Elementwise):
    """`x - tanh(x)`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN
