"""The classes that are made of the rows of the table; `make generated` writes this file."""

# mypy: disable-error-code="misc, override"

from collections.abc import Sequence
from typing import Any, Literal, Optional, Union

import torch
from torch import nn

from codsl.nn.layer import Layer

__all__ = [
    "Abs",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AlphaDropout",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Bias",
    "CELU",
    "ChannelLayerNorm",
    "ChannelShuffle",
    "CircularPad2d",
    "CircularPad3d",
    "Clamp",
    "ConstantPad2d",
    "ConstantPad3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Cos",
    "Crop",
    "CumulativeLayerNorm",
    "Div",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "ELU",
    "Embedding",
    "Exp",
    "FeatureAlphaDropout",
    "Flatten",
    "GELU",
    "GLU",
    "GTU",
    "GraphConv",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "LeakyReLU",
    "LocalResponseNorm",
    "Log",
    "Log10",
    "Log1p",
    "Log2",
    "LogSigmoid",
    "LogSoftmax",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Mel",
    "Mish",
    "Mul",
    "MultiheadAttention",
    "Neg",
    "Normalize",
    "PReLU",
    "Permute",
    "PixelShuffle",
    "PixelUnshuffle",
    "PositionalEncoding",
    "Pow",
    "RMSNorm",
    "RReLU",
    "ReLU",
    "ReLU6",
    "Reciprocal",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "RmsNorm",
    "Rsqrt",
    "RunningMean",
    "SELU",
    "Scale",
    "SiLU",
    "Sigmoid",
    "Sin",
    "Slice",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Sqrt",
    "Square",
    "Stack",
    "Stft",
    "Sub",
    "Subsample",
    "Tanh",
    "Tanhshrink",
    "TemporalShift",
    "Threshold",
    "TransformerEncoderLayer",
    "Upsample",
    "ZeroPad2d",
    "ZeroPad3d",
]

container: Any
logging: Any
utils: Any

class Abs(Layer):
    """The absolute value."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Abs: ...

class AdaptiveAvgPool1d(Layer, nn.AdaptiveAvgPool1d):
    """Mean over `kernel_size` items of time: `(B, C, T)`."""

    def __init__(
        self,
        output_size: int | tuple[int | None],
        kernel_size: int | None = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> AdaptiveAvgPool1d: ...

class AdaptiveAvgPool2d(Layer, nn.AdaptiveAvgPool2d):
    """Mean to a given size over space and `kernel_size` items of time: `(B, C, T, S)`."""

    def __init__(
        self,
        output_size: int | tuple[int | None, int | None],
        kernel_size: int | None = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> AdaptiveAvgPool2d: ...

class AdaptiveAvgPool3d(Layer, nn.AdaptiveAvgPool3d):
    """Mean to a given size over space and `kernel_size` items of time: `(B, C, T, H, W)`."""

    def __init__(
        self,
        output_size: int | tuple[int | None, int | None, int | None],
        kernel_size: int | None = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> AdaptiveAvgPool3d: ...

class AdaptiveMaxPool1d(Layer, nn.AdaptiveMaxPool1d):
    """Maximum over `kernel_size` items of time: `(B, C, T)`."""

    def __init__(
        self,
        output_size: int | tuple[int | None],
        return_indices: bool = False,
        kernel_size: int | None = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> AdaptiveMaxPool1d: ...

class AdaptiveMaxPool2d(Layer, nn.AdaptiveMaxPool2d):
    """Maximum to a given size over space and `kernel_size` items of time: `(B, C, T, S)`."""

    def __init__(
        self,
        output_size: int | tuple[int | None, int | None],
        return_indices: bool = False,
        kernel_size: int | None = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> AdaptiveMaxPool2d: ...

class AdaptiveMaxPool3d(Layer, nn.AdaptiveMaxPool3d):
    """Maximum to a given size over space and `kernel_size` items of time: `(B, C, T, H, W)`."""

    def __init__(
        self,
        output_size: int | tuple[int | None, int | None, int | None],
        return_indices: bool = False,
        kernel_size: int | None = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> AdaptiveMaxPool3d: ...

class AlphaDropout(Layer, nn.AlphaDropout):
    """Dropout that keeps mean and variance, for SELU (Klambauer et al., 2017)."""

    def __init__(
        self,
        p: float | str = 0.5,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> AlphaDropout: ...

class AvgPool1d(Layer, nn.AvgPool1d):
    """Mean over a window of time: `(B, C, T)`."""

    def __init__(
        self,
        kernel_size: int | tuple[int],
        stride: int | tuple[int] | None = None,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        temporal_fill: Optional[Literal["zeros", "replicate"]] = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> AvgPool1d: ...

class AvgPool2d(Layer, nn.AvgPool2d):
    """Mean over a window of time and one dimension of space: `(B, C, T, S)`."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
        temporal_fill: Optional[Literal["zeros", "replicate"]] = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> AvgPool2d: ...

