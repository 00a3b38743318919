"""What a container by hand knows of its frames: those of the stream that it is in."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from contained import clip_of, sequential
from torch import Tensor, nn

import codsl.nn as co


def images(size: int, frames: int = 6) -> Tensor:
    return torch.randn(1, 2, frames, size, size)


def net_of_images() -> Any:
    torch.manual_seed(0)
    return co.Sequential(co.Conv3d(2, 2, 3, padding=1), nn.ReLU()).eval()


@torch.no_grad()
def test_a_restored_stream_is_flushed() -> None:
    net, again, x = sequential().eval(), sequential().eval(), clip_of()
    net.forward_steps(x[:, :, :6])
    again.set_state(net.get_state())
    with pytest.raises(ValueError, match="sizes of the frames are not known before the first"):
        again.flush()
    again.forward_steps(x[:, :, :0])
    assert torch.equal(again.flush(), net.flush())
    again.set_state(net.get_state())
    assert torch.equal(again.forward_steps(x[:, :, 6:]), net.forward_steps(x[:, :, 6:]))
    assert torch.equal(again.flush(), net.flush())


@torch.no_grad()
def test_frames_that_were_refused_are_not_those_of_the_stream() -> None:
    net, again = net_of_images(), net_of_images()
    net.forward_steps(images(4))
    with pytest.raises(ValueError, match="float64"):
        again.forward_step(images(5)[:, :, 0].double())
    with pytest.raises(ValueError, match="not known"):
        _ = again.graph
    again.set_state(net.get_state())
    again.forward_steps(images(4))


@torch.no_grad()
def test_after_a_reset_a_state_may_be_of_other_frames() -> None:
    net, again = net_of_images(), net_of_images()
    net.forward_steps(images(4))
    again.forward_steps(images(5))
    with pytest.raises(ValueError, match="another network"):
        again.set_state(net.get_state())
    again.reset()
    assert again.graph is not None
    again.set_state(net.get_state())
    with pytest.raises(ValueError, match="another network"):
        again.forward_steps(images(5))
    x = images(4)
    assert torch.equal(again.forward_steps(x), net.forward_steps(x))
    assert torch.equal(again.flush(), net.flush())
