"""Images that ONNX Runtime keeps in blocks of channels."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from codsl.engine.backends import onnxruntime as backend
from codsl.engine.backends.blocks import block, form_of
from codsl.engine.backends.table import BACKENDS
from engine.fast_streams import agree, frame_of
from engine.test_fast_step import built

IMAGES = """codsl 1
network n {
  input (16, T, 6, 5)
  idle = conv3d(20, 1, stride=(2, 1, 1))
  residual {
    deep = conv3d(20, 3, padding=1, groups=20)
    relu
    residual("mul", shrink="centered") {
      adaptive_avg_pool3d(1, kernel_size=1)
      gate = conv3d(20, 1)
      sigmoid
    }
    wide = conv3d(20, 3, padding=1)
  }
  delayed = { residual { conv3d(20, (5, 1, 1), padding=(2, 0, 0)) } }
  dropout(0.5)
  conv3d(6, (3, 3, 3), padding=1)
}
"""


@pytest.fixture(autouse=True)
def _blocks() -> None:
    if missing := BACKENDS["onnxruntime"].missing:
        pytest.skip(f"{missing} is not installed")
    if not block():
        pytest.skip("ONNX Runtime has no blocks on this machine")


@pytest.mark.parametrize("channels", [16, 20, 52])
@pytest.mark.parametrize("batch", [1, 3])
def test_an_image_comes_back_as_it_was(channels: int, batch: int) -> None:
    x = torch.randn(batch, channels, 3, 5)
    form = form_of(x.shape, x.dtype)
    assert form is not None
    array = form.native(x)
    assert array.shape[1] % block() == 0
    assert torch.equal(form.tensor(array), x)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((1, 3, 6, 6), torch.float32),
        ((1, 18, 6, 6), torch.float32),
        ((1, 16, 1, 1), torch.float32),
        ((1, 16, 6), torch.float32),
        ((1, 16, 6, 6), torch.float64),
    ],
)
def test_what_gains_nothing_is_kept_as_it_is(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    assert form_of(shape, dtype) is None


def test_kept_images_are_not_brought_into_blocks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnx

    models = []

    def made(*given: Any) -> bytes:
        models.append(right(*given))
        return models[-1]

    right = backend.kept_in_blocks
    monkeypatch.setattr(backend, "kept_in_blocks", made)
    net = built(IMAGES, torch.float32)
    fast = net.compile_step("onnxruntime")
    told = 0
    with torch.no_grad():
        for t in range(net.graph.cycle.start + 12):
            frame = frame_of(net, 2, torch.float32, t)
            told += agree(fast(frame), net.forward_step(frame), torch.float32)
        one, other = fast.get_state(), net.get_state()
    assert told
    assert agree(list(one.tensors), list(other.tensors), torch.float32)
    assert fast.error < 1e-5
    assert len(models) == 1
    for model in map(onnx.load_from_string, models):
        inputs, outputs = (
            {each.name for each in side} for side in (model.graph.input[1:], model.graph.output[1:])
        )
        for node in model.graph.node:
            assert node.op_type != "ReorderInput" or node.input[0] not in inputs
            assert node.op_type != "ReorderOutput" or node.output[0] not in outputs
