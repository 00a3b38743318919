"""Convolutions over time and space, each dimension padded as it likes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import Time, sees
from codsl.layers.arguments import (
    ONE,
    ZERO,
    Count,
    Dims,
    DType,
    Fill,
    Flag,
    MaybeCount,
    Word,
)
from codsl.layers.fit import divides_both, inferred
from codsl.layers.mistake import Give, Mistake, Remedy
from codsl.layers.padding import Padding
from codsl.layers.recipe import Call, Pointwise, Windowed
from codsl.layers.row import OfImages, Picture, check_rank, type_name
from codsl.layers.sliding import check_repeats, even, slide, torch_pad, windows, without_time
from codsl.layers.weight_norm import NAMES, WeightNorm, normed

_FILLS = (
    Remedy("fill time with zeros: `temporal_fill` is `zeros`", Give("zeros", "temporal_fill")),
    Remedy(
        "fill time with its first and last frame: `temporal_fill` is `replicate`",
        Give("replicate", "temporal_fill"),
    ),
)
PaddingMode = Annotated[str, Word(("zeros", "replicate", "reflect", "circular"))]
ConvMode = Annotated[str, Word(("cross_correlation",))]


@dataclass(frozen=True)
class Convolution(OfImages):
    """Cross-correlation with learned kernels, as torch.nn's of the same rank.

    With `weight_norm` the weight is a magnitude times a direction, for each output channel, under
    the keys of `torch.nn.utils.parametrizations.weight_norm`; `old` under those of
    `torch.nn.utils.weight_norm`.
    """

    also: ClassVar[tuple[str, ...]] = (
        "convolution",
        "depthwise_conv",
        "separable_conv",
        "pointwise_conv",
        "causal_conv",
        "temporal_conv",
    )
    out_channels: Count
    kernel_size: Dims
    stride: Dims = ONE
    padding: Padding = ZERO
    dilation: Dims = ONE
    groups: Count = 1
    bias: Flag = True
    padding_mode: PaddingMode = "zeros"
    temporal_fill: Fill = field(default=None, kw_only=True)
    conv_mode: ConvMode = field(default="cross_correlation", kw_only=True)
    weight_norm: WeightNorm = field(default=False, kw_only=True)
    dtype: DType = field(default=None, kw_only=True)
    in_channels: MaybeCount = field(default=None, kw_only=True)

    @final
    def _windows(self, in_time: bool = True) -> tuple[Window, ...]:
        sizes = (self.kernel_size, self.stride, self.padding, self.dilation)
        return windows(*sizes, in_time=in_time)

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        return self._fit(self._windows(), x)

    @final
    def _fit(self, made: tuple[Window, ...], x: Frame) -> Frame:
        """The frame that windows over time and space make of `x`, once all that they need is
        there."""
        inferred("in_channels", self.in_channels, x)
        divides_both(self.groups, x, self.out_channels)
        check_repeats(self.padding_mode, made, x)
        return slide(made, x, self.out_channels, self.kernel_size)

    @final
    def time(self) -> Time:
        window = self._windows()[0]
        if self._fill() not in ("zeros", "replicate") and window.before + window.after:
            raise Mistake(
                "E0409",
                f"`{self.padding_mode}` padding cannot reach over time",
                argument="padding_mode",
                note="a stream does not know the frames that it would repeat",
                remedies=_FILLS,
            )
        return sees(window)

    @final
    def _fill(self) -> str:
        return self.temporal_fill or self.padding_mode

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        weight = (self.out_channels, x.channels // self.groups, *self.kernel_size)
        shapes = {"weight": weight, **({"bias": (self.out_channels,)} if self.bias else {})}
        return normed(shapes, self.weight_norm)

    @final
    def macs(self, x: Frame, y: Frame) -> int:
        return y.size * (x.channels // self.groups) * prod(self.kernel_size)

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return tuple(map(sees, self._windows()[1:]))

    @final
    def recipe(self, x: Frame) -> Windowed:
        made = self._windows()
        clip = self._clip(made)
        return Windowed(
            type(self).__name__,
            self._made_of(x, clip),
            over=made[0],
            window=self._padded((Window(), *made[1:]), self.padding_mode),
            tensors=("weight", "bias"),
            clip=clip,
            fill="replicate" if self._fill() == "replicate" else 0.0,
            normed=NAMES[self.weight_norm],
        )

    @final
    def _made_of(self, x: Frame, clip: Call | None) -> dict[str, Any]:
        """The arguments of torch's class."""
        native = clip.arguments["padding"] if clip is not None and not clip.pad else 0
        made_of: dict[str, Any] = {
            "in_channels": x.channels,
            "out_channels": self.out_channels,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": native,
            "dilation": self.dilation,
            "groups": self.groups,
            "bias": self.bias,
        }
        return {**made_of, "dtype": self.dtype} if self.dtype else made_of

    @final
    def picture(self, x: Frame) -> Picture:
        without_time(self.padding, self.temporal_fill)
        made = self._windows(in_time=False)
        y = self._fit((Window(), *made), x)
        call = self._clip(made)
        made_of = self._made_of(x, call)
        normed = NAMES[self.weight_norm]
        recipe = Pointwise(type(self).__name__, made_of, ("weight", "bias"), call, normed)
        return Picture(y, tuple(map(sees, made)), recipe)

    @final
    def _clip(self, made: tuple[Window, ...]) -> Call | None:
        """The whole clip in one call, where time and space are padded alike."""
        if self._fill() != self.padding_mode and made[0].before + made[0].after:
            return None
        if self.padding_mode == "zeros" and set(self.padding) == {"same"}:
            return self._call("same")
        return self._padded(made, self.padding_mode)

    @final
    def _padded(self, made: tuple[Window, ...], mode: str) -> Call:
        if mode == "zeros" and even(made):
            return self._call(tuple(window.before for window in made))
        return self._call(0, torch_pad(made), "constant" if mode == "zeros" else mode)

    @final
    def _call(
        self,
        padding: int | str | tuple[int, ...],
        pad: tuple[int, ...] = (),
        mode: str = "constant",
    ) -> Call:
        arguments = {
            "stride": self.stride,
            "padding": padding,
            "dilation": self.dilation,
            "groups": self.groups,
        }
        return Call(type_name(type(self)), arguments, pad if any(pad) else (), mode)


