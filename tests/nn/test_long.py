"""A hundred thousand frames: no drift from the clip, and no memory that grows."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from mmap import PAGESIZE
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import codsl
from codsl.network import Network
from harness.contract import randomise

FRAMES = 100_000
STEPS = 30_000
"""Frames that come one by one where all others come in chunks."""
DRIFT = 1e-6
"""Of the larger of 1 and the number."""
SHARE = 0.1
"""Blocks of memory a frame that Python may have more: less than one object for ten frames."""
RESIDENT = 4 << 20
"""Bytes that the process may grow by in 90,000 frames, 20,000 of them single: less than one
number a frame and layer, and than a tensor a step."""

NETWORKS = {
    "windows, joins and strides": """codsl 1
network long {
  input (2, T)
  a = conv1d(2, 3, padding=1, stride=2)
  residual { b = conv1d(2, 3, padding=1, padding_mode="replicate") }
  max_pool1d(2, stride=2)
}
""",
    "pools, delays and crops": """codsl 1
network long {
  input (2, T)
  avg_pool1d(3, stride=1, padding=1, count_include_pad=false)
  delay(2)
  residual("mul", shrink="centered") { adaptive_avg_pool1d(1, kernel_size=5) sigmoid }
  norm = batch_norm1d
  parallel {
    { max_pool1d(3, stride=3, padding=1, ceil_mode=true) }
    { c = conv1d(2, 3, stride=3, dilation=2, padding="causal") }
  }
  head = linear(3)
}
""",
}
"""Whatever can run for ever belongs here."""


def built(name: str) -> tuple[Network, Tensor]:
    torch.manual_seed(6)
    net = codsl.build(NETWORKS[name]).eval()
    randomise(net, 6)
    return net, torch.randn(1, 2, FRAMES)


def resident() -> int:
    """Bytes of memory that the process has now, where the system says so in a file."""
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[1]) * PAGESIZE if told.exists() else 0


def close(found: Tensor, wanted: Tensor) -> None:
    assert found.shape == wanted.shape
    assert ((found - wanted).abs() / wanted.abs().clamp(min=1)).max() <= DRIFT


def by_frames(net: Network, x: Tensor) -> Iterator[tuple[int, Tensor | None]]:
    """The frames that are taken, and what is due: one by one, and then in chunks."""
    for t in range(STEPS):
        y = net.forward_step(x[:, :, t])
        yield t + 1, None if y is None else y.unsqueeze(2)
    yield from by_chunks(net, x, STEPS)


def by_chunks(net: Network, x: Tensor, t: int = 0) -> Iterator[tuple[int, Tensor | None]]:
    draw = random.Random(1)
    while t < x.shape[2]:
        size = draw.choice((1, 1, 2, 3, 50, 200))
        y = net.forward_steps(x[:, :, t : t + size])
        t = min(t + size, x.shape[2])
        yield t, y


WAYS = {
    "windows, joins and strides": by_frames,
    "pools, delays and crops": by_chunks,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_hundred_thousand_frames_are_those_of_the_clip(name: str) -> None:
    """All of what comes out, and nothing is kept of it."""
    net, x = built(name)
    with torch.inference_mode():
        wanted = net(x)
        found = torch.full_like(wanted, torch.nan)
        given, settled, before = 0, 0, 0
        for t, y in WAYS[name](net, x):
            if y is not None:
                found[:, :, given : given + y.shape[2]] = y
                given += y.shape[2]
            if t > FRAMES // 10 and not settled:
                settled, before = resident(), net.get_state().bytes
        assert resident() - settled < RESIDENT
        assert net.get_state().bytes == before < 1000
        assert net.get_state().frame == FRAMES
        end = net.flush()
        found[:, :, given:] = end
    assert end is not None
    close(found, wanted)


def growth(step: Any, frames: int) -> float:
    """Blocks of memory more that Python has for each of so many frames, after as many."""
    for t in range(frames):
        step(t)
    gc.collect()
    before = sys.getallocatedblocks()
    for t in range(frames, 2 * frames):
        step(t)
    gc.collect()
    return (sys.getallocatedblocks() - before) / frames


@pytest.mark.parametrize("name", NETWORKS)
def test_steps_leave_nothing_behind(name: str) -> None:
    net, x = built(name)
    with torch.inference_mode():
        assert growth(lambda t: net.forward_step(x[:, :, t]), 500) < SHARE


def test_what_would_be_left_behind_is_seen() -> None:
    net, x = built("windows, joins and strides")
    kept = []
    with torch.inference_mode():
        assert growth(lambda t: kept.append(net.forward_step(x[:, :, t])), 1000) > 2 * SHARE


@pytest.mark.parametrize("name", NETWORKS)
def test_slots_leave_nothing_behind(name: str) -> None:
    """Also where rows come and go."""
    net, x = built(name)
    slots = net.stream(3)
    draw = random.Random(2)
    for _ in range(3):
        slots.join()

    def step(t: int) -> None:
        if t % 7 == 0:
            slots.leave(draw.choice(slots.rows))
            slots.join()
        slots.step(x[:, :, t].expand(3, -1).contiguous())

    with torch.inference_mode():
        assert growth(step, 1500) < SHARE


@pytest.mark.parametrize("name", NETWORKS)
def test_a_stream_of_years_is_one_of_minutes(name: str) -> None:
    """Bit for bit: only where a frame stands in a turn counts."""
    net, x = built(name)
    x = x[:, :, :60]
    with torch.inference_mode():
        net.forward_steps(x[:, :, :40])
        state = net.get_state()
        wanted = [net.forward_step(frame) for frame in x[:, :, 40:].unbind(2)]
        later = 2**70 * net.graph.cycle.turn
        net.set_state(replace(state, frame=state.frame + later))
        found = [net.forward_step(frame) for frame in x[:, :, 40:].unbind(2)]
        assert net.get_state().frame == 60 + later
    assert [y is None for y in found] == [y is None for y in wanted]
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True) if a is not None)
