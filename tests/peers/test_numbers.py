"""The numbers that continual-inference's own tests have, where it is right, as specs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import codsl
from codsl.network import Network

NETWORKS = Path(__file__).parents[2] / "networks"
STRIDES = (1, 2, 3, 1)


def built(body: str | Sequence[str], input: str = "1, T") -> Network:
    lines = [body] if isinstance(body, str) else body
    text = "\n".join(["codsl 1", "network n {", f"input ({input})", *lines, "}"])
    return codsl.build(text).eval()


def ones(net: Network) -> Network:
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(1.0)
    return net


def ramp(frames: int) -> Tensor:
    return torch.arange(frames, dtype=torch.float32).view(1, 1, -1)


def three_ways(net: Network, x: Tensor) -> list[list[float]]:
    """What a clip gives, what steps and the end give, and what chunks of two and the end give."""
    parts = [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]
    stepped = [y.unsqueeze(2) for y in parts if y is not None]
    ways = [net(x), together([*stepped, net.flush()])]
    net.reset()
    chunked = [net.forward_steps(chunk) for chunk in x.split(2, 2)]
    ways.append(together([*chunked, net.flush()]))
    return [way.flatten().tolist() for way in ways]


def together(parts: Sequence[Tensor | None]) -> Tensor:
    return torch.cat([part for part in parts if part is not None], 2)


def convs(count: int, arguments: str) -> list[str]:
    return [f"c{n} = conv1d(1, {arguments})" for n in range(count)]


STACKS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "k5 then k3": (["a = conv1d(1, 5)", "b = conv1d(1, 3)"], {"delay": 6}),
    "ten of k9": (convs(10, "9"), {"receptive_field": 81, "outputs": 20, "padding": 0}),
    "ten of k9 padded": (
        convs(10, "9, padding=4"),
        {"receptive_field": 81, "outputs": 100, "padding": 40},
    ),
    "strides": (
        [f"c{n} = conv1d(1, 3, stride={s})" for n, s in enumerate(STRIDES)],
        {"receptive_field": 21, "outputs": 14, "stride": 6},
    ),
    "strides padded": (
        [f"c{n} = conv1d(1, 3, stride={s}, padding=1)" for n, s in enumerate(STRIDES)],
        {"receptive_field": 21, "outputs": 17, "stride": 6},
    ),
    "pool between": (
        ["a = conv1d(1, 3, padding=1)", "max_pool1d(2)", "b = conv1d(1, 3, stride=2, padding=1)"],
        {"stride": 4, "padding": 3, "receptive_field": 8, "delay": 4},
    ),
    "stride 2 then k3": (
        ["a = conv1d(1, 3, stride=2, padding=2)", "b = conv1d(1, 3)"],
        {"receptive_field": 7, "padding": 2, "delay": 4},
    ),
}


@pytest.mark.parametrize(("body", "wanted"), STACKS.values(), ids=STACKS)
def test_numbers_of_stacks(body: list[str], wanted: dict[str, Any]) -> None:
    net = built(body)
    found: dict[str, Any] = {
        "delay": net.delay,
        "receptive_field": net.receptive_field,
        "stride": net.stride[0],
        "padding": net.padding[0],
        "outputs": net(torch.randn(1, 1, 100)).shape[2],
    }
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize(("body", "wanted"), STACKS.values(), ids=STACKS)
@torch.no_grad()
def test_stacks_stream(body: list[str], wanted: dict[str, Any]) -> None:
    net = built(body)
    x = torch.randn(1, 1, 100)
    clip, steps, chunks = (torch.tensor(way) for way in three_ways(net, x))
    assert len(clip) == wanted.get("outputs", len(clip))
    assert torch.allclose(clip, steps, atol=1e-6)
    assert torch.allclose(clip, chunks, atol=1e-6)


def test_sum_of_three_kernels() -> None:
    net = ones(
        built(
            """parallel("sum") {
              { a = conv1d(1, 5, padding=2, bias=false) }
              { b = conv1d(1, 3, padding=1, bias=false) }
              { c = conv1d(1, 1, bias=false) }
            }"""
        )
    )
    assert (net.delay, net.receptive_field) == (2, 5)
    assert three_ways(net, ramp(7)) == [[4, 10, 18, 27, 36, 38, 32]] * 3


def test_strided_conv_with_padding() -> None:
    net = ones(built("conv1d(1, 3, stride=2, padding=1, bias=false)"))
    assert three_ways(net, ramp(5)) == [[1, 6, 7]] * 3


@pytest.mark.parametrize(
    ("shrink", "wanted"),
    [
        ("centered", [4, 8, 12, 16]),
        ("lagging", [3, 7, 11, 15]),
        ("leading", [5, 9, 13, 17]),
    ],
)
def test_residual_that_shrinks(shrink: str, wanted: list[float]) -> None:
    net = ones(built(f'residual(shrink="{shrink}") {{ conv1d(1, 3, bias=false) }}'))
    assert three_ways(net, ramp(6)) == [wanted] * 3


@pytest.mark.parametrize(
    ("name", "params", "field", "delay"),
    [
        ("mbconv", {}, 3, 1),
        ("inception", {"kernel": 5}, 5, 2),
        ("inception", {"kernel": 3}, 3, 1),
        ("squeeze_excitation", {"window": 7}, 7, 6),
    ],
)
@pytest.mark.parametrize("suffix", [".yaml", ".codsl"])
def test_blocks(name: str, suffix: str, params: dict[str, Any], field: int, delay: int) -> None:
    graph = codsl.check(NETWORKS / f"{name}{suffix}", params=params)
    assert (graph.receptive_field, graph.delay) == (field, delay)
