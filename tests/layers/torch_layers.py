"""The module of torch.nn that a row stands for, made from the row's arguments alone."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from formulas import CLIP, FRAME
from torch import Tensor, nn

from codsl.layers.adaptive import AdaptivePool
from codsl.layers.attention import Attention
from codsl.layers.convolution import Convolution
from codsl.layers.cropping import Crop
from codsl.layers.cumulative import ChannelLayerNorm, CumulativeLayerNorm, RunningMean
from codsl.layers.frame_normalization import InstanceNorm
from codsl.layers.normalization import BatchNorm
from codsl.layers.plain import Delay, Flatten, Linear
from codsl.layers.pooling import AveragePool, MaxPool
from codsl.layers.positions import PositionalEncoding, RecyclingPositionalEncoding
from codsl.layers.recurrent import Recurrent
from codsl.layers.row import Layer, settings, type_name
from codsl.layers.space_padding import SpacePad
from codsl.layers.transposed import Transposed
from codsl.layers.upsampling import Upsample

if TYPE_CHECKING:
    from codsl.algebra.shape import Frame


class PerFrame(nn.Module):
    """A module that takes the last dimension, over `(B, C, T)`."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x.transpose(1, 2)).transpose(1, 2)


class Recurring(PerFrame):
    """The outputs of a recurrent module over `(B, C, T)`."""

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x.transpose(1, 2))[0].transpose(1, 2)


class Flat(nn.Module):
    """Every frame flattened by itself."""

    def forward(self, x: Tensor) -> Tensor:
        frames = [x[:, :, t].flatten(1).unsqueeze(2) for t in range(x.shape[2])]
        return torch.cat(frames, 2)


def torch_layer(row: Layer, x: Frame) -> nn.Module | None:
    """The module, or None where torch has no such layer with these arguments."""
    name = type(row).__name__
    match row:
        case Convolution():
            given = _convolution(row, x)
        case AveragePool() | MaxPool():
            given = _pool(row)
        case AdaptivePool():
            given = {"output_size": row.output_size if row.rank > 1 else 1}
        case Transposed():
            given = _transposed(row, x)
        case Crop() | Attention() | RunningMean() | CumulativeLayerNorm() | ChannelLayerNorm():
            given = None
        case PositionalEncoding() | RecyclingPositionalEncoding():
            given = None
        case Upsample():
            given = {"scale_factor": row.scale_factor, "mode": row.mode}
        case BatchNorm():
            given = {**settings(row), "num_features": x.channels}
        case Linear():
            return PerFrame(nn.Linear(x.channels, row.out_features, bias=row.bias))
        case Recurrent():
            given = {k: v for k, v in settings(row).items() if k != "input_size"}
            return Recurring(getattr(nn, name)(x.channels, **given, batch_first=True))
        case Flatten():
            return Flat()
        case Delay():
            return nn.Identity()
        case InstanceNorm() if row.track_running_stats:
            given = {**settings(row), "num_features": x.channels}
        case SpacePad():
            flat = [size for pair in reversed(row.padding) for size in pair]
            given = {**settings(row), "padding": tuple(flat)}
        case _ if type_name(type(row)) in {**FRAME, **CLIP}:
            return None
        case _:
            given = settings(row)
    return None if given is None else _normed(row, getattr(nn, name)(**given))


def _normed(row: Layer, module: nn.Module) -> nn.Module:
    """The module with its weight normalised by torch, where the row asks for it."""
    norm = getattr(row, "weight_norm", False)
    if norm == "old":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return nn.utils.weight_norm(module)
    return nn.utils.parametrizations.weight_norm(module) if norm else module


def _pads(row: Convolution | AveragePool | MaxPool, dilation: tuple[int, ...]) -> Any:
    """Torch's padding, `same` or ints; None where it has none such."""
    if set(row.padding) == {"same"}:
        return "same"
    sizes = []
    for pad, kernel, step in zip(row.padding, row.kernel_size, dilation, strict=True):
        reach = step * (kernel - 1)
        pair = {"same": (reach // 2, reach - reach // 2), "causal": (reach, 0)}.get(str(pad), pad)
        if pair[0] != pair[1]:
            return None
        sizes.append(pair[0])
    return tuple(sizes)


def _convolution(row: Convolution, x: Frame) -> dict[str, Any] | None:
    padding = _pads(row, row.dilation)
    in_time = padding == "same" or (padding is not None and padding[0])
    if padding is None or (in_time and row.temporal_fill not in (None, row.padding_mode)):
        return None
    named = ("out_channels", "kernel_size", "stride", "dilation", "groups", "bias", "padding_mode")
    return {
        "in_channels": x.channels,
        "padding": padding,
        **{name: getattr(row, name) for name in named},
    }


def _transposed(row: Transposed, x: Frame) -> dict[str, Any] | None:
    pairs = [pad for pad in row.padding if isinstance(pad, tuple) and pad[0] == pad[1]]
    if len(pairs) < row.rank:
        return None
    named = {
        k: v for k, v in settings(row).items() if k not in ("dtype", "in_channels", "weight_norm")
    }
    return {**named, "in_channels": x.channels, "padding": tuple(pad[0] for pad in pairs)}


def _pool(row: AveragePool | MaxPool) -> dict[str, Any] | None:
    largest = isinstance(row, MaxPool)
    padding = _pads(row, row.dilation if largest else (1,) * row.rank)
    if padding is None or padding == "same" or row.temporal_fill is not None:
        return None
    if any(2 * pad > kernel for pad, kernel in zip(padding, row.kernel_size, strict=True)):
        return None
    given = {name: value for name, value in settings(row).items() if name != "temporal_fill"}
    return {**given, "padding": padding if row.rank > 1 else padding[0]}
