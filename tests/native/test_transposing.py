"""Transposed convolutions in C++ give what torch gives, and multiply what is there alone."""

from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from codsl.native.transposing import phases
from native.many import Case, check

CONVOLUTIONS = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}


class Does(nn.Module):
    """A transposed convolution of random sizes, and perhaps what follows it."""

    def __init__(self, seed: int, dtype: torch.dtype) -> None:
        super().__init__()
        draw, numbers = random.Random(seed), torch.Generator().manual_seed(seed)
        rank = draw.choice((1, 1, 2, 2, 3))
        groups = draw.choice((1, 1, 2, 4))
        ins, outs = draw.choice((1, 2, 6)), draw.choice((1, 3, 8))
        kernel = [draw.choice((1, 2, 3, 4, 5)) for _ in range(rank)]
        self.stride = [draw.choice((1, 2, 2, 3)) for _ in range(rank)]
        self.dilation = [draw.choice((1, 1, 2, 3)) for _ in range(rank)]
        self.extra = [
            draw.randrange(max(pair)) for pair in zip(self.stride, self.dilation, strict=True)
        ]
        reach = [d * (k - 1) for d, k in zip(self.dilation, kernel, strict=True)]
        self.padding = [draw.randint(0, each // 2) for each in reach]
        space = [draw.choice((1, 1, 2, 5)) for _ in range(rank)]
        self.x = torch.randn(
            draw.choice((1, 3)), groups * ins, *space, generator=numbers, dtype=dtype
        )
        self.weight = torch.randn(groups * ins, outs, *kernel, generator=numbers, dtype=dtype)
        some = torch.randn(groups * outs, generator=numbers, dtype=dtype)
        self.bias = some if draw.random() < 0.6 else None
        self.groups, self.after = groups, draw.choice((None, torch.relu))

    def forward(self, x: Tensor) -> Tensor:
        sizes = (self.stride, self.padding, self.extra, self.groups, self.dilation)
        convolve = CONVOLUTIONS[x.dim() - 2]
        y = convolve(x, self.weight, self.bias, *sizes) / (self.weight[:, 0].numel() ** 0.5)
        return self.after(y) if self.after else y


def case(seed: int, dtype: torch.dtype) -> Case:
    does = Does(seed, dtype)
    sizes = f"{tuple(does.weight.shape)}, stride {does.stride}, dilation {does.dilation}"
    return f"transposed {seed}: {tuple(does.x.shape)}, {sizes}", does, [does.x]


@pytest.mark.usefixtures("soon_compiled")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_transposed_convolutions_of_random_sizes(dtype: torch.dtype) -> None:
    assert check([case(seed, dtype) for seed in range(60)]) > 10_000


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 7])
def test_phases_have_each_product_once(kernel: int, stride: int, dilation: int) -> None:
    size = 6
    for padding in range(dilation * (kernel - 1) // 2 + 1):
        made = (size - 1) * stride + dilation * (kernel - 1) + 1 - 2 * padding
        places = [
            item * stride + tap * dilation - padding
            for item in range(size)
            for tap in range(kernel)
        ]
        wanted = sum(0 <= place < made for place in places)
        found, outputs = 0, set[int]()
        for phase in phases(size, made, kernel, stride, padding, dilation):
            outputs |= set(range(made)[phase.first :: phase.step][: phase.count])
            for output in range(phase.count):
                seen = (
                    output - phase.before + tap * phase.dilation for tap, _ in enumerate(phase.taps)
                )
                found += sum(0 <= item < size for item in seen)
        assert (found, outputs) == (wanted, set(range(made)))
