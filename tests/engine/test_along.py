"""Chunks of one stream of images, whose convolutions over time take clips."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.fast_streams import agree, chunk_of, frame_of
from engine.test_fast_step import built

LAYERS = {
    "plain": "conv3d(5, 3)",
    "padded": "conv3d(5, (3, 3, 5), padding=(1, 1, 2)) relu",
    "strided over time": "conv3d(5, 3, stride=(2, 1, 1)) b = conv3d(3, 2, stride=(3, 1, 1))",
    "strided over space": "conv3d(5, 3, stride=(1, 2, 2), padding=1) batch_norm3d silu",
    "dilated": "conv3d(5, (3, 2, 2), dilation=(2, 1, 2)) batch_norm3d b = conv3d(4, (5, 1, 1))",
    "joined": "residual { conv3d(4, 3, padding=1) batch_norm3d } relu b = conv3d(2, 3, padding=1)",
    "replicated": 'conv3d(5, 3, padding=1, padding_mode="replicate")',
    "by channels": "conv3d(8, 3, padding=1, groups=4) b = conv3d(4, 3)",
    "same": 'conv3d(5, 3, padding="same")',
}


def in_chunks(net: Any, batch: int) -> int:
    """How many numbers there were of chunks of several lengths, steps between them."""
    fast = net.compile_step()
    told = 0
    with torch.no_grad():
        for length in (net.graph.cycle.start + 1, 1, 7, 2, 19):
            chunk = chunk_of(net, batch, torch.float32, length)
            told += agree(fast.forward_steps(chunk), net.forward_steps(chunk), torch.float32)
            frame = frame_of(net, batch, torch.float32, length)
            told += agree(fast(frame), net.forward_step(frame), torch.float32)
        one, other = fast.get_state(), net.get_state()
        agree(list(one.tensors), list(other.tensors), torch.float32)
    return told


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("name", LAYERS)
def test_chunks_of_clips(name: str, batch: int) -> None:
    net = built(f"codsl 1\nnetwork n {{ input (4, T, 7, 6) {LAYERS[name]} }}", torch.float32)
    assert in_chunks(net, batch)


def test_a_stream_alone_takes_clips_and_several_take_frames() -> None:
    net = built(f"codsl 1\nnetwork n {{ input (4, T, 7, 6) {LAYERS['joined']} }}", torch.float32)
    fast = net.compile_step()
    with torch.no_grad():
        for batch, along in ((1, True), (2, False)):
            fast.reset()
            fast.forward_steps(chunk_of(net, batch, torch.float32, 12))
            (chunks,) = fast._chunks.values()
            units = chunks._lister.units.values()
            assert {unit.along for unit in units} == {along}
