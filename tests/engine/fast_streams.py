"""How a fast step is held against the network it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from codsl.nn.nest import leaves

if TYPE_CHECKING:
    from codsl.network import Network

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def frame_of(net: Network, batch: int, dtype: torch.dtype, seed: int) -> Any:
    """A random frame of every input."""
    draw = torch.Generator().manual_seed(seed % 2**32)
    frames = {
        inlet.name: torch.randn(batch, *inlet.frame.shape, generator=draw, dtype=dtype)
        for inlet in net.graph.inputs
    }
    return frames if net.graph.inputs[0].name else frames[""]


def chunk_of(net: Network, batch: int, dtype: torch.dtype, frames: int) -> Any:
    """A random chunk of every input."""
    drawn = [frame_of(net, batch, dtype, -1 - t) for t in range(frames)]
    if isinstance(drawn[0], dict):
        return {name: torch.stack([each[name] for each in drawn], 2) for name in drawn[0]}
    return torch.stack(drawn, 2)


def agree(found: Any, wanted: Any, dtype: torch.dtype) -> int:
    """Hold outputs against each other; how many numbers there were."""
    pairs = list(zip(_all(found), _all(wanted), strict=True))
    for one, other in pairs:
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.shape == other.shape
            assert torch.equal(one.isnan(), other.isnan())
            off = (one - other).nan_to_num().abs() / other.nan_to_num().abs().clamp(min=1)
            assert off.numel() == 0 or off.max().item() <= TOLERANCE[dtype]
    return sum(one.numel() for one, _ in pairs if one is not None)


def _all(nest: Any) -> list[Tensor | None]:
    return [None] if nest is None else list(leaves(nest))


@torch.no_grad()
def same_stream(net: Network, batch: int, dtype: torch.dtype, frames: int) -> None:
    """The same frames give the same, before and after the states have changed sides."""
    fast = net.compile_step()
    net.reset()
    told = 0
    exchanges = {frames // 3, (3 * frames) // 4}
    for t in range(frames):
        frame = frame_of(net, batch, dtype, t)
        told += agree(fast(frame), net.forward_step(frame), dtype)
        if t in exchanges:
            one, other = fast.get_state(), net.get_state()
            assert one is not None
            assert other is not None
            assert one.frame == other.frame == t + 1
            agree(list(one.tensors), list(other.tensors), dtype)
            agree(fast.flush(), net.flush(), dtype)
            net.set_state(one)
            fast.set_state(other)
    for length in (1, 2 * net.graph.cycle.turn + 3):
        chunk = chunk_of(net, batch, dtype, length)
        told += agree(fast.forward_steps(chunk), net.forward_steps(chunk), dtype)
        one, other = fast.get_state(), net.get_state()
        assert one is not None
        assert other is not None
        assert one.frame == other.frame
        agree(list(one.tensors), list(other.tensors), dtype)
    assert told or frames <= net.graph.begins
