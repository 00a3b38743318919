"""Transposed convolutions: each item is spread over several outputs, in time and in space."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import Time, spreads
from codsl.layers.arguments import (
    ONE,
    ZERO,
    Count,
    Dims,
    DType,
    Flag,
    MaybeCount,
    PerDimension,
)
from codsl.layers.fit import divides_both, few, inferred
from codsl.layers.mistake import Mistake
from codsl.layers.padding import Padding
from codsl.layers.recipe import Call, Spread
from codsl.layers.row import Layer, check_rank
from codsl.layers.weight_norm import NAMES, WeightNorm, normed

Examples = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Transposed(Layer):
    """The gradient of a convolution, as torch.nn's transposed ones of the same rank."""

    also: ClassVar[tuple[str, ...]] = ("deconv", "deconvolution", "upconv", "transposed_conv")
    out_channels: Count
    kernel_size: Dims
    stride: Dims = ONE
    padding: Padding = ZERO
    output_padding: Annotated[tuple[int, ...], PerDimension(0)] = ZERO
    groups: Count = 1
    bias: Flag = True
    dilation: Dims = ONE
    weight_norm: WeightNorm = field(default=False, kw_only=True)
    dtype: DType = field(default=None, kw_only=True)
    in_channels: MaybeCount = field(default=None, kw_only=True)

    @final
    def _windows(self) -> tuple[Window, ...]:
        sizes = zip(self.kernel_size, self.padding, self.dilation, self.stride, strict=True)
        return tuple(_window(*size) for size in sizes)

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        inferred("in_channels", self.in_channels, x)
        divides_both(self.groups, x, self.out_channels)
        for stride in self.stride:
            few("stride", stride)
        for extra, stride, dilation in zip(
            self.output_padding, self.stride, self.dilation, strict=True
        ):
            if extra >= max(stride, dilation):
                raise Mistake(
                    "E0404",
                    f"output_padding={extra} is not less than stride={stride} or "
                    f"dilation={dilation}",
                    argument="output_padding",
                )
        dimensions = zip(
            x.space, self._windows()[1:], self.stride[1:], self.output_padding[1:], strict=True
        )
        return Frame(self.out_channels, tuple(self._size(x, *each) for each in dimensions))

    @final
    def _size(self, x: Frame, size: int, over: Window, stride: int, extra: int) -> int:
        made = (size - 1) * stride + over.reach + 1 + extra - over.before - over.after
        if made < 1:
            raise Mistake(
                "E0403",
                f"padding of {over.before + over.after} leaves nothing of {size}",
                argument="padding",
                layer=f"the input is {x}",
            )
        return made

    @final
    def time(self) -> Time:
        return spreads(self.stride[0], self._windows()[0], self.output_padding[0])

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        weight = (x.channels, self.out_channels // self.groups, *self.kernel_size)
        shapes = {"weight": weight, **({"bias": (self.out_channels,)} if self.bias else {})}
        return normed(shapes, self.weight_norm)

    @final
    def macs(self, x: Frame, y: Frame) -> Fraction:
        of_an_item = x.size * (self.out_channels // self.groups) * prod(self.kernel_size)
        return Fraction(of_an_item, self.stride[0])

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        sizes = zip(self.stride, self._windows(), self.output_padding, strict=True)
        return tuple(spreads(*each) for each in [*sizes][1:])

    @final
    def recipe(self, x: Frame) -> Spread:
        over, *_ = made = self._windows()
        made_of: dict[str, Any] = {
            "in_channels": x.channels,
            "out_channels": self.out_channels,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "groups": self.groups,
            "bias": self.bias,
            "dilation": self.dilation,
        }
        return Spread(
            type(self).__name__,
            {**made_of, "dtype": self.dtype} if self.dtype else made_of,
            call=self._call("spread_due", (Window(), *made[1:]), 0),
            reach=self.time(),
            factor=self.stride[0],
            front=over.before,
            tensors=("weight", "bias"),
            clip=self._call("spread_out", made, self.output_padding[0]),
            fill=0.0,
            normed=NAMES[self.weight_norm],
            exact=True,
        )

    @final
    def _call(self, function: str, made: tuple[Window, ...], extra: int) -> Call:
        arguments = {
            "crop": tuple((window.before, window.after) for window in made),
            "stride": self.stride,
            "output_padding": (extra, *self.output_padding[1:]),
            "groups": self.groups,
            "dilation": self.dilation,
        }
        return Call(function, arguments)


def _window(kernel: int, pad: tuple[int, int] | str, dilation: int, stride: int) -> Window:
    reach = dilation * (kernel - 1)
    if pad == "same":
        raise Mistake(
            "E0404",
            "`same` does not say which outputs of a transposed convolution are left out",
            argument="padding",
            help="give what is left out as numbers: an integer, or a pair `(front, end)`",
        )
    if pad == "causal":
        return Window(kernel, 1, 0, max(0, reach + 1 - stride), dilation)
    return Window(kernel, 1, int(pad[0]), int(pad[1]), dilation)


@final
class ConvTranspose1d(Transposed):
    """Transposed convolution over time: `(B, C, T)`. Weight `(in, out / groups, k)`.

    A clip of `T` frames gives `(T - 1) * stride + dilation * (kernel_size - 1) + 1 +
    output_padding` outputs less those that `padding` leaves out at either end: an integer, or a
    pair `(front, end)`; `causal` leaves out the last `dilation * (kernel_size - 1) + 1 - stride`,
    so that every frame gives `stride` outputs at once. Several outputs come with one frame where
    `stride` is more than 1: a stream is then fed with `forward_steps`. An output is made of the
    items that its taps reach, and is `bias` alone where none does. (Zeiler et al., 2010)
    `weight_norm` is as in `conv1d`, with a magnitude for each input channel, as torch has it.
    """

    rank: ClassVar[int] = 1
    examples: ClassVar[Examples] = (
        {"out_channels": 3, "kernel_size": 4, "stride": 2, "padding": 1, "weight_norm": "old"},
        {"out_channels": 2, "kernel_size": 5, "stride": 2, "padding": "causal", "bias": False},
        {"out_channels": 4, "kernel_size": 3, "stride": 3, "output_padding": 1, "groups": 2},
        {"out_channels": 2, "kernel_size": 3, "stride": 2, "padding": ((0, 2),), "dilation": 3},
    )


@final
class ConvTranspose2d(Transposed):
    """Transposed convolution over time and one dimension of space: `(B, C, T, S)`. Weight
    `(in, out / groups, k_t, k_s)`. Time is as in `conv_transpose1d`, and space alike."""

    rank: ClassVar[int] = 2
    examples: ClassVar[Examples] = (
        {"out_channels": 3, "kernel_size": (3, 2), "stride": (2, 2), "padding": (1, 0)},
        {
            "out_channels": 2,
            "kernel_size": 3,
            "stride": (1, 2),
            "padding": ("causal", (0, 1)),
            "output_padding": (0, 1),
            "groups": 2,
        },
    )


@final
class ConvTranspose3d(Transposed):
    """Transposed convolution over time and two dimensions of space: `(B, C, T, H, W)`. Weight
    `(in, out / groups, k_t, k_h, k_w)`. Time is as in `conv_transpose1d`, and space alike."""

    rank: ClassVar[int] = 3
    examples: ClassVar[Examples] = (
        {"out_channels": 2, "kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
        {
            "out_channels": 2,
            "kernel_size": (2, 3, 1),
            "stride": (2, 1, 1),
            "padding": (0, (1, 0), 0),
            "dilation": (1, 2, 1),
            "bias": False,
        },
    )
