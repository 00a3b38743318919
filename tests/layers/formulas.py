"""What rows without a layer of torch.nn compute, as plain formulas of a frame or of a clip.

A formula of a frame gets the row, its parameters by name and a frame `(B, C, *S)`, one of a clip
the row and a clip `(B, C, T, *S)`; they use numpy, loops and the four species alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

Parameters = dict[str, Tensor]


def _numpy(function: Callable[..., Any]) -> Callable[[Any, Parameters, Tensor], Tensor]:
    def formula(row: Any, p: Parameters, x: Tensor) -> Tensor:
        return torch.from_numpy(np.asarray(function(row, x.numpy())))

    return formula


def _wide(vector: Tensor, x: Tensor) -> Tensor:
    """One number for each channel, beside a frame."""
    return vector.reshape(-1, *(1,) * (x.dim() - 2))


def _standard(x: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
    mean = x.mean(dims, keepdim=True)
    variance = ((x - mean) ** 2).mean(dims, keepdim=True)
    return (x - mean) / (variance + eps) ** 0.5


def _affine(p: Parameters, x: Tensor) -> Tensor:
    shape = [*x.shape[1:]]
    for name in ("weight", "bias"):
        if name in p:
            other = p[name] if [*p[name].shape] == shape else _wide(p[name], x)
            x = x * other if name == "weight" else x + other
    return x


def _dims(row: Any, x: Tensor) -> tuple[int, ...]:
    return tuple(range(1, x.dim())) if row.over == "frame" else (1,)


def layer_norm(row: Any, p: Parameters, x: Tensor) -> Tensor:
    return _affine(p, _standard(x, _dims(row, x), row.eps))


def rms_norm(row: Any, p: Parameters, x: Tensor) -> Tensor:
    eps = torch.finfo(x.dtype).eps if row.eps is None else row.eps
    square = (x**2).mean(_dims(row, x), keepdim=True)
    return _affine(p, x / (square + eps) ** 0.5)


def group_norm(row: Any, p: Parameters, x: Tensor) -> Tensor:
    size = x.shape[1] // row.num_groups
    groups = [x[:, at : at + size] for at in range(0, x.shape[1], size)]
    dims = tuple(range(1, x.dim()))
    return _affine(p, torch.cat([_standard(group, dims, row.eps) for group in groups], 1))


def instance_norm(row: Any, p: Parameters, x: Tensor) -> Tensor:
    if row.track_running_stats:
        mean, variance = _wide(p["running_mean"], x), _wide(p["running_var"], x)
        return _affine(p, (x - mean) / (variance + row.eps) ** 0.5)
    return _affine(p, _standard(x, tuple(range(2, x.dim())), row.eps))


def scale(row: Any, p: Parameters, x: Tensor) -> Tensor:
    (weight,) = p.values()
    return x * (_wide(weight, x) if row.each == "channel" else weight)


def bias(row: Any, p: Parameters, x: Tensor) -> Tensor:
    (summand,) = p.values()
    return x + (_wide(summand, x) if row.each == "channel" else summand)


def clamp(row: Any, p: Parameters, x: Tensor) -> Tensor:
    low = -np.inf if row.min is None else row.min
    high = np.inf if row.max is None else row.max
    return torch.from_numpy(np.clip(x.numpy(), low, high))


def with_constant(operation: Callable[[Tensor, float], Tensor]) -> Any:
    def formula(row: Any, p: Parameters, x: Tensor) -> Tensor:
        each = row.other if isinstance(row.other, tuple) else (row.other,) * x.shape[1]
        return torch.stack([operation(x[:, c], other) for c, other in enumerate(each)], 1)

    return formula


def normalize(row: Any, p: Parameters, x: Tensor) -> Tensor:
    mean, std = (torch.as_tensor(each, dtype=x.dtype).flatten() for each in (row.mean, row.std))
    return (x - _wide(mean, x)) / _wide(std, x)


def gtu(row: Any, p: Parameters, x: Tensor) -> Tensor:
    at = 1 if row.dim == 1 else x.dim() - 1
    halves = np.split(x.numpy(), 2, at)
    return torch.from_numpy(np.tanh(halves[0]) / (1 + np.exp(-halves[1])))


def pixel_shuffle(row: Any, p: Parameters, x: Tensor) -> Tensor:
    r = row.upscale_factor
    batch, channels, height, width = x.shape
    y = x.new_empty(batch, channels // r**2, height * r, width * r)
    for i in range(r):
        for j in range(r):
            y[:, :, i::r, j::r] = x[:, i * r + j :: r * r]
    return y


def pixel_unshuffle(row: Any, p: Parameters, x: Tensor) -> Tensor:
    r = row.downscale_factor
    batch, channels, height, width = x.shape
    y = x.new_empty(batch, channels * r**2, height // r, width // r)
    for i in range(r):
        for j in range(r):
            y[:, i * r + j :: r * r] = x[:, :, i::r, j::r]
    return y


def slice_(row: Any, p: Parameters, x: Tensor) -> Tensor:
    return x[:, [*range(x.shape[1])[row.start : row.stop : row.step]]]


def permute(row: Any, p: Parameters, x: Tensor) -> Tensor:
    return torch.stack([torch.from_numpy(each.numpy().transpose(row.dims)) for each in x])


def reshape(row: Any, p: Parameters, x: Tensor) -> Tensor:
    return torch.stack([torch.from_numpy(each.numpy().reshape(row.sizes)) for each in x])


def embedding(row: Any, p: Parameters, x: Tensor) -> Tensor:
    ids = x[:, 0].round().long()
    return torch.stack([p["weight"][:, dim][ids] for dim in range(row.embedding_dim)], 1)


def by_hops(nodes: int, edges: Any, center: int) -> Tensor:
    """ST-GCN's spatial configuration, worked out from powers of the matrix of edges."""
    near = torch.eye(nodes, dtype=torch.float64)
    for v, w in edges:
        near[v, w] = near[w, v] = 1
    hops = torch.full_like(near, torch.inf)
    for steps in (1, 0):
        hops[torch.linalg.matrix_power(near, steps) > 0] = steps
    away = hops[:, center]
    shares = near / near.sum(0)
    own = torch.eye(nodes, dtype=near.dtype)
    nearer = shares * (away[:, None] < away[None, :])
    return torch.stack([shares * own, shares * (1 - own) - nearer, nearer])


