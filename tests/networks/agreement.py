"""How a spec is held against its reference: the same weights, clips, and streams of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

import codsl
from codsl.network import Network
from harness.contract import randomise

FOLDER = Path(__file__).parents[2] / "networks"
TOLERANCE = 1e-9


def moving(*shape: int, seed: int = 0) -> Tensor:
    """A clip in float64 that is another one in every frame."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@torch.no_grad()
def tuned(net: nn.Module, x: Tensor, seed: int = 0) -> nn.Module:
    """A network in float64 with no constant left, nor statistics quite those of its data: a fresh
    norm would be the identity, and a fresh head as good as zero."""
    torch.manual_seed(seed)
    net.double().train()
    randomise(net, seed)
    norms = [each for each in net.modules() if isinstance(each, _BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    net(x)
    for norm in norms:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean += 0.2 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
        norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.7, 1.4)
    return net.eval()


def small(
    spec: Path, variant: str, outputs: str = "", root: Path | None = None, **params: Any
) -> Network:
    """A spec in float64, for frames of 32 x 32; `outputs` are what it gives besides logits."""
    text = spec.read_text()
    if outputs:
        text = text.replace(" size, size)\n", f" size, size)\n  outputs {outputs}, classify\n")
    sizes = {**params, "size": 32, "head": 1}
    return codsl.build(text, variant=variant, params=sizes, dtype=torch.float64, root=root).eval()


def far(found: Tensor | None, wanted: Tensor) -> float:
    """The largest difference, relative to max(1, |wanted|)."""
    assert found is not None
    assert found.shape == wanted.shape
    return ((found - wanted).abs() / wanted.abs().clamp(min=1)).max().item()


@torch.no_grad()
def streams(net: Network, x: Tensor, wanted: Tensor, chunk: int = 5) -> None:
    """Frames one by one, each output at its own frame, and chunks, give what the clip gives."""
    net.reset()
    due: list[Tensor] = []
    for t, frame in enumerate(x.unbind(2)):
        y = net.forward_step(frame)
        assert (y is not None) == (t >= net.delay and (t - net.delay) % net.graph.stride == 0)
        due += [] if y is None else [y.unsqueeze(2)]
    end = net.flush()
    assert far(torch.cat([*due, *([] if end is None else [end])], 2), wanted) <= TOLERANCE
    net.reset()
    pieces = x.split(chunk, 2)
    parts = [net.forward_steps(each, pad_end=each is pieces[-1]) for each in pieces]
    assert far(torch.cat([each for each in parts if each is not None], 2), wanted) <= TOLERANCE
