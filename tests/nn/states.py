"""A small network and its states: run from, taken, compared, and by way of a file."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

import codsl
from codsl.nn import State
from harness.contract import randomise

if TYPE_CHECKING:
    from codsl.network import Network

SPEC = """codsl 1
network small {
  input (3, T, 4)
  stem = conv2d(4, 3, padding=(1, 1), stride=(2, 1))
  norm = batch_norm2d
  body = residual {
    conv = conv2d(4, (3, 1), padding=(1, 0), temporal_fill="replicate")
    act = tanh
  }
  max_pool2d((2, 1), stride=1, padding=(1, 0))
  flatten
  head = linear(5)
}
"""

FRAMES = 40


def built(spec: Any = SPEC, dtype: torch.dtype = torch.float32) -> Network:
    torch.manual_seed(3)
    net = codsl.build(spec, dtype=dtype).eval()
    randomise(net, 3)
    return net


def clip(frames: int = FRAMES, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(2, 3, frames, 4, generator=generator).to(dtype)


@torch.no_grad()
def run(net: Network, x: Tensor, state: State) -> tuple[list[Tensor | None], State]:
    outputs = []
    for t in range(x.shape[2]):
        y, state = net.step(x[:, :, t], state)
        outputs.append(y)
    return outputs, state


def after(net: Network, frames: int) -> State:
    dtype = next(net.parameters()).dtype
    return run(net, clip(frames, dtype), net.init_state(2))[1]


def same(found: State, wanted: State) -> bool:
    """Whether two states are equal bit for bit."""
    facts = [
        (s.frame, s.batch_size, s.dtype, s.device, s.names, s.layout, s.network)
        for s in (found, wanted)
    ]
    return facts[0] == facts[1] and all(
        a.dtype == b.dtype and torch.equal(a, b)
        for a, b in zip(found.tensors, wanted.tensors, strict=True)
    )


def on_file(state: State, tmp_path: Path) -> State:
    state.save(tmp_path / "state.safetensors")
    return State.load(tmp_path / "state.safetensors")


def bare(*sizes: int, names: tuple[str, ...] = ()) -> State:
    """A state of no network, of tensors with so many numbers."""
    tensors = tuple(torch.zeros(1, size) for size in sizes)
    return State(3, 1, torch.float32, torch.device("cpu"), tensors, names)


def refusals(net: Any, state: State, times: int, chance: random.Random, tmp_path: Path) -> int:
    """How often a state is refused in whose file a byte of the head is another; else it is one."""
    state.save(tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    head = 8 + int.from_bytes(content[:8], "little")
    refused = 0
    for _ in range(times):
        at = chance.randrange(head)
        (tmp_path / "x").write_bytes(
            content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
        )
        try:
            net.set_state(State.load(tmp_path / "x"))
        except ValueError:
            refused += 1
    return refused
