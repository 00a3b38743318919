"""What MegEngine's page of `Conv3d` states, and what MegEngine 1.13.0 gives, under the language's
names.

Inputs and weights are integers in a short cycle, so that every answer is exact in float32.
"""

from dataclasses import dataclass
from itertools import cycle, islice
from math import prod

import pytest
import torch
from torch import Tensor

import codsl
from codsl import SpecError
from codsl.network import Network

INPUT = (-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5)
WEIGHT = (-3, 0, 3, -1, 2, -2, 1)
BIAS = (-2, 0, 2, -1, 1)


@dataclass(frozen=True)
class Case:
    """A layer, the shapes as MegEngine has them, and what it gives (on a CPU)."""

    layer: str
    shape: tuple[int, ...]
    weight: tuple[int, ...]
    output_shape: tuple[int, ...]
    output: list[int]


CASES = {
    "all arguments": Case(
        "conv3d(3, (2, 3, 3), stride=(1, 2, 1), padding=(1, 1, 0), dilation=(1, 1, 2))",
        (1, 2, 4, 5, 7), (3, 2, 2, 3, 3), (1, 3, 5, 3, 3),
        [15, 24, -11, -25, -25, -25, -13, -11, 24, -44, -50, -23, -4, -18, -21, 1, 47, 38, -23, 15,
         -2, -21, -2, 50, 38, 40, -2, -2, 25, 19, 50, 36, 44, -2, 11, -42, -4, 25, 21, 23, -35, -27,
         -14, -14, -14, 7, -16, -6, 32, -3, 6, -40, -33, -37, -14, -33, -63, -23, -23, -34, -33,
         -14, 27, -63, -38, -2, -34, -1, -1, 27, 35, 43, -2, 12, 15, -1, 43, 32, 43, 18, 15, 27, -2,
         2, 16, 51, -2, -12, -11, 1, 34, 56, 34, -30, -16, 9, 45, -6, -35, 51, 5, -19, -14, 0, -19,
         -46, -40, -12, -19, -21, -23, -19, -49, -24, -12, 16, 11, -23, -36, -38, -24, 1, 48, 11,
         39, 23, -26, 27, 25, 23, -10, 23, 25, 27, -26],
    ),
    "groups": Case(
        "conv3d(6, (2, 3, 1), groups=2)",
        (1, 4, 3, 4, 2), (2, 3, 2, 2, 3, 1), (1, 6, 2, 2, 2),
        [40, -14, -13, -1, -18, -28, 6, 40, 5, 4, 3, 2, 8, -26, -16, 5, -23, 29, 26, 12, 41, -17,
         -31, -23, 5, -26, -24, -11, 21, 23, 3, 5, -29, 4, 4, -7, 4, 4, -29, -29, 2, 22, 20, -15,
         -25, -27, 4, 2],
    ),
    "depthwise": Case(
        "conv3d(3, (2, 2, 2), groups=3)",
        (1, 3, 3, 3, 3), (3, 1, 1, 2, 2, 2), (1, 3, 2, 2, 2),
        [11, 30, 2, -1, -5, -19, 30, 5, 8, 8, -3, -3, 8, 8, 8, -14, -1, -31, -3, 0, 15, -15,
         -31, 5],
    ),
    "depthwise with a multiplier": Case(
        "conv3d(6, (1, 2, 2), groups=3)",
        (1, 3, 2, 3, 3), (3, 2, 1, 1, 2, 2), (1, 6, 2, 2, 2),
        [8, 7, 5, 4, -23, -24, 7, 6, -1, -3, -7, -9, 3, 23, -3, -5, -4, 11, -14, -10, 10, 14, 11,
         15, -17, 12, -7, 11, -9, -13, 12, 8, -6, -4, 0, 24, -10, -8, -4, -2, 5, 6, 8, -24, 3, 4, 6,
         7],
    ),
    "pointwise": Case(
        "conv3d(4, 1)",
        (1, 3, 2, 2, 2), (4, 3, 1, 1, 1), (1, 4, 2, 2, 2),
        [13, 13, 13, 13, 13, 13, -20, -20, 11, 10, 9, -14, -15, -16, 5, 4, -12, -14, -16, 15, 13,
         11, 9, 7, -19, -15, -11, 4, 8, 12, -6, -2],
    ),
    "two dimensions": Case(
        "conv2d(3, 3, stride=2, padding=1)",
        (1, 2, 5, 5), (3, 2, 3, 3), (1, 3, 3, 3),
        [2, 14, -23, 35, 11, -44, 5, 19, 12, -23, 14, 18, -33, -28, 2, 9, -45, 27, 22, 0, -25, -3,
         38, 20, 6, 17, -7],
    ),
    "two dimensions, replicate": Case(
        'conv2d(1, 3, padding=(1, 2), padding_mode="replicate")',
        (1, 1, 4, 4), (1, 1, 3, 3), (1, 1, 4, 6),
        [5, 6, 6, 3, -1, -4, -7, -6, -6, -9, 20, 6, 3, 4, 4, 23, -3, 5, 10, 11, 11, -25, -29, 1],
    ),
    "one dimension": Case(
        "conv1d(3, 3, stride=2, padding=2, dilation=2)",
        (1, 2, 9), (3, 2, 3), (1, 3, 5),
        [7, 2, 11, 9, -2, 1, 15, -14, -10, -12, 23, 0, -4, -8, 6],
    ),
}  # fmt: skip


