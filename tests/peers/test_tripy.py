"""What tripy's page of `Conv` prints, and its pools, under the language's names.

The first of a convolution's dimensions is time. Every answer is exact in float32.
"""

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

import codsl
from codsl.network import Network


@dataclass(frozen=True)
class Case:
    """A layer, its input and weights, and what comes out; `source` says who says so."""

    source: str
    layer: str
    shape: tuple[int, ...]
    input: list[float]
    output_shape: tuple[int, ...]
    output: list[float]
    weights: dict[str, list[float]] = field(default_factory=dict)


PAGE = "the page of tripy.Conv before 0.1.0"
POOLS = "torch, from the semantics of nvtripy 0.1.7: a pool's stride is 1 where it is not given"


def count(stop: int) -> list[float]:
    return [float(n) for n in range(stop)]


CASES = {
    "basic": Case(
        PAGE, "conv2d(1, (2, 2))",
        (1, 1, 4, 4), count(16),
        (1, 1, 3, 3), [24, 30, 36, 48, 54, 60, 72, 78, 84],
        {"weight": count(4), "bias": [0]},
    ),
    "padding and stride": Case(
        PAGE, "conv2d(1, (3, 3), padding=((1, 1), (1, 1)), stride=(3, 1), bias=false)",
        (1, 1, 4, 4), count(16),
        (1, 1, 2, 4), [73, 121, 154, 103, 139, 187, 202, 113],
        {"weight": count(9)},
    ),
    "depthwise": Case(
        PAGE, "conv2d(2, (3, 3), groups=2, bias=false)",
        (1, 2, 3, 3), count(18),
        (1, 2, 1, 1), [204, 1581],
        {"weight": count(18)},
    ),
    "dilated": Case(
        PAGE, "conv2d(1, (2, 2), dilation=(2, 2), bias=false)",
        (1, 1, 3, 3), count(9),
        (1, 1, 1, 1), [38],
        {"weight": count(4)},
    ),
    "uneven padding": Case(
        "nvtripy 0.1.7, tests/integration/test_conv.py: padding=[(1, 0), (1, 2)]",
        "conv2d(2, 2, padding=((1, 0), (1, 2)), bias=false)",
        (1, 2, 2, 2), count(8),
        (1, 2, 2, 4), [28, 62, 32, 0, 68, 140, 68, 0, 60, 142, 80, 0, 164, 364, 196, 0],
        {"weight": count(16)},
    ),
    "causal": Case(
        "torch and ONNX Runtime, for padding=[(2, 0)]", "conv1d(3, 3, padding=((2, 0),))",
        (1, 2, 7), [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, -5, -4, -3],
        (1, 3, 7), [10, 23, 38, 35, 10, -4, -7, 11, 25, 4, 2, -11, -13, -4, 17, -3, -18, -19, -20,
                    -10, 11],
        {"weight": [-3, -2, -1, 0, 1, 2, 3, -3, -2, -1, 0, 1, 2, 3, -3, -2, -1, 0],
         "bias": [1, -1, 2]},
    ),
    "max pool": Case(
        POOLS, "max_pool2d((2, 2), stride=1)",
        (1, 1, 4, 4), count(16),
        (1, 1, 3, 3), [5, 6, 7, 9, 10, 11, 13, 14, 15],
    ),
    "average pool": Case(
        POOLS, "avg_pool2d((2, 2), stride=1)",
        (1, 1, 4, 4), count(16),
        (1, 1, 3, 3), [2.5, 3.5, 4.5, 6.5, 7.5, 8.5, 10.5, 11.5, 12.5],
    ),
    "average pool with uneven padding": Case(
        POOLS, "avg_pool2d((2, 2), stride=1, padding=((1, 0), (0, 1)))",
        (1, 1, 3, 3), count(9),
        (1, 1, 3, 3), [0.25, 0.75, 0.5, 2, 3, 1.75, 5, 6, 3.25],
    ),
}  # fmt: skip


def network(case: Case) -> Network:
    channels, _, *space = case.shape[1:]
    sizes = ", ".join(map(str, (channels, "T", *space)))
    net = codsl.build(f"codsl 1\nnetwork n {{\ninput ({sizes})\nlayer = {case.layer}\n}}").eval()
    shapes = {name: value.shape for name, value in net.get_submodule("layer").named_parameters()}
    assert set(shapes) == set(case.weights)
    weights = {
        f"layer.{name}": torch.tensor(data, dtype=torch.float32).view(shapes[name])
        for name, data in case.weights.items()
    }
    net.load_state_dict(weights)
    return net


def streamed(net: Network, x: Tensor) -> Tensor:
    parts = [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]
    due = [part.unsqueeze(2) for part in parts if part is not None]
    end = net.flush()
    return torch.cat([*due, end] if end is not None else due, 2)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@torch.no_grad()
def test_printed_numbers(case: Case) -> None:
    net = network(case)
    x = torch.tensor(case.input, dtype=torch.float32).view(case.shape)
    wanted = torch.tensor(case.output, dtype=torch.float32).view(case.output_shape)
    assert torch.equal(net(x), wanted)
    assert torch.equal(streamed(net, x), wanted)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_output_shape_follows_the_page(case: Case) -> None:
    """`floor((D + p0 + p1 - dilation * (k - 1) - 1) / stride) + 1`, time first."""
    net = network(case)
    channels, frames, *space = case.output_shape[1:]
    assert net.graph.frames[net.graph.output].shape == (channels, *space)
    assert net(torch.zeros(case.shape)).shape[2] == frames


def test_dtype_is_the_weights() -> None:
    """`dtype` is the type of the weights, as the page has it."""
    text = 'codsl 1\nnetwork n {\ninput (1, T, 4)\nconv2d(1, 2, dtype="float64")\n}'
    net = codsl.build(text).eval()
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float64}
    assert net(torch.zeros(1, 1, 3, 4, dtype=torch.float64)).dtype == torch.float64
