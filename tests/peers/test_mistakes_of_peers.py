"""The mistakes themselves, in continual-inference 1.2.4: what is not repeated is no straw man."""

from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

pytestmark = pytest.mark.filterwarnings("ignore:Positional args are being deprecated")
REASON = "continual-inference is not installed; it comes with the test extra"


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    return pytest.importorskip("continual", reason=REASON)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def due(net: Any, x: Tensor) -> list[int]:
    steps = [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]
    return [t for t, y in enumerate(steps) if isinstance(y, Tensor)]


@torch.no_grad()
def test_a_strided_kernel_of_one_emits_at_every_step(peer: ModuleType) -> None:
    assert due(peer.Conv1d(2, 2, 1, stride=3).eval(), noise(1, 2, 9)) == list(range(9))


def test_dilation_over_time_is_refused(peer: ModuleType) -> None:
    with pytest.raises(AssertionError, match="dilation"):
        peer.Conv1d(2, 2, 3, dilation=2)


def test_padding_beyond_the_window_makes_a_negative_delay(peer: ModuleType) -> None:
    assert peer.Conv1d(2, 2, 3, padding=3).delay == -1


def test_keys_depend_on_a_siblings_delay(peer: ModuleType) -> None:
    narrow, wide = (
        peer.BroadcastReduce(peer.Conv1d(2, 2, k, padding=k // 2), peer.Conv1d(2, 2, 1))
        for k in (1, 9)
    )
    assert list(narrow.state_dict()) != list(wide.state_dict())


@torch.no_grad()
def test_a_container_has_no_state(peer: ModuleType) -> None:
    net = peer.Sequential(peer.Conv1d(2, 2, 3), peer.Conv1d(2, 2, 3))
    net.forward_steps(noise(1, 2, 9))
    assert net.get_state() is None


@torch.no_grad()
def test_group_norm_is_accepted_and_its_steps_are_not_the_clip(peer: ModuleType) -> None:
    net = peer.continual(nn.GroupNorm(1, 2))
    x = noise(1, 2, 9)
    steps = torch.stack([net.forward_step(x[:, :, t]) for t in range(9)], 2)
    assert not torch.allclose(steps, net.forward(x), atol=0.1)
