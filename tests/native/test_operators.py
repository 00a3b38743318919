"""Operators in C++ give what torch gives: convolutions and products of random sizes, functions of
all kinds of numbers."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from codsl.native.block import Block
from codsl.native.keeping import Kept
from codsl.native.native import native
from codsl.native.source import kernels_of
from codsl.native.target import lanes
from codsl.native.values import Unsupported
from native.many import Case, body_of, check, written

if TYPE_CHECKING:
    from collections.abc import Callable


class Does(nn.Module):
    """A function as a module."""

    def __init__(self, run: Any) -> None:
        super().__init__()
        self.run = run

    def forward(self, *given: Tensor) -> Any:
        return self.run(*given)


def convolution(seed: int, dtype: torch.dtype) -> Case:
    """A convolution of random sizes."""
    draw, numbers = random.Random(seed), torch.Generator().manual_seed(seed)
    rank = draw.choice((1, 2, 2, 3))
    groups = draw.choice((1, 1, 2, 0))
    ins = draw.choice((1, 3, 4, 8, 13, 24))
    outs = draw.choice((1, 5, 8, 16, 24, 40))
    if groups == 2:
        ins, outs = 2 * ins, 2 * outs
    if groups == 0:
        groups = outs = ins
    kernel = [draw.choice((1, 1, 2, 3, 5)) for _ in range(rank)]
    dilation = [draw.choice((1, 1, 2)) for _ in range(rank)]
    padding = [draw.choice((0, 1, 2)) for _ in range(rank)]
    stride = [draw.choice((1, 1, 2, 3)) for _ in range(rank)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    space = [
        max(1, r - 2 * p) + draw.choice((0, 3, 9)) for r, p in zip(reach, padding, strict=True)
    ]
    x = torch.randn(draw.choice((1, 2, 5)), ins, *space, generator=numbers, dtype=dtype)
    weight = torch.randn(outs, ins // groups, *kernel, generator=numbers, dtype=dtype)
    bias = torch.randn(outs, generator=numbers, dtype=dtype) if draw.random() < 0.6 else None
    convolve = getattr(functional, f"conv{rank}d")
    after = draw.choice((None, torch.relu, lambda y: functional.silu(y) + y))

    def run(x: Tensor) -> Tensor:
        y: Tensor = convolve(x, weight, bias, stride, padding, dilation, groups)
        y = y / (weight[0].numel() ** 0.5)
        return after(y) if after else y

    return f"convolution {seed}: {x.shape}, {weight.shape}, {stride}, {padding}", Does(run), [x]


@pytest.mark.usefixtures("soon_compiled")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_convolutions_of_random_sizes(dtype: torch.dtype) -> None:
    assert check([convolution(seed, dtype) for seed in range(80)]) > 10_000


def test_vectors_that_are_wider_than_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an export to a machine whose vectors are narrower."""
    lanes.cache_clear()
    monkeypatch.setattr("codsl.native.target.BYTES", {"AVX2": 64})
    try:
        assert check([convolution(seed, torch.float32) for seed in range(20)]) > 1_000
    finally:
        lanes.cache_clear()


def tiled(seed: int, dtype: torch.dtype) -> Case:
    """A convolution of three by three at every place, of one item or several."""
    draw, numbers = random.Random(seed), torch.Generator().manual_seed(seed)
    frames, groups = draw.choice((0, 1, 3)), draw.choice((1, 1, 2))
    ins, outs = draw.choice((24, 29, 40)), draw.choice((24, 37, 48))
    padding = [draw.choice((0, 1, 1, 2)) for _ in range(2)]
    space = [draw.randint(13, 24) for _ in range(2)]
    if frames:
        padding, space = [0, *padding], [frames, *space]
    x = torch.randn(draw.choice((1, 1, 3)), groups * ins, *space, generator=numbers, dtype=dtype)
    kernel = [3] * 2 if not frames else [frames, 3, 3]
    weight = torch.randn(groups * outs, ins, *kernel, generator=numbers, dtype=dtype)
    weight /= weight[0].numel() ** 0.5
    bias = torch.randn(len(weight), generator=numbers, dtype=dtype) if draw.random() < 0.6 else None
    convolve = functional.conv3d if frames else functional.conv2d
    after = draw.choice((torch.sin, torch.relu, lambda y: functional.silu(y) + y))
    run = Does(lambda x: after(convolve(x, weight, bias, 1, padding, 1, groups)))
    return f"tiled {seed}: {x.shape}, {weight.shape}, {padding}", run, [x]


