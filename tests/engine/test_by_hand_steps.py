"""Fast steps of modules by hand: what is none of torch's is computed as it is."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import codsl.nn as co
from codsl.engine.backends.table import BACKENDS
from codsl.engine.fast import compile_step
from engine.fast_streams import agree
from harness.contract import randomise


class Block(nn.Module):
    """Layers and functions of torch, traced."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv1d(4, 4, 3), nn.LayerNorm(4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.conv(x)) + x[:, :, 2:]
        z = self.head(self.norm(y.transpose(1, 2))).transpose(1, 2)
        return torch.cat([y * 2, torch.sigmoid(z) * y], 1).clamp(-3, 3)


class Mixed(nn.Module):
    """A parameter of its own, and a recurrent layer."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Parameter(torch.randn(4, 4))
        self.lstm, self.head = nn.LSTM(4, 6, 2, batch_first=True), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.einsum("oc,bct->bot", self.mix, x).tanh()
        y, _ = self.lstm(x.transpose(1, 2))
        return self.head(y).transpose(1, 2)


def _joined() -> nn.Module:
    return co.BroadcastReduce(co.Conv1d(4, 4, 3, padding=1), co.Multiply(3.0), reduce="concat")


def _attending() -> nn.Module:
    return co.SingleOutputTransformerEncoderLayer(
        d_model=4, nhead=2, dim_feedforward=8, sequence_len=5
    )


def _choosing() -> nn.Module:
    return co.Conditional(lambda _, x: bool(x.mean() > 0), co.Multiply(2.0), co.Multiply(-1.0))


PARTS = {
    "numbers": lambda: co.Sequential(co.Multiply(2.0), co.Add(1.0), co.Constant(2.0), co.One()),
    "shapes": lambda: co.Sequential(co.Reshape(-1, 2, 2), co.Lambda(lambda x: x.mean(-1))),
    "functions": lambda: co.Sequential(
        co.Lambda(lambda x: x.softmax(1)), co.Lambda(lambda x: x * x, takes_time=True)
    ),
    "layers": lambda: co.Sequential(nn.Softsign(), nn.Softshrink(), nn.PReLU(4), nn.AvgPool1d(2)),
    "a block": lambda: co.continual(Block()),
    "what is mixed": lambda: co.continual(Mixed()),
    "branches": _joined,
    "attention": _attending,
    "positions": lambda: co.RecyclingPositionalEncoding(4, 9),
}
EAGER_ALONE = {"a choice": _choosing}
CASES = [
    *(("eager", name) for name in [*PARTS, *EAGER_ALONE]),
    *(("native", name) for name in PARTS),
    *(("onnxruntime", name) for name in ("shapes", "a block", "what is mixed", "attention")),
]


def ready(name: str) -> Any:
    """A network with such a part, whose frames are known, behind which there is nothing."""
    torch.manual_seed(0)
    net = co.Sequential(co.Conv1d(4, 4, 3), (PARTS | EAGER_ALONE)[name]()).eval()
    randomise(net, 1)
    net.forward_steps(torch.zeros(2, 4, 4))
    net.clean_state()
    return net


@pytest.mark.parametrize(("backend", "name"), CASES)
def test_a_stream_is_the_same(backend: str, name: str) -> None:
    if BACKENDS[backend].missing:
        pytest.skip(f"{BACKENDS[backend].missing} is not installed")
    if backend == "native" and not (shutil.which("g++") or shutil.which("c++")):
        pytest.skip("no C++ compiler is installed")
    net = ready(name)
    fast, told = compile_step(net, backend), 0
    frames = torch.randn(2, 4, 30, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        for t in range(20):
            told += agree(fast(frames[:, :, t]), net.forward_step(frames[:, :, t]), torch.float32)
        for begin, end in ((20, 25), (25, 30)):
            some = frames[:, :, begin:end]
            told += agree(fast.forward_steps(some), net.forward_steps(some), torch.float32)
    assert told > 50
    assert fast.error is not None


def test_frames_have_to_be_known() -> None:
    net = co.Sequential(co.Conv2d(3, 4, 3)).eval()
    with pytest.raises(ValueError, match="first input: feed one"):
        compile_step(net)
