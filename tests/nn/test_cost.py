"""The MACs of the report against those that torch counts."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from complexity import by_ptflops
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import codsl
import codsl.nn as co

NETWORKS = {
    "a convolution": "input (3, T, 8, 8)\n a = conv3d(6, 3, padding=1)",
    "groups, stride and dilation": (
        "input (4, T, 9)\n a = conv2d(8, (3, 2), stride=(2, 1), groups=2, dilation=(2, 3))\n"
        " b = conv2d(8, 3, groups=8, padding=(1, 1))"
    ),
    "a linear": "input (3, T, 4)\n a = conv2d(5, 2)\n flatten\n b = linear(7)\n c = linear(2)",
    "branches": (
        "input (2, T)\n parallel {\n one { a = conv1d(3, 5, stride=2, padding=2) }\n"
        " two { b = conv1d(4, 1, stride=2)\n c = conv1d(4, 3, padding=1) }\n }\n d = linear(3)"
    ),
    "a shrinking residual": (
        'input (4, T)\n r = residual(shrink="centered") { a = conv1d(4, 4) } '
        "shortcut { b = conv1d(4, 1) }"
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_macs_of_a_clip_are_half_of_what_torch_counts(name: str) -> None:
    net = codsl.build(f"codsl 1\nnetwork n {{\n {NETWORKS[name]}\n}}\n").eval()
    total = net.report().total
    x = torch.randn(1, net.graph.input.channels, total["clip_frames"], *net.graph.input.space)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(x)
    assert counter.get_total_flops() == 2 * total["clip_macs"] > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_macs_of_a_step_are_half_of_what_torch_counts_over_a_period(name: str) -> None:
    """Once the stream is under way, over a period of the stride."""
    net = codsl.build(f"codsl 1\nnetwork n {{\n {NETWORKS[name]}\n}}\n").eval()
    frame = torch.randn(1, *net.graph.input.shape)
    with torch.no_grad():
        for _ in range(net.delay + 4 * net.graph.stride):
            net.forward_step(frame)
        with FlopCounterMode(display=False) as counter:
            for _ in range(net.graph.stride):
                net.forward_step(frame)
    assert counter.get_total_flops() == 2 * net.graph.stride * net.report().total["macs"]


@pytest.mark.parametrize(
    "layers",
    [
        "conv_transpose1d(3, 4, stride=2, padding=1)",
        'conv_transpose1d(4, 16, stride=8, padding="causal", groups=2)',
        "conv_transpose1d(3, 5, stride=2)\n conv1d(2, 3, stride=2)",
        "conv_transpose1d(3, 3)",
        "conv_transpose1d(3, 3, stride=2, dilation=3, output_padding=1)",
    ],
)
@pytest.mark.parametrize("backend", [None, "eager"])
def test_no_product_of_an_item_that_is_spread_is_made_twice(
    layers: str, backend: str | None
) -> None:
    """Nor for an output that is not due: frame by frame, once there is a plan, and in chunks."""
    net = codsl.build(f"codsl 1\nnetwork n {{\n input (4, T)\n {layers}\n}}\n").eval()
    stream = net if backend is None else net.compile_step(backend)
    turn, macs = net.graph.cycle.turn, net.report().total["macs"]
    chunks = torch.randn(1, 4, 31 + 12 * turn).split(
        [30, *[1] * (1 + turn * 4), *[turn * 4] * 2], 2
    )
    counts = []
    for chunk in chunks:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            stream.forward_steps(chunk)
        counts.append(counter.get_total_flops())
    assert sum(counts[2:-2]) == counts[-2] == counts[-1] == 2 * turn * 4 * macs > 0


SPREAD = {
    "a kernel below the stride": "conv_transpose1d(3, 1, stride=2)",
    "outputs beyond the end": "conv_transpose1d(3, 1, output_padding=1, dilation=2)",
    "cut on both sides": "conv_transpose1d(3, 5, stride=3, padding=2, output_padding=2)",
    "cut unevenly": "conv_transpose1d(3, 4, stride=2, padding=((0, 2),), dilation=3)",
    "causal": 'conv_transpose1d(4, 4, stride=2, padding="causal", groups=2)',
    "between convolutions": "conv1d(4, 2)\n conv_transpose1d(3, 4, stride=2, padding=1)\n "
    "last = conv1d(2, 3, stride=2)",
}


def counted(net: torch.nn.Module, x: torch.Tensor) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(x)
    return counter.get_total_flops()


@pytest.mark.parametrize("name", SPREAD)
def test_macs_of_a_clip_are_those_of_every_item_that_is_spread(name: str) -> None:
    """Also of those whose outputs are cut off, and of none for outputs that no item reaches."""
    net = codsl.build(f"codsl 1\nnetwork n {{\n input (4, T)\n {SPREAD[name]}\n}}\n").eval()
    for frames in range(net.graph.min_frames, net.graph.min_frames + 5):
        x = torch.randn(1, 4, frames)
        assert counted(net, x) == 2 * net.graph.clip_macs(frames) > 0
        macs, _ = by_ptflops(net, (4, frames))
        assert macs == net.graph.clip_macs(frames)


def test_macs_of_a_clip_of_images_that_are_spread() -> None:
    net = codsl.build(
        "codsl 1\nnetwork n {\n input (2, T, 4, 4)\n"
        " per_frame { conv_transpose2d(3, 3, stride=2) }\n"
        " conv_transpose3d(2, (2, 3, 1), stride=(2, 1, 1), padding=(1, 1, 0))\n}\n"
    ).eval()
    assert counted(net, torch.randn(1, 2, 5, 4, 4)) == 2 * net.graph.clip_macs(5) > 0


def test_macs_of_a_step_are_exact_where_an_item_is_shared_by_outputs() -> None:
    """Eight for three outputs: a number of them for each output would have to be rounded."""
    net = codsl.build(
        "codsl 1\nnetwork n {\n input (2, T)\n a = conv_transpose1d(2, 2, stride=3)\n}\n"
    ).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.forward_steps(torch.randn(1, 2, 1))
    assert net.report().total["macs"] == 8
    assert counter.get_total_flops() == 2 * 8


class Weighs(nn.Module):
    """Products of frames with tensors of its own, between layers."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 6))
        self.conv = nn.Conv1d(6, 6, 3, padding=1)
        self.linear = nn.Linear(6, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv((x.transpose(1, 2) @ self.weight).transpose(1, 2))
        z = torch.einsum("bct,cd->bdt", x, self.weight) * y
        return nn.functional.linear(z.transpose(1, 2), self.linear.weight).transpose(1, 2)


class Across(nn.Linear):
    """Over channels that come second."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


SLIDING = {"sequence_len": 5, "embed_dim_second": True, "forward_returns_attn_mask": False}

HANDS = {
    "one output of attention": lambda: co.Sequential(
        co.SingleOutputMultiheadAttention(4, 2, bias=False, **SLIDING)
    ),
    "all outputs of attention": lambda: co.Sequential(
        co.RetroactiveMultiheadAttention(4, 2, **SLIDING)
    ),
    "an encoder's layer": lambda: co.Sequential(
        co.RetroactiveTransformerEncoderLayer(4, 2, 8, sequence_len=5)
    ),
    "an encoder": lambda: co.Sequential(
        co.TransformerEncoder(co.TransformerEncoderLayerFactory(4, 2, 8, sequence_len=5), 2)
    ),
    "a traced module": lambda: co.continual(Weighs()),
    "a function of a frame": lambda: co.Sequential(co.Lambda(lambda x: x @ torch.ones(4, 3))),
    "a module of frames": lambda: co.Sequential(co.forward_stepping(Across(4, 3))),
}


@pytest.mark.parametrize("name", HANDS)
def test_products_between_layers_are_counted(name: str) -> None:
    net = HANDS[name]().eval()
    x = torch.randn(1, 4, 9)
    with torch.no_grad():
        net.forward_steps(x)
    assert counted(net, x) == 2 * net.graph.clip_macs(9) > 0
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.forward_steps(x[:, :, :1])
    assert counter.get_total_flops() == 2 * net.graph.report().total["macs"] > 0


class Plain(nn.Module):
    """A layer that a network has twice, tensors of which another use is made, and one that is
    given what is no stream."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 3, padding=1)
        self.scale = nn.Parameter(torch.ones(4, 1))
        self.linear = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(torch.relu(self.conv(x)))
        z = self.linear(y.transpose(1, 2)).transpose(1, 2)
        again = nn.functional.linear(z.transpose(1, 2), self.linear.weight, self.linear.bias)
        return again.transpose(1, 2) * self.scale + self.scale


def test_parameters_count_once_wherever_they_are_used() -> None:
    conv = nn.Conv1d(4, 4, 3, padding=1)
    for net in (co.continual(Plain()), co.Sequential(conv, co.ReLU(), conv)):
        with torch.no_grad():
            net.eval().forward_steps(torch.randn(1, 4, 9))
        assert net.graph.parameters == sum(each.numel() for each in net.parameters())


def test_the_compiler_of_torch_is_not_loaded_to_count() -> None:
    """It takes seconds, of the first layout of a module by hand."""
    program = (
        "import sys, torch, codsl.nn as co\n"
        "net = co.Sequential(co.Conv1d(2, 2, 3), co.Lambda(lambda x: x @ torch.ones(2, 2)))\n"
        "net.eval().forward_step(torch.zeros(1, 2))\n"
        "assert net.graph.report().total['macs'] == 2 * 2 * 3 + 2 * 2\n"
        "sys.exit('torch._dynamo' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
