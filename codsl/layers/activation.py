"""Pointwise nonlinearities, as torch.nn's of the same name and arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.arguments import Axis, Count, Number, Real, Word
from codsl.layers.mistake import Mistake
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import (
    ANY_RANK,
    InPlace,
    Layer,
    OfImages,
    Parameterless,
    Picture,
    Weightless,
    check_rank,
    settings,
    type_name,
)

Examples = tuple[Mapping[str, Any], ...]
PLAIN: Examples = ({},)


class Elementwise(Weightless):
    """Each number for itself."""

    @final
    def fit(self, x: Frame) -> Frame:
        return x


def axis(row: Layer, dim: int, x: Frame) -> int:
    """The dimension of `(B, C, T, *S)` that `dim` counts; raises `Mistake` for batch and time."""
    dims = 2 + x.rank
    resolved = dim + dims if dim < 0 else dim
    if resolved == 2:
        raise Mistake(
            "E0409",
            "this would be normalised over time",
            argument="dim",
            note="a stream knows no later frames, so no sum over all of them",
            help="`dim=1` is channels",
            replacement="1",
        )
    if not 1 <= resolved < dims:
        raise Mistake(
            "E0409",
            f"`dim={dim}` is no dimension of a frame",
            argument="dim",
            layer=f"the input is {x}",
            help="`dim=1` is channels",
            replacement="1",
        )
    return resolved


def image_axis(dim: int, x: Frame) -> int:
    """The dimension of `(N, C, *S)` that `dim` counts; raises `Mistake` for that of the images."""
    dims = 1 + x.rank
    resolved = dim + dims if dim < 0 else dim
    if not 1 <= resolved < dims:
        raise Mistake(
            "E0409",
            f"`dim={dim}` is no dimension of a single frame",
            argument="dim",
            layer=f"the input is {x}",
            help="`dim=1` is channels, `dim=2` the first of space",
            replacement="1",
        )
    return resolved


@dataclass(frozen=True)
class Normalised(Weightless, OfImages):
    """A softmax of some kind along one dimension: channels, or one of space."""

    dim: Axis = 1

    @final
    def fit(self, x: Frame) -> Frame:
        axis(self, self.dim, x)
        return x

    @final
    def picture(self, x: Frame) -> Picture:
        image_axis(self.dim, x)
        recipe = Pointwise(type(self).__name__, settings(self))
        return Picture(x, self.space(x), recipe)


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
    examples: ClassVar[Examples] = PLAIN


@final
class Hardsigmoid(Elementwise):
    """`relu6(x + 3) / 6` (Howard et al., 2019)."""

    rank: ClassVar[int] = ANY_RANK
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
    examples: ClassVar[Examples] = PLAIN


@final
class Hardswish(Elementwise):
    """`x * relu6(x + 3) / 6` (Howard et al., 2019)."""

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


def halved(row: Layer, at: int, x: Frame) -> Frame:
    """`x` with half of one of its sizes; raises `Mistake` where that is odd."""
    size = x.shape[at]
    if size % 2:
        name = type_name(type(row))
        raise Mistake(
            "E0402", f"`{name}` halves an even size, not {size}", layer=f"the input is {x}"
        )
    sizes = (*x.shape[:at], size // 2, *x.shape[at + 1 :])
    return Frame(sizes[0], sizes[1:])


@final
@dataclass(frozen=True)
class GLU(Weightless, OfImages):
    """The first half of `dim` times the sigmoid of the second (Dauphin et al., 2016)."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN
    dim: Axis = 1

    @final
    def fit(self, x: Frame) -> Frame:
        return halved(self, max(0, axis(self, self.dim, x) - 2), x)

    @final
    def picture(self, x: Frame) -> Picture:
        y = halved(self, image_axis(self.dim, x) - 1, x)
        return Picture(y, self.space(x), Pointwise(type(self).__name__, settings(self)))


@final
@dataclass(frozen=True)
class GTU(Parameterless, OfImages):
    """The gate of WaveNet: the hyperbolic tangent of the first half of `dim` times the sigmoid of
    the second (van den Oord et al., 2016)."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({}, {"dim": -1})
    dim: Axis = 1

    @final
    def fit(self, x: Frame) -> Frame:
        return halved(self, max(0, axis(self, self.dim, x) - 2), x)

    @final
    def picture(self, x: Frame) -> Picture:
        y = halved(self, image_axis(self.dim, x) - 1, x)
        return Picture(y, self.space(x), self.recipe(x))

    @final
    def recipe(self, x: Frame) -> Pointwise:
        return Pointwise(call=Call("gtu_halves", settings(self)))


@final
@dataclass(frozen=True)
class GELU(Elementwise):
    """`x` times the normal distribution function of `x` (Hendrycks and Gimpel, 2016)."""

    rank: ClassVar[int] = ANY_RANK
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
                replacement=str(x.channels),
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


@final
class Softmin(Normalised):
    """The softmax of `-x` along `dim`, channels if not said otherwise."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN


@final
class Softmax(Normalised):
    """`exp(x)`, divided by its sum along `dim`, channels if not said otherwise."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = ({}, {"dim": -1})


@final
class Softmax2d(Elementwise):
    """The softmax over channels of `(B, C, T, S)`."""

    rank: ClassVar[int] = 2
    examples: ClassVar[Examples] = PLAIN


@final
class LogSoftmax(Normalised):
    """The logarithm of the softmax along `dim`, channels if not said otherwise."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[Examples] = PLAIN
