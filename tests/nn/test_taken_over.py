"""Modules of torch.nn with any of their arguments: the clip is torch's, or they are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import codsl.nn as co

PADDED: dict[str, Any] = {"kernel_size": 3, "padding": 1}
CEILED: dict[str, Any] = {**PADDED, "stride": 2, "ceil_mode": True}
ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    *(("Conv2d", {"padding": padding}) for padding in (1, "same", "valid")),
    *(("Conv2d", {"padding": 1, "padding_mode": mode}) for mode in ("zeros", "replicate")),
    *(("Conv2d", {"padding": (0, 1), "padding_mode": mode}) for mode in ("reflect", "circular")),
    ("ConvTranspose2d", {"stride": 2, "output_padding": 1, "groups": 2, "bias": False}),
    *(("MaxPool2d", given) for given in (PADDED, CEILED, {"kernel_size": 3, "dilation": 2})),
    *(("AvgPool2d", {**given, "count_include_pad": False}) for given in (PADDED, CEILED)),
    ("AvgPool2d", {**PADDED, "divisor_override": 5}),
    *(("BatchNorm2d", {name: False}) for name in ("affine", "bias")),
    ("InstanceNorm2d", {"affine": True, "track_running_stats": True, "bias": False}),
    ("Upsample", {"scale_factor": (1.0, 2.0), "recompute_scale_factor": True}),
    ("Upsample", {"scale_factor": (1.0, 2.0), "mode": "bilinear", "align_corners": True}),
    ("GELU", {"approximate": "tanh"}),
    ("LocalResponseNorm", {"size": 3, "alpha": 0.1, "beta": 0.5, "k": 2.0}),
]
CHANNELS: dict[str, dict[str, Any]] = {
    "Conv2d": {"in_channels": 4, "out_channels": 4, "kernel_size": 3},
    "ConvTranspose2d": {"in_channels": 4, "out_channels": 4, "kernel_size": 3},
    "BatchNorm2d": {"num_features": 4},
    "InstanceNorm2d": {"num_features": 4},
}


@pytest.mark.parametrize(("name", "given"), ARGUMENTS)
@torch.no_grad()
def test_a_clip_is_that_of_torch(name: str, given: dict[str, Any]) -> None:
    torch.manual_seed(0)
    theirs = getattr(nn, name)(**CHANNELS.get(name, {}), **given).eval()
    x = torch.randn(2, 4, 12, 8)
    for ours in (co.Sequential(theirs).eval(), co.continual(theirs)):
        assert torch.allclose(ours(x), theirs(x), atol=1e-6)
        ours.reset()
        assert torch.allclose(ours.forward_steps(x, pad_end=True), theirs(x), atol=1e-6)


@pytest.mark.parametrize(
    "given", [{"num_layers": 2, "dropout": 0.3}, {"bias": False}, {"proj_size": 3}]
)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.filterwarnings("ignore:LSTM with projections")
@torch.no_grad()
def test_recurrent_layers_keep_their_arguments(given: dict[str, Any], batch_first: bool) -> None:
    theirs = nn.LSTM(4, 6, batch_first=batch_first, **given).eval()
    x = torch.randn(2, 4, 12)
    batch, time = (0, 1) if batch_first else (1, 0)
    want = theirs(x.movedim((0, 2), (batch, time)))[0].movedim((batch, time), (0, 2))
    assert torch.allclose(co.Sequential(theirs).eval()(x), want, atol=1e-6)


REFUSED: list[tuple[Any, str]] = [
    (
        lambda: co.Sequential(nn.MaxPool1d(3, return_indices=True)),
        "`return_indices` of `MaxPool1d`",
    ),
    (lambda: co.continual(nn.MaxPool3d(3, return_indices=True)), "`return_indices` of `MaxPool3d`"),
    (
        lambda: co.AdaptiveMaxPool1d.build_from(
            nn.AdaptiveMaxPool1d(1, return_indices=True), kernel_size=3
        ),
        "`return_indices` of `AdaptiveMaxPool1d`",
    ),
    (lambda: co.Embedding.build_from(nn.Embedding(5, 3, max_norm=1.0)), "`max_norm` of"),
    (lambda: co.Flatten.build_from(nn.Flatten(2)), "`start_dim` of `Flatten`"),
    *(
        (
            lambda given=given: co.MultiheadAttention.build_from(
                nn.MultiheadAttention(4, 2, **given), past=3
            ),
            f"`{next(iter(given))}` of `MultiheadAttention` can only be",
        )
        for given in ({"add_bias_kv": True}, {"add_zero_attn": True}, {"kdim": 3})
    ),
    (lambda: co.Sequential(nn.Upsample(size=(12, 16))), "`scale_factor` of `upsample`"),
    (lambda: co.Sequential(nn.Conv1d(4, 4, 3, padding=1, padding_mode="reflect")), "`reflect`"),
    (lambda: co.Sequential(nn.GRU(4, 4, bidirectional=True)), "`GRU` cannot be streamed"),
]


@pytest.mark.parametrize(("made", "why"), REFUSED)
def test_what_no_stream_has_is_refused_by_name(made: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made()