@final
class Conv1d(Convolution):
    """Convolution over time: `(B, C, T)`. Weight `(out, in / groups, k)`.

    With `weight_norm` the weight is a magnitude times a direction, one for each output channel
    (Salimans and Kingma, 2016), under the keys of torch.nn.utils.parametrizations.weight_norm
    (`parametrizations.weight.original0`, `original1`), or with `old` under those of
    torch.nn.utils.weight_norm (`weight_g`, `weight_v`).
    """

    rank: ClassVar[int] = 1
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"out_channels": 4, "kernel_size": 3, "padding": "causal", "dilation": 2},
        {"out_channels": 2, "kernel_size": 3, "stride": 2, "padding": ((1, 2),)},
        {"out_channels": 4, "kernel_size": 4, "padding": "same", "padding_mode": "replicate"},
        {"out_channels": 2, "kernel_size": 2, "weight_norm": True},
    )


@final
class Conv2d(Convolution):
    """Convolution over time and one dimension of space: `(B, C, T, S)`. Weight
    `(out, in / groups, k_t, k_s)`."""

    rank: ClassVar[int] = 2
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"out_channels": 4, "kernel_size": (3, 1), "padding": (1, 0), "groups": 2},
        {
            "out_channels": 2,
            "kernel_size": 3,
            "padding": ("causal", 1),
            "padding_mode": "circular",
            "temporal_fill": "zeros",
        },
    )


@final
class Conv3d(Convolution):
    """Convolution over time and two dimensions of space: `(B, C, T, H, W)`. Weight
    `(out, in / groups, k_t, k_h, k_w)`."""

    rank: ClassVar[int] = 3
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"out_channels": 4, "kernel_size": 3, "padding": 1, "bias": False},
        {"out_channels": 2, "kernel_size": (3, 2, 2), "stride": (2, 1, 1), "dilation": (2, 1, 1)},
        {
            "out_channels": 2,
            "kernel_size": 3,
            "padding": (1, (1, 0), (2, 1)),
            "padding_mode": "reflect",
            "temporal_fill": "replicate",
        },
    )