def take(values: tuple[int, ...], *shape: int) -> Tensor:
    return torch.tensor(list(islice(cycle(values), prod(shape))), dtype=torch.float32).view(shape)


def network(layer: str, shape: tuple[int, ...]) -> Network:
    channels, _, *space = shape[1:]
    sizes = ", ".join(map(str, (channels, "T", *space)))
    return codsl.build(f"codsl 1\nnetwork n {{\ninput ({sizes})\nlayer = {layer}\n}}").eval()


def weighted(layer: str, shape: tuple[int, ...], weight: tuple[int, ...]) -> Network:
    """With weights as MegEngine lays them out: `(groups, out / groups, in / groups, *k)`."""
    net = network(layer, shape)
    conv = net.get_submodule("layer")
    with torch.no_grad():
        conv.weight.copy_(take(WEIGHT, *weight).reshape(conv.weight.shape))
        conv.bias.copy_(take(BIAS, *conv.bias.shape))
    return net


def streamed(net: Network, x: Tensor) -> Tensor:
    parts = [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]
    due = [part.unsqueeze(2) for part in parts if part is not None]
    end = net.flush()
    return torch.cat([*due, end] if end is not None else due, 2)


@torch.no_grad()
def test_the_example_of_the_page() -> None:
    """The page prints the shape; the numbers are MegEngine's with weights that are known."""
    x = torch.arange(384, dtype=torch.float32).view(2, 3, 4, 4, 4)
    net = weighted("conv3d(out_channels=1, in_channels=3, kernel_size=3)", x.shape, (1, 3, 3, 3, 3))
    wanted = [
        -22,
        -23,
        -26,
        -27,
        -38,
        -39,
        -42,
        -43,
        -214,
        -215,
        -218,
        -219,
        -230,
        -231,
        -234,
        -235,
    ]
    assert net(x).shape == (2, 1, 2, 2, 2)
    assert net(x).flatten().tolist() == wanted
    assert streamed(net, x).flatten().tolist() == wanted


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@torch.no_grad()
def test_convolutions(case: Case) -> None:
    net = weighted(case.layer, case.shape, case.weight)
    x = take(INPUT, *case.shape)
    wanted = torch.tensor(case.output, dtype=torch.float32).view(case.output_shape)
    assert torch.equal(net(x), wanted)
    assert torch.equal(streamed(net, x), wanted)


@torch.no_grad()
def test_reflect_over_space() -> None:
    """`Conv2d(1, 1, 3, padding=(1, 2), padding_mode="reflect")` of a frame."""
    layer = 'conv3d(1, (1, 3, 3), padding=(0, 1, 2), padding_mode="reflect")'
    net = weighted(layer, (1, 1, 1, 4, 4), (1, 1, 1, 3, 3))
    wanted = [-2, 3, 6, 3, -2, -5, -14, -9, -6, -9, 19, -28, -4, 1, 4, 23, -26, 4, -11, -6, -3, -39,
              22, 8]  # fmt: skip
    x = take(INPUT, 1, 1, 1, 4, 4)
    assert net(x).flatten().tolist() == wanted
    assert streamed(net, x).flatten().tolist() == wanted


def test_reflect_over_time_is_refused() -> None:
    """There the law of time departs from the page: a stream does not know what it would repeat."""
    with pytest.raises(SpecError) as caught:
        network('conv2d(1, 3, padding=(1, 2), padding_mode="reflect")', (1, 1, 4, 4))
    assert [each.code for each in caught.value.diagnostics] == ["E0409"]


def test_conv_mode_has_one_value() -> None:
    network('conv3d(1, 3, conv_mode="cross_correlation")', (1, 3, 4, 4, 4))
    with pytest.raises(SpecError) as caught:
        network('conv3d(1, 3, conv_mode="convolution")', (1, 3, 4, 4, 4))
    assert [each.code for each in caught.value.diagnostics] == ["E0305"]


@pytest.mark.parametrize("word", ["in_channels", "out_channels"])
def test_groups_divide_both_channels(word: str) -> None:
    inner, outer = (3, 4) if word == "in_channels" else (4, 3)
    with pytest.raises(SpecError, match=f"groups=2 does not divide {word}=3"):
        network(f"conv3d({outer}, 1, groups=2)", (1, inner, 4, 4, 4))


@torch.no_grad()
def test_pools() -> None:
    """Its max pool pads minus infinity, its average pool does not count padding."""
    falling = -torch.arange(1.0, 17).view(1, 1, 4, 4)
    for layer, x, wanted in (
        ("max_pool2d(3, stride=2, padding=1)", falling, [-1, -2, -5, -6]),
        (
            "avg_pool2d(3, stride=2, padding=1, count_include_pad=false)",
            -falling,
            [3.5, 5, 9.5, 11],
        ),
    ):
        net = network(layer, x.shape)
        assert net(x).flatten().tolist() == wanted
        assert streamed(net, x).flatten().tolist() == wanted
