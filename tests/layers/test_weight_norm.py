"""Normalised weights: torch's keys and numbers, in clips, streams, training, copies and files."""

from __future__ import annotations

import copy
import io
import pickle
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import codsl
from harness.contract import contract

SPELLINGS: dict[Any, list[str]] = {
    True: ["bias", "parametrizations.weight.original0", "parametrizations.weight.original1"],
    "old": ["bias", "weight_g", "weight_v"],
}
LAYERS = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d"]


def built(kind: str, norm: Any) -> codsl.Network:
    """A network of one layer, `c`."""
    torch.manual_seed(2)
    space = [4, 4][: int(kind[-2]) - 1]
    arguments = {"name": "c", "out_channels": 4, "kernel_size": 3, "weight_norm": norm}
    spec = {"codsl": 1, "input": [2, "T", *space], "layers": [{kind: arguments}]}
    return codsl.build(spec, dtype=torch.float64).eval()


def torchs(kind: str, norm: Any) -> nn.Module:
    """Torch's layer, drawn under the same seed, and normalised by torch."""
    name = kind.title().replace("_T", "T").replace("Conv_", "Conv").replace("D", "d")
    torch.manual_seed(2)
    module = getattr(nn, name)(2, 4, 3, dtype=torch.float64)
    if norm is True:
        return nn.utils.parametrizations.weight_norm(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.weight_norm(module)


def clip(kind: str) -> Tensor:
    return torch.randn(2, 2, 7, *(4, 4)[: int(kind[-2]) - 1], dtype=torch.float64)


@pytest.mark.parametrize("norm", [True, "old"])
@pytest.mark.parametrize("kind", LAYERS)
def test_keys_values_and_gradients_are_torchs(kind: str, norm: Any) -> None:
    ours, theirs = built(kind, norm), torchs(kind, norm)
    layer = ours.get_submodule("c")
    assert list(layer.state_dict()) == SPELLINGS[norm] == list(theirs.state_dict())
    assert all(map(torch.equal, layer.state_dict().values(), theirs.state_dict().values()))
    for each in (layer, theirs):
        with torch.no_grad():
            each.get_parameter(SPELLINGS[norm][1]).mul_(3)
    x = clip(kind)
    assert torch.equal(ours(x), theirs(x))
    found = torch.autograd.grad(ours(x).square().sum(), list(layer.parameters()))
    wanted = torch.autograd.grad(theirs(x).square().sum(), list(theirs.parameters()))
    assert all(torch.allclose(*pair, rtol=1e-12) for pair in zip(found, wanted, strict=True))
    assert {name: tuple(each.shape) for name, each in layer.named_parameters()} == dict(
        ours.graph.nodes[0].weights
    )
    contract(ours)


@pytest.mark.parametrize("norm", [True, "old"])
def test_a_normalised_layer_is_copied_and_pickled(norm: Any) -> None:
    """Also after a step, where torch's own cannot be."""
    net = built("conv1d", norm)
    x = clip("conv1d")
    wanted = net(x)
    net.forward_step(x[:, :, 0])
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), loaded):
        assert torch.equal(other(x), wanted)
        with torch.no_grad():
            other.get_submodule("c").get_parameter(SPELLINGS[norm][1]).mul_(2)
        assert not torch.equal(other(x), wanted)
        assert torch.equal(net(x), wanted)


def test_another_word_is_refused() -> None:
    with pytest.raises(codsl.SpecError, match="expected true, false or `old`") as error:
        built("conv1d", "new")
    assert [each.code for each in error.value.diagnostics] == ["E0305"]
