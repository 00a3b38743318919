"""A network of every kind of layer, small, with clips and streams of it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

import codsl
from codsl.network import Network
from harness.contract import randomise

SPEC = """codsl 1
network small {
  input (3, T, 6)
  stem = {
    conv = conv2d(4, 3, padding=(1, 1), stride=(2, 1))
    norm = batch_norm2d
    relu
  }
  mixed = residual(shrink="lagging") {
    wide = conv2d(4, (3, 1), dilation=(2, 1))
    dropout(0.5)
    slope = prelu(4)
  }
  arms = parallel {
    one { conv = conv2d(2, 3, padding=("causal", 1)) }
    two { max_pool2d((3, 1), stride=1, padding=(1, 0)) }
  }
  adaptive_avg_pool2d(1, kernel_size=2)
  flatten
  head = linear(5)
}
"""


def built(spec: Any = SPEC, dtype: torch.dtype = torch.float32) -> Network:
    """A network with state of its own, in `eval()`."""
    torch.manual_seed(2)
    net = codsl.build(spec, dtype=dtype).eval()
    randomise(net, 2)
    return net


def clip(net: Any, frames: int, seed: int = 0) -> Tensor:
    """A clip of a batch of two."""
    frame = net.graph.input
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, frame.channels, frames, *frame.space, generator=generator)


def stream(net: Any, x: Tensor) -> list[Tensor | None]:
    """The outputs of every step."""
    return [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]


def same(found: list[Tensor | None], wanted: list[Tensor | None]) -> bool:
    """Whether two streams are equal bit for bit."""
    return len(found) == len(wanted) and all(
        (a is None and b is None) or (a is not None and b is not None and torch.equal(a, b))
        for a, b in zip(found, wanted, strict=True)
    )
