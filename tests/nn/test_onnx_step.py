"""Steps as ONNX files: ONNX Runtime gives what eager steps give, state and all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

import codsl.nn as co

if TYPE_CHECKING:
    from pathlib import Path


EXTRA = "it comes with the test extra"


def networks() -> dict[str, Any]:
    torch.manual_seed(0)
    layers = co.TransformerEncoderLayerFactory(3, 1, 8, sequence_len=4)
    return {
        "padded": co.Sequential(co.Conv1d(3, 3, 3, padding=1), nn.ReLU(), co.Conv1d(3, 3, 3)),
        "residual": co.Residual(co.Conv1d(3, 3, 5)),
        "recurrent": co.Sequential(co.GRU(3, 3), co.LSTM(3, 3, 2)),
        "attention": co.Sequential(
            co.RecyclingPositionalEncoding(3, 7), co.TransformerEncoder(layers, 1)
        ),
    }


@torch.no_grad()
@pytest.mark.parametrize("name", ["padded", "residual", "recurrent", "attention"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_file_steps_as_the_network_does(name: str, tmp_path: Path) -> None:
    """With any batch, whatever it was in the example."""
    pytest.importorskip("onnxscript", reason=f"an export needs onnxscript; {EXTRA}")
    runtime = pytest.importorskip("onnxruntime", reason=f"ONNX Runtime runs the file; {EXTRA}")
    net = networks()[name].eval()
    example = torch.randn(1, 3)
    file = tmp_path / "net.onnx"
    _, state = net._forward_step(example)
    co.onnx.export(net, (example, *co.utils.flatten(state)), file)
    session = runtime.InferenceSession(str(file))
    for batch in (1, 3):
        steps_alike(net, session, batch)


def steps_alike(net: Any, session: Any, batch: int) -> None:
    """Hold twelve steps of a file to the network's own."""
    x = torch.randn(batch, 3, 24)
    state = None
    for t in range(12):
        _, state = net._forward_step(x[:, :, t], state)
    flat = co.utils.flatten(state)
    wrapper = co.onnx.OnnxWrapper(net)
    assert wrapper.settled <= 12
    names = [each.name for each in session.get_inputs()]
    assert names == ["input", *wrapper.state_input_names]
    memory = [tensor.numpy() for tensor in flat]
    for t in range(12, 24):
        want, state = net._forward_step(x[:, :, t], state)
        given = dict(zip(names, [x[:, :, t].numpy(), *memory], strict=True))
        y, *memory = session.run(None, given)
        assert torch.allclose(torch.from_numpy(y), want, atol=1e-6)
    for ours, theirs in zip(memory, co.utils.flatten(state), strict=True):
        assert torch.allclose(torch.from_numpy(ours), theirs, atol=1e-6)


def test_what_has_no_one_step_is_refused() -> None:
    strided = co.Conv1d(3, 3, 3, stride=2)
    strided.forward_step(torch.zeros(1, 3))
    with pytest.raises(ValueError, match="strides over time"):
        co.onnx.OnnxWrapper(strided)
    with pytest.raises(ValueError, match="not known before the first input"):
        co.onnx.OnnxWrapper(co.Residual(co.Conv1d(3, 3, 3)))
