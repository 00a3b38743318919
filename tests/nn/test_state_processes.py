"""A state goes on in another process, however the one before ended."""

from __future__ import annotations

import os
import random
import signal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

import forked
from codsl.nn import State

if TYPE_CHECKING:
    from codsl.network import Network
from states import built, clip, run, same

RESUME = """
import sys, torch, codsl
from codsl.nn import State
torch.set_num_threads(1)
folder = sys.argv[1]
net, x = torch.load(f"{folder}/net", weights_only=False)
net.load_state(f"{folder}/state")
with torch.no_grad():
    y = net.forward_steps(x[:, :, net.get_state().frame:], pad_end=True)
torch.save(y, f"{folder}/y")
net.save_state(f"{folder}/end")
"""


def test_a_state_goes_on_in_another_process(tmp_path: Path) -> None:
    net, x = built(), clip()
    torch.save((net, x), tmp_path / "net")
    with torch.no_grad():
        net.forward_steps(x[:, :, :19])
        net.save_state(tmp_path / "state")
        wanted = net.forward_steps(x[:, :, 19:], pad_end=True)
    forked.done(forked.program, RESUME, str(tmp_path)).check_returncode()
    assert torch.equal(torch.load(tmp_path / "y"), wanted)
    assert same(State.load(tmp_path / "end"), net.get_state())


KILLS = 100


def stream_until_killed(net: Network, x: Tensor, folder: Path, told: int) -> None:
    """Go on from the state on file, save after every step, and tell of it."""
    path = folder / "state"
    state = State.load(path) if path.exists() else net.init_state(2)
    while state.frame < x.shape[2]:
        _, state = net.step(x[:, :, state.frame], state)
        state.save(path)
        os.write(told, b".")


def killed_after(steps: int, net: Network, x: Tensor, folder: Path) -> None:
    """A process that streams on, killed without warning after it told of so many steps."""
    heard, told = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(heard)
            with torch.no_grad():
                stream_until_killed(net, x, folder, told)
        finally:
            os._exit(0)
    os.close(told)
    seen = 0
    while seen < steps and (got := os.read(heard, steps - seen)):
        seen += len(got)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(heard)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_hundred_kills_a_hundred_exact_resumes(tmp_path: Path) -> None:
    """Killed at random steps, mostly while the next state is being computed or written."""
    net, x = built(), clip(KILLS * 4)
    chance = random.Random(8)
    wanted = net.init_state(2)
    seen: list[int] = []
    for _ in range(KILLS):
        killed_after(chance.randint(1, 3), net, x, tmp_path)
        state = State.load(tmp_path / "state")
        _, wanted = run(net, x[:, :, wanted.frame : state.frame], wanted)
        assert same(state, wanted)
        seen.append(state.frame)
    assert len(seen) == KILLS
    assert all(a < b for a, b in pairwise(seen))
    net.load_state(tmp_path / "state")
    with torch.no_grad():
        rest = net.forward_steps(x[:, :, seen[-1] :], pad_end=True)
        whole = built().forward_steps(x, pad_end=True)
    assert rest is not None
    torch.testing.assert_close(rest, whole[:, :, -rest.shape[2] :], rtol=1e-6, atol=1e-6)