@pytest.mark.usefixtures("soon_compiled")
def test_a_convolution_among_what_does_not_lie_as_it_does() -> None:
    layer = nn.Conv2d(4, 4, 3, padding=1)
    gate = Does(lambda x: x * torch.sigmoid(layer(x)))
    for x in (torch.randn(1, 4, 5, 6), torch.randn(2, 4, 5, 6)):
        assert check([("gate", gate, [x])], kept=False) == x.numel()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_convolutions_in_tiles(dtype: torch.dtype) -> None:
    cases = [tiled(seed, dtype) for seed in range(24)]
    assert all("codsl::winograd(" in body_of(case[1], case[2]) for case in cases)
    assert check(cases) > 100_000


def test_tiles_are_for_what_gains_by_them() -> None:
    def way(x: Tensor, outs: int, **given: Any) -> str:
        layer = nn.Conv2d(x.shape[1], outs, **{"kernel_size": 3, "padding": 1, **given})
        body = body_of(layer, [x])
        return next(each for each in ("winograd", "depthwise", "dense") if f"::{each}(" in body)

    assert way(torch.ones(1, 64, 14, 14), 64) == "winograd"
    assert way(torch.ones(1, 64, 14, 14), 64, stride=2) == "dense"
    assert way(torch.ones(1, 64, 14, 14), 64, dilation=2) == "dense"
    assert way(torch.ones(1, 64, 14, 14), 64, kernel_size=5) == "dense"
    assert way(torch.ones(1, 64, 14, 14), 64, groups=64) == "depthwise"
    assert way(torch.ones(1, 3, 14, 14), 8) == "dense", "transforms cost more than they save"
    assert way(torch.ones(1, 64, 7, 7), 64) == "dense", "weights are more, and come from afar"
    assert way(torch.ones(4, 64, 7, 7), 64) == "winograd"


def test_only_the_kernels_that_are_called_are_compiled() -> None:
    def calls(layer: nn.Module) -> tuple[set[str], int]:
        found = written(layer, [torch.ones(1, 32, 14, 14)]).calls
        texts = kernels_of(torch.float32, found)
        assert all(any(f"{name}<Follow>" in text for text in texts) for name in found)
        return set(found), len(texts)

    apart = nn.Conv2d(32, 32, 3, groups=32)
    assert calls(apart) == ({"depthwise"}, 1)
    assert calls(nn.Sequential(apart, nn.Conv2d(32, 8, 1))) == ({"depthwise", "dense"}, 2)
    assert calls(nn.Sequential(nn.Conv2d(32, 48, 3), nn.Conv2d(48, 8, 1))) == (
        {"dense", "winograd"},
        1,
    )
    assert calls(nn.ReLU()) == (set(), 0)


def test_products() -> None:
    numbers = torch.Generator().manual_seed(0)

    def drawn(*sizes: int) -> Tensor:
        return torch.randn(*sizes, generator=numbers)

    cases: list[Case] = []
    for rows in (1, 2, 7, 16):
        for ins, outs in ((1, 1), (3, 17), (64, 64), (130, 5), (48, 400), (70, 33), (67, 90)):
            layer = nn.Linear(ins, outs)
            cases.append((f"linear {rows} {ins} {outs}", layer, [drawn(rows, ins)]))
    cases += [
        ("matrices", Does(torch.matmul), [drawn(5, 7), drawn(7, 6)]),
        ("turned", Does(lambda x, y: x.t() @ y.t()), [drawn(7, 5), drawn(6, 7)]),
        ("batches", Does(torch.bmm), [drawn(3, 5, 7), drawn(3, 7, 6)]),
        (
            "einsum",
            Does(lambda x, y: torch.einsum("bij,kj->bik", x, y)),
            [drawn(2, 3, 4), drawn(5, 4)],
        ),
        ("rows of rows", nn.Linear(6, 4), [drawn(2, 3, 6)]),
        (
            "parts",
            Does(lambda x, y: nn.Linear(7, 3)(torch.cat([x, y], 1))),
            [drawn(2, 3), drawn(2, 4)],
        ),
        (
            "a residual",
            Does(lambda x, y: torch.relu(functional.linear(x, torch.eye(4)) + y)),
            [drawn(2, 4), drawn(2, 4)],
        ),
        (
            "attention",
            Does(functional.scaled_dot_product_attention),
            [drawn(2, 3, 5, 4), drawn(2, 3, 6, 4), drawn(2, 3, 6, 4)],
        ),
    ]
    torch.manual_seed(0)
    assert check(cases[:-3] + cases[-2:]) > 1_000


