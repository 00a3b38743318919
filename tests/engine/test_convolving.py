"""Convolutions of large frames, each kernel against the network."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from codsl.engine import convolving
from engine.fast_streams import frame_of, same_stream
from engine.test_fast_step import built

ALONE = {
    "plain": "conv3d(4, 3, padding=1, groups=4)",
    "without a bias": "conv3d(4, 3, padding=1, groups=4, bias=false) batch_norm3d silu",
    "strided": "conv3d(4, (3, 3, 5), stride=(1, 2, 2), padding=(1, 1, 0), groups=4) relu",
    "strided over time": "conv3d(4, 3, stride=(2, 1, 1), padding=1, groups=4)",
    "dilated": "conv3d(4, 3, dilation=(2, 2, 1), groups=4)",
    "joined": "residual { conv3d(4, 3, padding=1, groups=4) } relu",
    "replicated": 'conv3d(4, 3, padding=1, groups=4, padding_mode="replicate")',
    "in groups": "conv3d(8, 3, padding=1, groups=2)",
    "of all channels": "conv3d(5, 3, padding=1) relu b = conv3d(3, (2, 1, 3))",
    "at a place": "conv3d(4, (5, 1, 1), padding=(2, 0, 0), groups=4)",
    "of all channels at a place": "a = conv3d(6, 1) batch_norm3d relu b = conv3d(3, (2, 1, 1))",
}


@pytest.fixture(autouse=True)
def _however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolving, "WIDE", 1)
    monkeypatch.setattr(convolving, "MANY", 1)
    monkeypatch.setattr(convolving, "SEVERAL", 1)


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_large_frames(name: str, dtype: torch.dtype) -> None:
    net = built(f"codsl 1\nnetwork n {{ input (4, T, 7, 6) {ALONE[name]} }}", dtype)
    same_stream(net, 2, dtype, 12)


class Copies(TorchDispatchMode):
    """Counts what lays tensors behind each other."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func in (torch.ops.aten.cat.default, torch.ops.aten.stack.default)
        return func(*args, **(kwargs or {}))


def copies(net: Any) -> int:
    """How often a step of two streams lays items behind each other."""
    fast = net.compile_step()
    frame = frame_of(net, 2, torch.float32, 0)
    with torch.no_grad():
        for _ in range(net.graph.cycle.start + 2):
            fast(frame)
        with Copies() as counted:
            fast(frame)
    return counted.count


@pytest.mark.parametrize(("name", "limit"), [("plain", "WIDE"), ("of all channels", "SEVERAL")])
def test_windows_of_large_frames_are_not_copied(
    name: str, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = built(f"codsl 1\nnetwork n {{ input (4, T, 7, 6) {ALONE[name]} }}", torch.float32)
    if not torch._C._has_mkldnn:
        pytest.skip("torch has no oneDNN here")
    for each in ("WIDE", "SEVERAL"):
        monkeypatch.setattr(convolving, each, 2**15)
    assert copies(net)
    monkeypatch.setattr(convolving, limit, 1)
    assert copies(net) == 0
