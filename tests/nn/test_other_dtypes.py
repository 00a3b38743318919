"""A clip or a frame of another dtype than the network's is refused with the way to make it fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_network import built

import codsl
import codsl.nn as co

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "a clip": lambda net, x: net(x),
    "a frame": lambda net, x: net.forward_step(x[:, :, 0]),
    "a chunk": lambda net, x: net.forward_steps(x),
}
FRAMES: dict[str, Callable[[Any, Any], Any]] = {
    "the pure step": lambda net, x: net.step(x[:, :, 0], net.init_state()),
    "the fast step": lambda net, x: net.compile_step()(x[:, :, 0]),
    "slots": lambda net, x: slots(net).step(x[:, :, 0]),
}
REMEDIES = {
    torch.float64: "give `x.float()`, or call `net.double()` first",
    torch.float16: "give `x.float()`, or call `net.half()` first",
    torch.bfloat16: "give `x.float()`, or call `net.bfloat16()` first",
    torch.int64: "give `x.float()`",
    torch.uint8: "give `x.float()`, or `x.float() / 255` where it learnt from 0 to 1",
    torch.bool: "give `x.float()`",
}


def slots(net: Any) -> Any:
    made = net.stream(1)
    made.join()
    return made


def refusal(call: Callable[[Any, Any], Any], net: Any, x: torch.Tensor) -> str:
    with pytest.raises(ValueError, match=r"^the ") as caught:
        call(net, x)
    return str(caught.value)


@pytest.mark.parametrize("dtype", REMEDIES, ids=str)
@pytest.mark.parametrize("what", CALLS)
def test_what_came_what_is_there_and_the_remedy_are_said(what: str, dtype: torch.dtype) -> None:
    said = refusal(CALLS[what], built(), torch.ones(1, 3, 20, 6).to(dtype))
    assert (
        said
        == f"the network is torch.float32 on cpu, {what} is {dtype} on cpu; " + (REMEDIES[dtype])
    )


@pytest.mark.parametrize("call", FRAMES)
def test_other_steps_say_the_same(call: str) -> None:
    said = refusal(FRAMES[call], built(), torch.ones(1, 3, 20, 6).to(torch.int64))
    assert said.endswith("a frame is torch.int64 on cpu; give `x.float()`")


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_remedy_names_the_networks_own_dtype(dtype: torch.dtype) -> None:
    cast = {torch.float64: "double", torch.bfloat16: "bfloat16"}[dtype]
    said = refusal(CALLS["a clip"], built(dtype=dtype), torch.ones(1, 3, 20, 6))
    assert said.endswith(f"give `x.{cast}()`, or call `net.float()` first")


@pytest.mark.parametrize("what", CALLS)
def test_both_remedies_help(what: str) -> None:
    x = torch.ones(1, 3, 20, 6, dtype=torch.float64)
    CALLS[what](built(), x.float())
    CALLS[what](built().double(), x)


def test_a_stream_does_not_begin_anew_for_what_the_network_refuses() -> None:
    net = built()
    frame = torch.ones(1, 3, 6)
    net.forward_step(frame)
    with pytest.raises(ValueError, match=r"stream is .*give `x\.float\(\)`$"):
        net.forward_step(frame.double())
    fast = net.compile_step()
    for _ in range(30):
        fast(frame)
    with pytest.raises(ValueError, match=r"stream is .*give `x\.float\(\)`$"):
        fast(frame.double())


def test_a_stream_begins_anew_where_the_network_takes_the_frame() -> None:
    bare = co.Sequential(co.ReLU()).eval()
    bare.forward_step(torch.ones(1, 3))
    changed = built()
    changed.forward_step(torch.ones(1, 3, 6))
    changed.double()
    for net, frame in ((bare, torch.ones(1, 3)), (changed, torch.ones(1, 3, 6))):
        with pytest.raises(ValueError, match=r"a frame is torch\.float64 on cpu; reset\(\) starts"):
            net.forward_step(frame.double())
        net.reset()
        net.forward_step(frame.double())


def test_another_device_is_said_alike() -> None:
    frame = torch.ones(1, 3, 6, device="meta", dtype=torch.float64)
    with pytest.raises(ValueError, match=r"; give `x\.to\(\"cpu\"\)\.float\(\)`, or call"):
        built().forward_step(frame)


def test_a_clip_that_torch_takes_is_taken() -> None:
    net = codsl.build("codsl 1\nnetwork n { input (1, T) embedding(7, 3) linear(2) }\n").eval()
    assert net(torch.ones(1, 1, 4, dtype=torch.int64)).shape == (1, 2, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert built()(torch.ones(1, 3, 20, 6, dtype=torch.bfloat16)).shape[1] == 5


def test_other_mistakes_in_a_clip_stay_torchs() -> None:
    net = built()
    net.head.weight.data = torch.ones(5, 7)
    with pytest.raises(RuntimeError, match="shape"):
        net(torch.ones(1, 3, 20, 6))
