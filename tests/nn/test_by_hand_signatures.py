"""Classes of `codsl.nn` take torch's arguments in torch's order, and what they copy they copy."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import codsl.nn as co
from codsl.layers.table import table
from codsl.nn.classes import torch_class

ROWS = {row.__name__: row for row in table().values() if torch_class(row) is not None}
VARIADIC = {"RNN", "GRU", "LSTM", "Identity"}
"""Torch tells of these nothing but `*args`."""


def by_position(made: Any) -> list[str]:
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return [each.name for each in signature(made).parameters.values() if each.kind in kinds]


@pytest.mark.parametrize("name", sorted({*ROWS} - VARIADIC))
def test_arguments_stand_where_torch_has_them(name: str) -> None:
    theirs, ours = (by_position(getattr(where, co_name(name))) for where in (nn, co))
    assert ours[: len(theirs)] == theirs


def co_name(name: str) -> str:
    return {"RmsNorm": "RMSNorm"}.get(name, name)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: co.Embedding(4, 2, None, 1.0), "`max_norm` of `Embedding` can only be None"),
        (lambda: co.MultiheadAttention(4, 2, 0.0, True, True, past=2), "`add_bias_kv`"),
        (lambda: co.ConvTranspose1d(2, 2, 2, padding_mode="reflect"), "`padding_mode`"),
        (lambda: co.Flatten(2), "`start_dim` of `Flatten` can only be 1"),
        (lambda: co.BatchNorm1d(4, bias=False), "`bias` of `BatchNorm1d` can only be True"),
    ],
)
def test_arguments_that_mean_nothing_in_a_stream(made: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made()


@torch.no_grad()
def test_padding_of_space_is_torchs_too() -> None:
    x = torch.randn(2, 3, 4, 5, 6)
    theirs = nn.ConstantPad3d((1, 2, 0, 3, 0, 0), 0.5)
    for ours in (
        co.ConstantPad3d((1, 2, 0, 3, 0, 0), 0.5),
        co.ConstantPad3d((0, (0, 3), (1, 2)), 0.5),
        co.ConstantPad3d.build_from(theirs),
    ):
        assert torch.equal(ours(x), theirs(x))
        assert torch.equal(ours.forward_step(x[:, :, 1]), theirs(x)[:, :, 1])
    with pytest.raises(ValueError, match="cannot pad time"):
        co.ZeroPad2d((1, 1, 1, 1))(x[..., 0])


SOURCES: dict[str, tuple[nn.Module, dict[str, Any]]] = {
    "Conv1d": (nn.Conv1d(4, 4, 3), {}),
    "ConvTranspose1d": (nn.ConvTranspose1d(4, 4, 2), {}),
    "BatchNorm1d": (nn.BatchNorm1d(4), {}),
    "LayerNorm": (nn.LayerNorm(4), {}),
    "PReLU": (nn.PReLU(4), {}),
    "Embedding": (nn.Embedding(5, 2), {}),
    "Linear": (nn.Linear(4, 3), {"channel_dim": 1}),
    "LSTM": (nn.LSTM(4, 3, 2, batch_first=True), {}),
    "MultiheadAttention": (nn.MultiheadAttention(4, 2, bias=False), {"past": 3}),
    "TransformerEncoderLayer": (
        nn.TransformerEncoderLayer(4, 2, 8, 0.2, functional.gelu, 1e-3, norm_first=True),
        {"past": 3},
    ),
    "RetroactiveMultiheadAttention": (nn.MultiheadAttention(4, 2), {"sequence_len": 3}),
    "SingleOutputMultiheadAttention": (nn.MultiheadAttention(4, 2), {"sequence_len": 3}),
    "RetroactiveTransformerEncoderLayer": (
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
        {"sequence_len": 3},
    ),
    "Sequential": (nn.Sequential(nn.Conv1d(4, 4, 3), nn.BatchNorm1d(4)), {}),
}


def tensors(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


@pytest.mark.parametrize("name", SOURCES)
def test_build_from_copies_and_never_aliases(name: str) -> None:
    module, more = SOURCES[name]
    made = getattr(co, name).build_from(module, **more)
    assert list(made.state_dict()) == list(module.state_dict())
    theirs = tensors(module)
    for key, ours in tensors(made).items():
        assert torch.equal(ours, theirs[key]), key
        assert ours.data_ptr() != theirs[key].data_ptr(), key
    made.eval()
    assert all(each.training for each in module.modules())


@torch.no_grad()
def test_attention_built_from_torch_has_its_answer() -> None:
    """Output `j` of the banded layer is torch's under the mask of that band."""
    x = torch.randn(2, 4, 9)
    frames = torch.arange(9)
    far = frames[:, None] - frames
    mask = (far < 0) | (far > 3)
    mha = nn.MultiheadAttention(4, 2, bias=False, batch_first=True).eval()
    layer = nn.TransformerEncoderLayer(
        4, 2, 8, 0.2, functional.gelu, 1e-3, batch_first=True, norm_first=True
    ).eval()
    y = x.transpose(1, 2)
    wanted = mha(y, y, y, attn_mask=mask)[0].transpose(1, 2)
    assert torch.allclose(co.MultiheadAttention.build_from(mha, past=3)(x), wanted, atol=1e-6)
    wanted = layer(y, src_mask=mask).transpose(1, 2)
    made = co.TransformerEncoderLayer.build_from(layer, past=3)
    assert torch.allclose(made(x), wanted, atol=1e-6)
    assert torch.allclose(made.eval().forward_steps(x), wanted, atol=1e-6)