OF_TORCH = """
    abs exp expm1 erf sigmoid tanh relu neg square sin cos floor ceil round sign selu celu
"""
FUNCTIONAL = """
    gelu silu mish softplus elu hardswish hardsigmoid hardtanh leaky_relu logsigmoid softsign
    tanhshrink softshrink hardshrink relu6
"""
FUNCTIONS: dict[str, Any] = {
    **{name: getattr(torch, name) for name in OF_TORCH.split()},
    **{name: getattr(functional, name) for name in FUNCTIONAL.split()},
    **{
        f"{name} of what is positive": lambda x, name=name: getattr(torch, name)(x.abs() + 1e-3)
        for name in ("log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal")
    },
    "gelu by tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "clamp": lambda x: x.clamp(-0.5, 2),
    "where": lambda x: torch.where(x > 0.3, x, -2 * x),
    "powers": lambda x: x**2 + x**3 + x.abs() ** 0.5 + x.abs() ** 1.5,
    "softmax": lambda x: x.softmax(-1) + x.log_softmax(0),
    "means": lambda x: x.mean(1, keepdim=True) + x.mean((0, 2), keepdim=True),
    "extremes": lambda x: x.amax(1, keepdim=True) - x.amin((0, 2), keepdim=True),
    "spread": lambda x: x.var(1) + x.std(1) + x.var(1, correction=0),
    "layer norm": lambda x: functional.layer_norm(x, x.shape[-1:]),
    "group norm": lambda x: functional.group_norm(x, 2),
    "turned": lambda x: x.transpose(1, 2).reshape(3, -1) + 1,
    "rolled": lambda x: x.roll(2, 2) + x.flip(1),
    "parts": lambda x: torch.cat([x[:, 1:3], x[:, :1], x], 1).relu(),
    "cut": lambda x: [y * 2 for y in x.chunk(3, 2)],
    "sums": lambda x: x.cumsum(2),
    "written over": lambda x: (x + 1).mul_(x).add_(3, alpha=2),
    "a part written over": lambda x: _marked(x + 1),
    "places": lambda x: x[:, torch.tensor([[2], [-1], [0]]), torch.tensor([1, 1, 36])],
    "as it is": lambda x: (x, x[:, 1], x.permute(0, 2, 1)),
    "the same twice": lambda x: (x + 1, x + 1, (x + 1).relu()),
    "compared": lambda x: [x > 0.3, torch.full_like(x, 0.1) == 0.1, (x.long() + 1) / 2 > 0.7],
    "whole numbers": lambda x: ((x * 3).long() % 4, (x * 3).long() + 1, x > 0),
}


def _marked(x: Tensor) -> Tensor:
    x[:, 1:3] *= 2
    return x


@pytest.mark.usefixtures("soon_compiled")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_functions_of_all_kinds_of_numbers(dtype: torch.dtype) -> None:
    numbers = torch.linspace(-30, 30, 3 * 4 * 37, dtype=dtype).view(3, 4, 37)
    small = torch.linspace(-1, 1, 3 * 4 * 37, dtype=dtype).view(3, 4, 37)
    large = [(f"{name} of large", Does(run), [numbers]) for name, run in FUNCTIONS.items()]
    same = [(f"{name} of small", Does(run), [small]) for name, run in FUNCTIONS.items()]
    assert check(large, same) > 40_000


def test_what_is_no_number_stays_so() -> None:
    numbers = [torch.nan, torch.inf, -torch.inf, 0.0, -0.0, 1e-40, 100.0, -100.0, -1.0]
    odd = torch.tensor([numbers * 3])
    names = ["exp", "sigmoid", "tanh", "relu", "abs", "log", "log1p", "erf", "expm1"]
    cases = [(name, Does(FUNCTIONS.get(name, getattr(torch, name))), [odd]) for name in names]
    cases += [
        ("softplus", Does(functional.softplus), [odd]),
        ("pool", Does(lambda x: functional.max_pool1d(x[None], 3, padding=1)[0]), [odd]),
        ("largest", Does(lambda x: x.amax(1)), [odd]),
    ]
    assert check(cases) > 200