def mel_scales(name: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """From Hertz to mel and back, as the Hidden Markov Toolkit's book and Slaney's `mfcc.m` say:
    13 filters 200 / 3 Hz apart, which gave 1000 Hz, and from there 27 up to a factor of 6.4."""
    if name == "htk":
        return lambda f: 1127.01048 * np.log(1 + f / 700), lambda m: 700 * np.expm1(m / 1127.01048)
    step = 6.4 ** (1 / 27)
    return (
        lambda f: f / (200 / 3) if f < 1000 else 15 + np.log(f / 1000) / np.log(step),
        lambda m: np.where(m < 15, m * 200 / 3, 1000 * step ** (m - 15.0)),
    )


def mel(row: Any, p: Parameters, x: Tensor) -> Tensor:
    """A triangle over three corners after the other."""
    there, back = mel_scales(row.mel_scale)
    top = row.sample_rate / 2 if row.f_max is None else row.f_max
    corners = back(np.linspace(there(row.f_min), there(top), row.n_mels + 2))
    heard = np.arange(x.shape[1]) * (row.sample_rate / 2 / (x.shape[1] - 1))
    bands = []
    for low, middle, high in zip(corners, corners[1:], corners[2:], strict=False):
        band = np.interp(heard, [low, middle, high], [0, 1, 0], left=0, right=0)
        bands.append(band * (2 / (high - low) if row.norm else 1))
    return x @ torch.from_numpy(np.stack(bands)).to(x.dtype).T


def graph_conv(row: Any, p: Parameters, x: Tensor) -> Tensor:
    graph = row.adjacency or by_hops(x.shape[2], row.edges, row.center)
    edges = p.get("adjacency", torch.as_tensor(graph, dtype=x.dtype))
    edges = edges * p.get("edge_importance", 1)
    y = x.new_zeros(x.shape[0], row.out_channels, x.shape[2])
    for k, adjacency in enumerate(edges):
        rows = slice(k * row.out_channels, (k + 1) * row.out_channels)
        maps = p["weight"][rows, :, 0, 0] @ x
        maps = maps + p["bias"][rows, None] if row.bias else maps
        y += maps @ adjacency
    return y


FRAME: dict[str, Callable[[Any, Parameters, Tensor], Tensor]] = {
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "group_norm": group_norm,
    "instance_norm1d": instance_norm,
    "instance_norm2d": instance_norm,
    "instance_norm3d": instance_norm,
    "scale": scale,
    "bias": bias,
    "square": _numpy(lambda row, x: x * x),
    "sqrt": _numpy(lambda row, x: np.sqrt(x)),
    "rsqrt": _numpy(lambda row, x: x**-0.5),
    "reciprocal": _numpy(lambda row, x: 1 / x),
    "exp": _numpy(lambda row, x: np.exp(x)),
    "log": _numpy(lambda row, x: np.log(x + row.eps)),
    "log1p": _numpy(lambda row, x: np.log1p(x)),
    "log2": _numpy(lambda row, x: np.log2(x)),
    "log10": _numpy(lambda row, x: np.log10(x)),
    "abs": _numpy(lambda row, x: np.where(x < 0, -x, x)),
    "neg": _numpy(lambda row, x: 0 - x),
    "sin": _numpy(lambda row, x: np.sin(x)),
    "cos": _numpy(lambda row, x: np.cos(x)),
    "pow": _numpy(lambda row, x: np.power(x, row.exponent)),
    "clamp": clamp,
    "add": with_constant(lambda x, other: x + other),
    "sub": with_constant(lambda x, other: x - other),
    "mul": with_constant(lambda x, other: x * other),
    "div": with_constant(lambda x, other: x / other),
    "normalize": normalize,
    "gtu": gtu,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
    "slice": slice_,
    "permute": permute,
    "reshape": reshape,
    "embedding": embedding,
    "mel": mel,
    "graph_conv": graph_conv,
}
"""What a row makes of one frame, whatever the others are."""


def subsample(row: Any, x: Tensor) -> Tensor:
    return torch.stack([x[:, :, t] for t in range(0, x.shape[2], row.stride)], 2)


def temporal_shift(row: Any, x: Tensor) -> Tensor:
    """As published with the paper: `out` is filled part by part."""
    fold = x.shape[1] // row.fold_div
    out = torch.zeros_like(x)
    if row.online:
        out[:, :fold, 1:] = x[:, :fold, :-1]
        out[:, fold:] = x[:, fold:]
        return out
    out[:, :fold, :-1] = x[:, :fold, 1:]
    out[:, fold : 2 * fold, 1:] = x[:, fold : 2 * fold, :-1]
    out[:, 2 * fold :] = x[:, 2 * fold :]
    return out


def stack(row: Any, x: Tensor) -> Tensor:
    reach = row.frames - 1
    words = {"same": (reach // 2, reach - reach // 2), "causal": (reach, 0)}
    before, after = words.get(str(row.padding), row.padding)
    items = [*x.unbind(2)]
    first, last = items[0], items[-1]
    if row.temporal_fill == "zeros":
        first = last = torch.zeros_like(first)
    items = [first] * before + items + [last] * after
    starts = range(0, len(items) - reach, row.stride)
    return torch.stack([torch.cat(items[t : t + row.frames], 1) for t in starts], 2)


def stft(row: Any, x: Tensor) -> Tensor:
    """By numpy's transform of one window after the other."""
    samples = row.win_length or row.n_fft
    turns = 2 * np.pi * np.arange(samples) / samples
    factor = {"hann": 0.5, "hamming": 0.54}[row.window]
    before = (row.n_fft - samples) // 2
    ends = (before, row.n_fft - samples - before)
    window = np.pad(factor - (1 - factor) * np.cos(turns), ends)
    mode: Any = {"constant": "constant", "replicate": "edge"}[row.pad_mode]
    pad = row.n_fft // 2 if row.center else 0
    clips = np.pad(x[:, 0].numpy(), ((0, 0), (pad, pad)), mode=mode)
    starts = range(0, clips.shape[1] - row.n_fft + 1, row.hop_length or row.n_fft // 4)
    spectra = [np.fft.rfft(clips[:, t : t + row.n_fft] * window) for t in starts]
    return torch.from_numpy(np.abs(np.stack(spectra, 2)) ** row.power)


CLIP: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "subsample": subsample,
    "temporal_shift": temporal_shift,
    "stack": stack,
    "stft": stft,
}
"""What a row makes of a clip."""