class AvgPool3d(Layer, nn.AvgPool3d):
    """Mean over a window of time and two dimensions of space: `(B, C, T, H, W)`."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int, int],
        stride: int | tuple[int, int, int] | None = None,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
        temporal_fill: Optional[Literal["zeros", "replicate"]] = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> AvgPool3d: ...

class BatchNorm1d(Layer, nn.BatchNorm1d):
    """Batch normalisation of `(B, C, T)`."""

    def __init__(
        self,
        num_features: int,
        eps: float | str = 1e-05,
        momentum: float | str | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: Any = True,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> BatchNorm1d: ...

class BatchNorm2d(Layer, nn.BatchNorm2d):
    """Batch normalisation of `(B, C, T, S)`."""

    def __init__(
        self,
        num_features: int,
        eps: float | str = 1e-05,
        momentum: float | str | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: Any = True,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> BatchNorm2d: ...

class BatchNorm3d(Layer, nn.BatchNorm3d):
    """Batch normalisation of `(B, C, T, H, W)`."""

    def __init__(
        self,
        num_features: int,
        eps: float | str = 1e-05,
        momentum: float | str | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: Any = True,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> BatchNorm3d: ...

class Bias(Layer):
    """Plus a learnt summand, `init` at first; `each` is that of `scale`, the parameter `bias`."""

    def __init__(
        self,
        each: Literal["frame", "channel", "place", "number"] = "channel",
        init: float | str = 0.0,
        shape: Sequence[int] | None = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Bias: ...

class CELU(Layer, nn.CELU):
    """ELU with a continuous slope (Barron, 2017); `alpha` is not zero."""

    def __init__(
        self,
        alpha: float | str = 1.0,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> CELU: ...

class ChannelLayerNorm(Layer):
    """Normalisation of each frame, at each place, over its channels alone.

    What asteroid calls `cLN`: `(x - mean) / sqrt(variance + eps) * gamma + beta`. That of
    Conv-TasNet's paper is `cumulative_layer_norm`.
    """

    def __init__(
        self,
        num_features: int,
        eps: float | str = 1e-08,
        affine: bool = True,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ChannelLayerNorm: ...

class ChannelShuffle(Layer, nn.ChannelShuffle):
    """Channels dealt out anew: the first of each of `groups` groups, then the second, and so on
    (Zhang et al., 2018)."""

    def __init__(
        self,
        groups: int,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ChannelShuffle: ...

class CircularPad2d(Layer, nn.CircularPad2d):
    """The far end around `(B, C, T, S)`; `padding` per dimension, time first and 0."""

    def __init__(
        self,
        padding: int | tuple[int | tuple[int, int], int | tuple[int, int]],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> CircularPad2d: ...

class CircularPad3d(Layer, nn.CircularPad3d):
    """The far end around `(B, C, T, H, W)`; `padding` per dimension, time first and 0."""

    def __init__(
        self,
        padding: int | tuple[int | tuple[int, int], int | tuple[int, int], int | tuple[int, int]],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> CircularPad3d: ...

class Clamp(Layer):
    """`x`, not below `min` and not above `max`; one of them may be left out."""

    def __init__(
        self,
        min: float | str | None = None,
        max: float | str | None = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Clamp: ...

class ConstantPad2d(Layer, nn.ConstantPad2d):
    """`value` around `(B, C, T, S)`; `padding` per dimension, time first and 0."""

    def __init__(
        self,
        padding: int | tuple[int | tuple[int, int], int | tuple[int, int]],
        value: float | str,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ConstantPad2d: ...

class ConstantPad3d(Layer, nn.ConstantPad3d):
    """`value` around `(B, C, T, H, W)`; `padding` per dimension, time first and 0."""

    def __init__(
        self,
        padding: int | tuple[int | tuple[int, int], int | tuple[int, int], int | tuple[int, int]],
        value: float | str,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ConstantPad3d: ...

class Conv1d(Layer, nn.Conv1d):
    """Convolution over time: `(B, C, T)`. Weight `(out, in / groups, k)`.

    With `weight_norm` the weight is a magnitude times a direction, one for each output channel
    (Salimans and Kingma, 2016), under the keys of torch.nn.utils.parametrizations.weight_norm
    (`parametrizations.weight.original0`, `original1`), or with `old` under those of
    torch.nn.utils.weight_norm (`weight_g`, `weight_v`).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int],
        stride: int | tuple[int] = 1,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        dilation: int | tuple[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: Literal["zeros", "replicate", "reflect", "circular"] = "zeros",
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        temporal_fill: Optional[Literal["zeros", "replicate"]] = "zeros",
        conv_mode: Literal["cross_correlation"] = "cross_correlation",
        weight_norm: Union[bool, Literal["old"]] = False,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Conv1d: ...

class Conv2d(Layer, nn.Conv2d):
    """Convolution over time and one dimension of space: `(B, C, T, S)`. Weight
    `(out, in / groups, k_t, k_s)`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: Literal["zeros", "replicate", "reflect", "circular"] = "zeros",
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        temporal_fill: Optional[Literal["zeros", "replicate"]] = "zeros",
        conv_mode: Literal["cross_correlation"] = "cross_correlation",
        weight_norm: Union[bool, Literal["old"]] = False,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Conv2d: ...

class Conv3d(Layer, nn.Conv3d):
    """Convolution over time and two dimensions of space: `(B, C, T, H, W)`. Weight
    `(out, in / groups, k_t, k_h, k_w)`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int, int],
        stride: int | tuple[int, int, int] = 1,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        dilation: int | tuple[int, int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: Literal["zeros", "replicate", "reflect", "circular"] = "zeros",
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        temporal_fill: Optional[Literal["zeros", "replicate"]] = "zeros",
        conv_mode: Literal["cross_correlation"] = "cross_correlation",
        weight_norm: Union[bool, Literal["old"]] = False,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Conv3d: ...

class ConvTranspose1d(Layer, nn.ConvTranspose1d):
    """Transposed convolution over time: `(B, C, T)`. Weight `(in, out / groups, k)`.

    A clip of `T` frames gives `(T - 1) * stride + dilation * (kernel_size - 1) + 1 +
    output_padding` outputs less those that `padding` leaves out at either end: an integer, or a
    pair `(front, end)`; `causal` leaves out the last `dilation * (kernel_size - 1) + 1 - stride`,
    so that every frame gives `stride` outputs at once. Several outputs come with one frame where
    `stride` is more than 1: a stream is then fed with `forward_steps`. An output is made of the
    items that its taps reach, and is `bias` alone where none does. (Zeiler et al., 2010)
    `weight_norm` is as in `conv1d`, with a magnitude for each input channel, as torch has it.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int],
        stride: int | tuple[int] = 1,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        output_padding: int | tuple[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | tuple[int] = 1,
        padding_mode: Any = "zeros",
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        weight_norm: Union[bool, Literal["old"]] = False,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ConvTranspose1d: ...

class ConvTranspose2d(Layer, nn.ConvTranspose2d):
    """Transposed convolution over time and one dimension of space: `(B, C, T, S)`. Weight
    `(in, out / groups, k_t, k_s)`. Time is as in `conv_transpose1d`, and space alike."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        output_padding: int | tuple[int, int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | tuple[int, int] = 1,
        padding_mode: Any = "zeros",
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        weight_norm: Union[bool, Literal["old"]] = False,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ConvTranspose2d: ...

class ConvTranspose3d(Layer, nn.ConvTranspose3d):
    """Transposed convolution over time and two dimensions of space: `(B, C, T, H, W)`. Weight
    `(in, out / groups, k_t, k_h, k_w)`. Time is as in `conv_transpose1d`, and space alike."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int, int],
        stride: int | tuple[int, int, int] = 1,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        output_padding: int | tuple[int, int, int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | tuple[int, int, int] = 1,
        padding_mode: Any = "zeros",
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        weight_norm: Union[bool, Literal["old"]] = False,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ConvTranspose3d: ...

class Cos(Layer):
    """The cosine of radians."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Cos: ...

class Crop(Layer):
    """A clip without its first `front` and its last `back` items: `(B, C, T, *S)` to
    `(B, C, T - front - back, *S)`.

    That an item is not among the last `back` is known only `back` items later, so a stream gives
    it `back` items late. The items left out at the front are never waited for.
    """

    def __init__(
        self,
        front: int = 0,
        back: int = 0,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Crop: ...

class CumulativeLayerNorm(Layer):
    """Normalisation by the mean and the variance of all numbers of all frames so far.

    The cumulative layer normalisation of Conv-TasNet (Luo and Mesgarani, 2019), which asteroid
    calls `cgLN`: `(x - mean) / sqrt(variance + eps) * gamma + beta`, with `gamma` and `beta` for
    each channel. Frames with space are normalised over it too: `(B, C, T, *S)` keeps its shape. The
    sums are carried on in float64, so that they stay exact in an endless stream.
    """

    def __init__(
        self,
        num_features: int,
        eps: float | str = 1e-08,
        affine: bool = True,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> CumulativeLayerNorm: ...

class Div(Layer):
    """`x / other`; `other` is a number, or one for each channel, and not zero."""

    def __init__(
        self,
        other: float | Sequence[float],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Div: ...

class Dropout(Layer, nn.Dropout):
    """Zeroes numbers, and scales the rest by `1 / (1 - p)` (Hinton et al., 2012)."""

    def __init__(
        self,
        p: float | str = 0.5,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Dropout: ...

class Dropout1d(Layer, nn.Dropout1d):
    """Zeroes whole channels of `(B, C, T)`."""

    def __init__(
        self,
        p: float | str = 0.5,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Dropout1d: ...

class Dropout2d(Layer, nn.Dropout2d):
    """Zeroes whole channels of `(B, C, T, S)` (Tompson et al., 2014)."""

    def __init__(
        self,
        p: float | str = 0.5,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Dropout2d: ...

class Dropout3d(Layer, nn.Dropout3d):
    """Zeroes whole channels of `(B, C, T, H, W)`."""

    def __init__(
        self,
        p: float | str = 0.5,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Dropout3d: ...

class ELU(Layer, nn.ELU):
    """`x` above zero, `alpha * (exp(x) - 1)` below (Clevert et al., 2015)."""

    def __init__(
        self,
        alpha: float | str = 1.0,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ELU: ...

class Embedding(Layer, nn.Embedding):
    """The vector of each id: `(B, 1, T, *S)` to `(B, embedding_dim, T, *S)`; weight
    `(num_embeddings, embedding_dim)`.

    Ids come as numbers of the network's dtype and are rounded: 0 to `num_embeddings - 1`, others
    are an error; NaN gives NaN. Half precision counts exactly to 2048, bfloat16 to 256. The vector
    of `padding_idx` starts as zeros and is not learnt.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: Any = None,
        norm_type: Any = 2.0,
        scale_grad_by_freq: Any = False,
        sparse: Any = False,
        _weight: Any = None,
        _freeze: Any = False,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Embedding: ...

class Exp(Layer):
    """The exponential function."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Exp: ...

class FeatureAlphaDropout(Layer, nn.FeatureAlphaDropout):
    """Alpha dropout of whole channels."""

    def __init__(
        self,
        p: float | str = 0.5,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> FeatureAlphaDropout: ...

class Flatten(Layer, nn.Flatten):
    """Each frame's numbers in a row: `(B, C, T, *S)` to `(B, C * prod(S), T)`."""

    def __init__(
        self,
        start_dim: Any = 1,
        end_dim: Any = -1,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Flatten: ...

class GELU(Layer, nn.GELU):
    """`x` times the normal distribution function of `x` (Hendrycks and Gimpel, 2016)."""

    def __init__(
        self,
        approximate: Literal["none", "tanh"] = "none",
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> GELU: ...

class GLU(Layer, nn.GLU):
    """The first half of `dim` times the sigmoid of the second (Dauphin et al., 2016)."""

    def __init__(
        self,
        dim: int = 1,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> GLU: ...

class GTU(Layer):
    """The gate of WaveNet: the hyperbolic tangent of the first half of `dim` times the sigmoid of
    the second (van den Oord et al., 2016)."""

    def __init__(
        self,
        dim: int = 1,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> GTU: ...

class GraphConv(Layer):
    """The spatial graph convolution of ST-GCN (Yan et al., 2018): `(B, in, T, V)` to
    `(B, out, T, V)`, frame by frame, over the `V` nodes of a graph.

    `adjacency` is a matrix `(V, V)`, or `K` of them, one for each kind of edge, normalised as they
    are to be used: node `w` of the output is the sum over `k` and `v` of `adjacency[k][v][w]` times
    the `k`-th map of node `v`. Or else `edges` are pairs of nodes, counted from 0, and `center` is
    a node: there are three matrices then, ST-GCN's spatial partition of a skeleton, of each node
    itself, of its neighbours away from the center, and of those towards it. The maps are torch's
    convolution of kernel 1: weight `(K * out, in, 1, 1)`, bias `(K * out,)`. `learned` makes the
    adjacency a parameter (Shi et al., 2019), else it is a constant of the spec; `edge_importance`
    multiplies it by a parameter that starts as ones.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        adjacency: Sequence[Sequence[float | Sequence[float]]] | None = None,
        bias: bool = True,
        learned: bool = False,
        edges: Sequence[tuple[int, int] | str] | None = None,
        center: int | None = None,
        edge_importance: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> GraphConv: ...

class GroupNorm(Layer, nn.GroupNorm):
    """Normalisation of each frame by the mean and the variance of each of `num_groups` groups of
    channels, with all their space (Wu and He, 2018). Weight and bias `(C,)`.

    Torch's GroupNorm of a clip takes its statistics over all frames, the future ones too. Here
    they are those of one frame: what torch gives for each frame alone.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float | str = 1e-05,
        affine: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: Any = True,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> GroupNorm: ...

class Hardshrink(Layer, nn.Hardshrink):
    """`x` beyond `lambd` on either side, else 0."""

    def __init__(
        self,
        lambd: float | str = 0.5,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Hardshrink: ...

class Hardsigmoid(Layer, nn.Hardsigmoid):
    """`relu6(x + 3) / 6` (Howard et al., 2019)."""

    def __init__(
        self,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Hardsigmoid: ...

class Hardswish(Layer, nn.Hardswish):
    """`x * relu6(x + 3) / 6` (Howard et al., 2019)."""

    def __init__(
        self,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Hardswish: ...

class Hardtanh(Layer, nn.Hardtanh):
    """`x` held between `min_val` and `max_val`."""

    def __init__(
        self,
        min_val: float | str = -1.0,
        max_val: float | str = 1.0,
        inplace: bool = False,
        min_value: Any = None,
        max_value: Any = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Hardtanh: ...

class InstanceNorm1d(Layer, nn.InstanceNorm1d):
    """Instance normalisation of `(B, C, T)` by running statistics, which are constants in `eval()`
    (Ulyanov et al., 2016).

    A frame without space has no statistics of its own: without `track_running_stats` torch's would
    be over time, and this is refused.
    """

    def __init__(
        self,
        num_features: int,
        eps: float | str = 1e-05,
        momentum: float | str | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: Any = True,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> InstanceNorm1d: ...

class InstanceNorm2d(Layer, nn.InstanceNorm2d):
    """Instance normalisation of `(B, C, T, S)`, each channel of each frame over space (Ulyanov et
    al., 2016); torch's of that name takes its statistics over time too, the future included.

    With `track_running_stats` it is torch's own: over the clip in training, constants in `eval()`.
    """

    def __init__(
        self,
        num_features: int,
        eps: float | str = 1e-05,
        momentum: float | str | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: Any = True,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> InstanceNorm2d: ...

class InstanceNorm3d(Layer, nn.InstanceNorm3d):
    """Instance normalisation of `(B, C, T, H, W)`, each channel of each frame over space (Ulyanov
    et al., 2016); torch's of that name takes its statistics over time too, the future included.

    With `track_running_stats` it is torch's own: over the clip in training, constants in `eval()`.
    """

    def __init__(
        self,
        num_features: int,
        eps: float | str = 1e-05,
        momentum: float | str | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: Any = True,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> InstanceNorm3d: ...

class LayerNorm(Layer, nn.LayerNorm):
    """Normalisation by the mean and the variance of each frame (Ba et al., 2016): over the
    `channels` of each place, weight `(C,)`, or over all of the `frame`, weight `(C, *S)`.

    Torch's layer of that name takes the last dimensions of a tensor; over `(B, C, T)` those would
    be time. Here no statistic is over time.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int] | None,
        eps: float | str = 1e-05,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        over: Literal["channels", "frame"] = "channels",
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> LayerNorm: ...

class LeakyReLU(Layer, nn.LeakyReLU):
    """`x` above zero, `negative_slope * x` below (Maas et al., 2013)."""

    def __init__(
        self,
        negative_slope: float | str = 0.01,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> LeakyReLU: ...

class LocalResponseNorm(Layer, nn.LocalResponseNorm):
    """Each number divided by `(k + alpha * m) ** beta`, with `m` the mean square of `size` channels
    around its own at its place, those beyond the ends zero (Krizhevsky et al., 2012)."""

    def __init__(
        self,
        size: int,
        alpha: float | str = 0.0001,
        beta: float | str = 0.75,
        k: float | str = 1.0,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> LocalResponseNorm: ...

class Log(Layer):
    """The natural logarithm of `x + eps`; minus infinity at zero without `eps`, or
    `clamp(min=1e-6)` before it."""

    def __init__(
        self,
        eps: float | str = 0.0,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Log: ...

class Log10(Layer):
    """The logarithm to base 10."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Log10: ...

class Log1p(Layer):
    """The natural logarithm of `1 + x`."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Log1p: ...

class Log2(Layer):
    """The logarithm to base 2."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Log2: ...

class LogSigmoid(Layer, nn.LogSigmoid):
    """The logarithm of the sigmoid."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> LogSigmoid: ...

class LogSoftmax(Layer, nn.LogSoftmax):
    """The logarithm of the softmax along `dim`, channels if not said otherwise."""

    def __init__(
        self,
        dim: int = 1,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> LogSoftmax: ...

class MaxPool1d(Layer, nn.MaxPool1d):
    """Maximum over a window of time: `(B, C, T)`."""

    def __init__(
        self,
        kernel_size: int | tuple[int],
        stride: int | tuple[int] | None = None,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        dilation: int | tuple[int] = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
        temporal_fill: Optional[Literal["zeros"]] = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> MaxPool1d: ...

class MaxPool2d(Layer, nn.MaxPool2d):
    """Maximum over a window of time and one dimension of space: `(B, C, T, S)`."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        dilation: int | tuple[int, int] = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
        temporal_fill: Optional[Literal["zeros"]] = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> MaxPool2d: ...

class MaxPool3d(Layer, nn.MaxPool3d):
    """Maximum over a window of time and two dimensions of space: `(B, C, T, H, W)`."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int, int],
        stride: int | tuple[int, int, int] | None = None,
        padding: Union[int, tuple[Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]], Union[int, tuple[int, int], Literal["same", "causal"]]], Literal["same", "causal"]] = 0,
        dilation: int | tuple[int, int, int] = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
        temporal_fill: Optional[Literal["zeros"]] = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> MaxPool3d: ...

class Mel(Layer):
    """`n_mels` triangular bands, evenly spaced on the mel scale, of a spectrum that `stft` makes of
    `sample_rate` samples a second: `(B, n_fft // 2 + 1, T)` to `(B, n_mels, T)`.

    As torchaudio's `MelScale`, with its defaults: the scale of HTK, `2595 * log10(1 + f / 700)`,
    or `mel_scale="slaney"`, linear below 1000 Hz and logarithmic above (Slaney's Auditory Toolbox,
    1998); `norm="slaney"` divides each band by half its width. librosa's defaults are both.
    Bands lie from `f_min` to `f_max`, half the sample rate if it is left out. They are no weights.
    """

    def __init__(
        self,
        n_stft: int,
        n_mels: int,
        sample_rate: int,
        f_min: float | str = 0.0,
        f_max: float | str | None = None,
        norm: Optional[Literal["slaney"]] = None,
        mel_scale: Literal["htk", "slaney"] = "htk",
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Mel: ...

class Mish(Layer, nn.Mish):
    """`x * tanh(softplus(x))` (Misra, 2019)."""

    def __init__(
        self,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Mish: ...

class Mul(Layer):
    """`x * other`; `other` is a number, or one for each channel."""

    def __init__(
        self,
        other: float | Sequence[float],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Mul: ...

class MultiheadAttention(Layer, nn.MultiheadAttention):
    """Self-attention with several heads (Vaswani et al., 2017) over a bounded window.

    Output `j` attends to the items from `j - past` to `j + ahead` that there are, its own among
    them: torch.nn.MultiheadAttention with that band as its mask, `(B, C, T)` to `(B, C, T)`. The
    first outputs see fewer items, and so do the last `ahead`. Weights and keys are torch's
    (`in_proj_weight`, `in_proj_bias`, `out_proj.weight`, `out_proj.bias`). A stream keeps the key
    and the value of `past + ahead` items, and the last `ahead` items; each is projected once.
    `rotary_base` turns queries and keys by their positions (Su et al., 2021; 10000 there), in pairs
    of neighbouring channels: what matters is how far apart they are, so an endless stream does not
    tire of it. `dropout` drops attention weights, only in training.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float | str = 0.0,
        bias: bool = True,
        add_bias_kv: Any = False,
        add_zero_attn: Any = False,
        kdim: Any = None,
        vdim: Any = None,
        batch_first: bool = False,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        ahead: int = 0,
        rotary_base: float | str | None = None,
        *,
        past: int,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> MultiheadAttention: ...

class Neg(Layer):
    """`-x`."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Neg: ...

class Normalize(Layer):
    """`(x - mean) / std` of each channel, as torchvision's transform of the same name; each is a
    number for all channels, or one for each.

    Both are constants of the spec, and no weights: no checkpoint has them. Pictures that
    `codsl run` reads are from 0 to 1.
    """

    def __init__(
        self,
        mean: float | Sequence[float],
        std: float | Sequence[float],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Normalize: ...

class PReLU(Layer, nn.PReLU):
    """Leaky ReLU with a learnt slope, one for all channels or one each (He et al., 2015)."""

    def __init__(
        self,
        num_parameters: int = 1,
        init: float | str = 0.25,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> PReLU: ...

class Permute(Layer):
    """The dimensions of each frame in another order. `dims` counts them without batch and time:
    0 is channels, 1 the first of space; `(2, 0, 1)` makes `(W, C, H)` of `(C, H, W)`."""

    def __init__(
        self,
        dims: int | Sequence[int],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Permute: ...

class PixelShuffle(Layer, nn.PixelShuffle):
    """Channels spread over space: `(B, C * r * r, T, H, W)` to `(B, C, T, H * r, W * r)`, where
    `r` is `upscale_factor` (Shi et al., 2016)."""

    def __init__(
        self,
        upscale_factor: int,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> PixelShuffle: ...

class PixelUnshuffle(Layer, nn.PixelUnshuffle):
    """Space gathered into channels: `(B, C, T, H * r, W * r)` to `(B, C * r * r, T, H, W)`, where
    `r` is `downscale_factor`; what `pixel_shuffle` undoes."""

    def __init__(
        self,
        downscale_factor: int,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> PixelUnshuffle: ...

class PositionalEncoding(Layer):
    """Adds sines and cosines of the item's number, counted from 0 (Vaswani et al., 2017).

    Channel `2i` of item `t` gets `sin(t / base ** (2i / C))`, channel `2i + 1` the cosine, at every
    place of space. They are worked out for each item in float64, so that an item of an endless
    stream gets what it would in a clip.
    """

    def __init__(
        self,
        base: float | str = 10000.0,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> PositionalEncoding: ...

class Pow(Layer):
    """`x` to the power `exponent`; not a number where `x` is negative and `exponent` no integer."""

    def __init__(
        self,
        exponent: float | str,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Pow: ...

class RMSNorm(Layer, nn.RMSNorm):
    """Division by the root of the mean square of each frame (Zhang and Sennrich, 2019): over the
    `channels` of each place, weight `(C,)`, or over all of the `frame`, weight `(C, *S)`.

    `eps` is the dtype's own where it is left out. Torch's RMSNorm takes the last dimensions of a
    tensor; over `(B, C, T)` those would be time. Here no statistic is over time.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int] | None,
        eps: float | str | None = None,
        elementwise_affine: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        over: Literal["channels", "frame"] = "channels",
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> RMSNorm: ...

class RReLU(Layer, nn.RReLU):
    """Leaky ReLU whose slope is drawn while training, its mean otherwise (Xu et al., 2015)."""

    def __init__(
        self,
        lower: float | str = 0.125,
        upper: float | str = 0.3333333333333333,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> RReLU: ...

class ReLU(Layer, nn.ReLU):
    """`max(0, x)`."""

    def __init__(
        self,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ReLU: ...

class ReLU6(Layer, nn.ReLU6):
    """`min(max(0, x), 6)` (Howard et al., 2017)."""

    def __init__(
        self,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ReLU6: ...

class Reciprocal(Layer):
    """`1 / x`."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Reciprocal: ...

class ReflectionPad2d(Layer, nn.ReflectionPad2d):
    """The frame mirrored around `(B, C, T, S)`; `padding` per dimension, time first and 0."""

    def __init__(
        self,
        padding: int | tuple[int | tuple[int, int], int | tuple[int, int]],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ReflectionPad2d: ...

class ReflectionPad3d(Layer, nn.ReflectionPad3d):
    """The frame mirrored around `(B, C, T, H, W)`; `padding` per dimension, time first and 0."""

    def __init__(
        self,
        padding: int | tuple[int | tuple[int, int], int | tuple[int, int], int | tuple[int, int]],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ReflectionPad3d: ...

class ReplicationPad2d(Layer, nn.ReplicationPad2d):
    """The nearest number around `(B, C, T, S)`; `padding` per dimension, time first and 0."""

    def __init__(
        self,
        padding: int | tuple[int | tuple[int, int], int | tuple[int, int]],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ReplicationPad2d: ...

class ReplicationPad3d(Layer, nn.ReplicationPad3d):
    """The nearest number around `(B, C, T, H, W)`; `padding` per dimension, time first and 0."""

    def __init__(
        self,
        padding: int | tuple[int | tuple[int, int], int | tuple[int, int], int | tuple[int, int]],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ReplicationPad3d: ...

class RmsNorm(Layer, nn.RMSNorm):
    """Division by the root of the mean square of each frame (Zhang and Sennrich, 2019): over the
    `channels` of each place, weight `(C,)`, or over all of the `frame`, weight `(C, *S)`.

    `eps` is the dtype's own where it is left out. Torch's RMSNorm takes the last dimensions of a
    tensor; over `(B, C, T)` those would be time. Here no statistic is over time.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int] | None,
        eps: float | str | None = None,
        elementwise_affine: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        over: Literal["channels", "frame"] = "channels",
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> RmsNorm: ...

class Rsqrt(Layer):
    """One over the square root."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Rsqrt: ...

class RunningMean(Layer):
    """The mean of all items so far, number by number: `(B, C, T, *S)` keeps its shape.

    As causal MoViNets pool over time (Kondratyuk et al., 2021). With `momentum` later items weigh
    more: `mean + momentum * (x - mean)`, from the first item on, which is its own mean. Carried on
    in float64, so that it stays exact in an endless stream.
    """

    def __init__(
        self,
        momentum: float | str | None = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> RunningMean: ...

class SELU(Layer, nn.SELU):
    """The self-normalising ELU (Klambauer et al., 2017)."""

    def __init__(
        self,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> SELU: ...

class Scale(Layer):
    """Times a learnt factor, `init` at first: ReZero (Bachlechner et al., 2020), layer scale
    (Touvron et al., 2021), importance of edges or joints (Yan et al., 2018).

    There is one for `each` `frame` (the same for all its numbers), weight `(1,)`; each `channel`,
    `(C,)`; each `place` of space, `(*S)`; or each `number`, `(C, *S)`. None differs over time.
    """

    def __init__(
        self,
        each: Literal["frame", "channel", "place", "number"] = "frame",
        init: float | str = 1.0,
        shape: Sequence[int] | None = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Scale: ...

class SiLU(Layer, nn.SiLU):
    """`x * sigmoid(x)`, also called swish (Ramachandran et al., 2017)."""

    def __init__(
        self,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> SiLU: ...

class Sigmoid(Layer, nn.Sigmoid):
    """`1 / (1 + exp(-x))`."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Sigmoid: ...

class Sin(Layer):
    """The sine of radians."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Sin: ...

class Slice(Layer):
    """The channels `start`, `start + step`, ... before `stop`, counted as Python counts: from 0,
    or from the end where negative."""

    def __init__(
        self,
        start: int,
        stop: int | None = None,
        step: int = 1,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Slice: ...

class Softmax(Layer, nn.Softmax):
    """`exp(x)`, divided by its sum along `dim`, channels if not said otherwise."""

    def __init__(
        self,
        dim: int = 1,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Softmax: ...

class Softmax2d(Layer, nn.Softmax2d):
    """The softmax over channels of `(B, C, T, S)`."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Softmax2d: ...

class Softmin(Layer, nn.Softmin):
    """The softmax of `-x` along `dim`, channels if not said otherwise."""

    def __init__(
        self,
        dim: int = 1,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Softmin: ...

class Softplus(Layer, nn.Softplus):
    """`log(1 + exp(beta * x)) / beta`, and `x` itself where `beta * x` is above `threshold`."""

    def __init__(
        self,
        beta: float | str = 1.0,
        threshold: float | str = 20.0,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Softplus: ...

class Softshrink(Layer, nn.Softshrink):
    """`x` moved towards zero by `lambd`, 0 where it would cross it."""

    def __init__(
        self,
        lambd: float | str = 0.5,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Softshrink: ...

class Softsign(Layer, nn.Softsign):
    """`x / (1 + |x|)`."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Softsign: ...

class Sqrt(Layer):
    """The square root; not a number below zero."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Sqrt: ...

class Square(Layer):
    """`x * x`."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Square: ...

class Stack(Layer):
    """The channels of `frames` frames in one, the oldest frame's first: `(B, C, T, *S)` to
    `(B, frames * C, T', *S)`, for every `stride`-th frame; speech recognition stacks so to lower
    the frame rate (Sak et al., 2015).

    `padding` is that of a convolution of kernel `frames` over time: an int, a pair of before and
    after, `same` or `causal`; `temporal_fill` says what stands there.
    """

    def __init__(
        self,
        frames: int,
        stride: int = 1,
        padding: Union[int, tuple[int, int], Literal["same", "causal"]] = 0,
        temporal_fill: Literal["zeros", "replicate"] = "zeros",
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Stack: ...

class Stft(Layer):
    """Spectra of `n_fft` samples, `hop_length` apart: `(B, 1, T)` to `(B, n_fft // 2 + 1, T')`, the
    magnitude of each frequency to the `power`: 2 is the power spectrum, 1 the magnitude.

    As `torch.stft`, with its window of `win_length` samples in the middle of `n_fft`, periodic.
    A quarter of `n_fft` is the hop if it is left out. In a stream the spectrum comes with the last
    sample of its window. `center` puts `n_fft // 2` zeros before the first sample and after the
    last, or with `pad_mode="replicate"` that sample; torch centres where nothing else is said, and
    then mirrors what stands there.
    """

    def __init__(
        self,
        n_fft: int,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: Literal["hann", "hamming", "blackman", "bartlett", "rectangular"] = "hann",
        center: bool = False,
        pad_mode: Literal["constant", "replicate"] = "constant",
        power: float | str = 2.0,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Stft: ...

class Sub(Layer):
    """`x - other`; `other` is a number, or one for each channel."""

    def __init__(
        self,
        other: float | Sequence[float],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Sub: ...

class Subsample(Layer):
    """Every `stride`-th frame, the first among them: `x[:, :, ::stride]`."""

    def __init__(
        self,
        stride: int,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Subsample: ...

class Tanh(Layer, nn.Tanh):
    """The hyperbolic tangent."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Tanh: ...

class Tanhshrink(Layer, nn.Tanhshrink):
    """`x - tanh(x)`."""

    def __init__(
        self,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Tanhshrink: ...

class TemporalShift(Layer):
    """Some channels of the neighbouring frames (TSM, Lin et al., 2019): the first `C // fold_div`
    from the next frame, as many after them from the previous one, the rest from this one; zeros
    stand before the first frame and after the last.

    `online` never looks ahead: the first `C // fold_div` channels are the previous frame's, and a
    stream keeps them alone.
    """

    def __init__(
        self,
        fold_div: int = 8,
        online: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> TemporalShift: ...

class Threshold(Layer, nn.Threshold):
    """`x` where it is above `threshold`, else `value`."""

    def __init__(
        self,
        threshold: float | str,
        value: float | str,
        inplace: bool = False,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Threshold: ...

class TransformerEncoderLayer(Layer, nn.TransformerEncoderLayer):
    """A layer of a transformer's encoder (Vaswani et al., 2017) over a bounded window.

    Attention as in `multihead_attention`, and two linear layers on each item, each with a residual
    and a layer normalisation: after it, or before it with `norm_first` (Xiong et al., 2020). It is
    torch.nn.TransformerEncoderLayer with the band from `j - past` to `j + ahead` as its mask,
    `(B, C, T)` to `(B, C, T)`, with torch's weights and keys (`self_attn.in_proj_weight`,
    `linear1.weight`, `norm1.weight` ...). Several in a row are an encoder: each sees `past` and
    `ahead` further, and a stream equals the whole clip under that mask for ever, at any depth.
    `dropout` is only in training.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float | str = 0.1,
        activation: Literal["relu", "gelu"] = "relu",
        layer_norm_eps: float | str = 1e-05,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        ahead: int = 0,
        rotary_base: float | str | None = None,
        *,
        past: int,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> TransformerEncoderLayer: ...

class Upsample(Layer, nn.Upsample):
    """More items over time and more places in space, as torch.nn.Upsample makes them.

    `scale_factor` is an integer for all dimensions, or one for each, time first: `(B, C, T, *S)` to
    `(B, C, T * f, ...)`. `nearest` repeats every item; `linear` (`bilinear` with one dimension of
    space, `trilinear` with two) weighs the two next to each output, and repeats the first and the
    last item at the ends, as torch does with `align_corners=false`. So a clip of `T` frames gives
    `T * f` outputs; those of an item that need the one after it come with that one. Several outputs
    come with one frame where the factor over time is more than 1: a stream is then fed with
    `forward_steps`. `align_corners` is for space alone.
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: int | Sequence[int] | None = None,
        mode: Literal["nearest", "linear", "bilinear", "trilinear"] = "nearest",
        align_corners: bool = False,
        recompute_scale_factor: Any = None,
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Upsample: ...

class ZeroPad2d(Layer, nn.ZeroPad2d):
    """Zeros around `(B, C, T, S)`; `padding` per dimension, time first and 0."""

    def __init__(
        self,
        padding: int | tuple[int | tuple[int, int], int | tuple[int, int]],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ZeroPad2d: ...

class ZeroPad3d(Layer, nn.ZeroPad3d):
    """Zeros around `(B, C, T, H, W)`; `padding` per dimension, time first and 0."""

    def __init__(
        self,
        padding: int | tuple[int | tuple[int, int], int | tuple[int, int], int | tuple[int, int]],
        *,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...
    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> ZeroPad3d: ...