def test_large_sums_are_as_exact_as_those_of_torch() -> None:
    x = torch.rand(1, 4, 256, 256, generator=torch.Generator().manual_seed(0)) / 2 + 3
    norm, mean = Does(lambda x: functional.group_norm(x, 1)), Does(lambda x: x.mean((2, 3)))
    assert check([("norm", norm, [x]), ("mean", mean, [x])]) > 200_000


def test_ids_that_are_none_give_what_is_no_number() -> None:
    table = torch.randn(5, 3)
    look_up = Does(lambda x: (functional.embedding(x.round().long(), table),))
    run = native(look_up, [torch.zeros(6)], Block([]))
    ids = torch.tensor([0.0, 4.0, 5.0, -1.0, torch.inf, -1e30])
    (rows,) = run(ids)
    assert torch.equal(rows[:2], table[[0, 4]])
    assert rows[2:].isnan().all()


UNKNOWN = {
    "an index like this": lambda x: x[:, torch.tensor([1, 0]), torch.tensor([1, 0])],
    "`round` with `decimals`": lambda x: x.round(decimals=2),
    "`roll` over all dimensions": lambda x: x.roll(1),
    "attention that is causal": lambda x: functional.scaled_dot_product_attention(
        x, x, x, is_causal=True
    ),
}


@pytest.mark.parametrize(("what", "does"), UNKNOWN.items(), ids=UNKNOWN)
def test_arguments_that_no_kernel_has_are_named(what: str, does: Callable[..., Any]) -> None:
    with pytest.raises(Unsupported, match=what):
        native(Does(lambda x: (does(x),)), [torch.randn(1, 2, 4, 8)], Block([]))


def test_an_empty_batch_has_means() -> None:
    run = native(Does(lambda x: (x.mean((1, 2)),)), [torch.zeros(0, 3, 4)], Block([]))
    assert run(torch.zeros(0, 3, 4))[0].shape == (0,)


def test_what_has_no_kernel_is_named() -> None:
    with pytest.raises(Unsupported, match="`_fft_r2c`"):
        native(Does(lambda x: (torch.fft.rfft(x).abs(),)), [torch.randn(2, 8)], Block([]))
    weights = Does(lambda x, w: (functional.conv1d(x, w),))
    with pytest.raises(Unsupported, match="weights that are computed in a step"):
        native(weights, [torch.randn(1, 2, 5), torch.randn(3, 2, 2)], Block([]))


def test_results_are_in_memory_of_their_own() -> None:
    run = native(Does(lambda x: (x + 1, x, x)), [torch.zeros(2, 3)], Block([]))
    x = torch.ones(2, 3)
    (first, same, again), (second, *_) = run(x), run(torch.full((2, 3), 2.0))
    assert first.unique().tolist() == [2.0]
    assert second.unique().tolist() == [3.0]
    assert torch.equal(same, x)
    assert torch.equal(again, x)
    assert len({each.data_ptr() for each in (x, same, again)}) == 3


def test_what_comes_is_read_as_it_lies() -> None:
    x = torch.randn(2, 3, 4, 5)
    run = native(Does(lambda x: (x * 2,)), [x], Block([]))
    for lying in (x, x.to(memory_format=torch.channels_last), x.transpose(2, 3).clone().mT):
        (y,) = run(lying)
        assert torch.equal(y, x * 2)
        assert y.is_contiguous(memory_format=torch.channels_last)


def test_a_step_reads_and_writes_items_of_a_block() -> None:
    """Items go round and round: a mean of the last two, of which two come with every call."""
    block = Block([Kept((2, 3), torch.float32, 4), Kept((2,), torch.int64, 2)])
    block.put(0, torch.zeros(2, 3))
    block.put(0, torch.ones(2, 3))
    block.put(1, torch.tensor([5, 6]))

    def means(x: Tensor, older: Tensor, newer: Tensor, count: Tensor) -> Any:
        return older + newer, (older + newer) / 2, x, count + 1

    given = [torch.zeros(2, 3), *(block.item(0, back) for back in (2, 1)), block.item(1, 1)]
    run = native(Does(means), given, block, [(0, 2), (0, 1), (1, 1)], [0, 0, 1])
    older, newer, count = torch.zeros(2, 3), torch.ones(2, 3), torch.tensor([5, 6])
    for number in range(9):
        x = torch.randn(2, 3)
        (y,) = run(x)
        assert torch.equal(y, older + newer)
        older, newer, count = (older + newer) / 2, x, count + 1
        assert torch.equal(block.item(0, 2), older), number
        assert torch.equal(block.item(0, 1), newer)
        assert torch.equal(block.item(1, 1), count)