@pytest.mark.parametrize(
    "activation", ["gelu", functional.gelu, nn.GELU()], ids=["word", "function", "module"]
)
def test_an_activation_is_a_word_or_a_function(activation: Any) -> None:
    made = co.TransformerEncoderLayer(4, 2, 8, 0.1, activation, past=2)
    assert made.operation.activation == "gelu"


def relu(x: Tensor) -> Tensor:
    """Not torch's."""
    return x.clamp(0, 6)


@pytest.mark.parametrize(
    "activation", [torch.tanh, relu, nn.GELU("tanh")], ids=["tanh", "relu", "gelu"]
)
def test_an_activation_that_torch_has_no_word_for(activation: Any) -> None:
    with pytest.raises(ValueError, match="`activation` of `transformer_encoder_layer`"):
        co.TransformerEncoderLayer(4, 2, 8, 0.1, activation, past=2)


@torch.no_grad()
def test_fills_are_words_or_padding_modes() -> None:
    x = torch.randn(2, 4, 9)
    for made, fills in (
        (co.Conv1d, (co.PaddingMode.ZEROS, co.PaddingMode.REPLICATE)),
        (co.MaxPool1d, (co.PaddingMode.ZEROS,)),
        (co.AvgPool1d, (co.PaddingMode.ZEROS, co.PaddingMode.REPLICATE)),
    ):
        channels = (4, 4) if made is co.Conv1d else ()
        for fill in fills:
            one, other = (made(*channels, 3, 1, 1, temporal_fill=f) for f in (fill, fill.value))
            other.load_state_dict(one.state_dict())
            assert torch.equal(one(x), other(x))
    with pytest.raises(ValueError, match="found the text `neg_inf`"):
        co.Conv1d(4, 4, 3, temporal_fill=co.PaddingMode.NEG_INF)
    for lowest in (co.PaddingMode.NEG_INF, "neg_inf"):
        assert torch.equal(co.MaxPool1d(3, 1, 1, temporal_fill=lowest)(x), nn.MaxPool1d(3, 1, 1)(x))


@torch.no_grad()
def test_a_matrix_may_be_a_tensor() -> None:
    matrix = torch.tensor([[1.0, 0, 1], [0, 1, 0], [0, 1, 1]])
    one, other = co.GraphConv(2, 4, matrix), co.GraphConv(2, 4, ((1, 0, 1), (0, 1, 0), (0, 1, 1)))
    other.load_state_dict(one.state_dict())
    x = torch.randn(1, 2, 5, 3)
    assert torch.equal(one(x), other(x))
    assert dict(one.named_buffers()).keys() == {"adjacency"}
    learned = co.GraphConv(2, 4, matrix, learned=True)
    assert "adjacency" in dict(learned.named_parameters())
