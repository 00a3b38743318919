"""Rows that began later than others in one run: each is what a stream of its own would be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from remembering import remembering
from torch import Tensor

import codsl
from codsl.nn.running.program import Program
from codsl.nn.running.state import State
from harness.contract import randomise

pytestmark = pytest.mark.usefixtures("remembering")
__all__ = ["remembering"]


def conv(name: str, kernel: int, **options: Any) -> dict[str, Any]:
    return {"conv1d": {"name": name, "out_channels": 2, "kernel_size": kernel, **options}}


def pool(word: str, kernel: int, padding: Any = 0, stride: int = 1, **options: Any) -> Any:
    sizes = {"kernel_size": kernel, "stride": stride, "padding": padding}
    return {f"{word}_pool1d": {**sizes, **options}}


PADDED = conv("padded", 3, padding=1)
KINDS: dict[str, tuple[Any, ...]] = {
    "nothing": ("tanh",),
    "window": (conv("one", 3), conv("two", 3)),
    "zeros": (conv("one", 3, padding=1), conv("two", 5, padding="same")),
    "replicate": (
        PADDED,
        conv("one", 3, padding=2, padding_mode="replicate", dilation=2),
        conv("two", 3, padding=1),
    ),
    "replicate and no delay": (conv("one", 3, padding=[[2, 0]], padding_mode="replicate"),),
    "replicated averages": (pool("avg", 4, [[2, 1]], temporal_fill="replicate"), conv("one", 2)),
    "minus infinity": (conv("one", 1), pool("max", 3, 1), pool("max", 5, [[4, 0]])),
    "cut": (PADDED, pool("avg", 4, [[2, 2]], count_include_pad=False), conv("two", 3, padding=1)),
    "stride": (conv("one", 3, padding=1, stride=2), conv("two", 3, padding=1, stride=2)),
    "residual": ({"residual": {"layers": [PADDED, conv("one", 5, padding=2)]}},),
    "crop": (PADDED, {"residual": {"shrink": "lagging", "layers": [conv("one", 4)]}}),
    "delay": (PADDED, {"delay": 3}, "mean_nearby"),
    "carried alone": ("mean_so_far",),
    "carried": (PADDED, "mean_so_far", conv("one", 3, padding=1), "mean_so_far"),
    "carried at a stride": (conv("one", 3, padding=1, stride=2), "mean_so_far"),
    "carried beside": ({"residual": {"layers": ["mean_so_far", "mean_nearby"]}},),
    "attended": (PADDED, "mean_nearby", "mean_nearby"),
    "spread": (PADDED, "spread_out", conv("one", 3, padding=1, stride=2)),
    "spread twice": ("spread_out", PADDED, "mean_nearby", "mean_so_far"),
    "transposed": (
        PADDED,
        {"conv_transpose1d": {"name": "up", "out_channels": 2, "kernel_size": 3, "stride": 2}},
        "mean_so_far",
        pool("avg", 3, 1, 2, count_include_pad=False),
    ),
}
PLANE: dict[str, Any] = {"name": "conv", "out_channels": 2, "kernel_size": 3, "padding": 1}
KINDS |= {
    "zeros and space": ({"conv2d": PLANE}, {"max_pool2d": {"kernel_size": 2, "stride": 1}}),
    "replicate and space": (
        {"tanh": {}},
        {"conv2d": {**PLANE, "padding": [2, 1], "padding_mode": "replicate"}},
        {"max_pool2d": {"kernel_size": [3, 1], "padding": [1, 0], "stride": [2, 1]}},
    ),
}


def program_of(kind: str) -> Program:
    torch.manual_seed(3)
    space = [5] if "space" in kind else []
    spec = {"codsl": 1, "input": [2, "T", *space], "layers": list(KINDS[kind])}
    net = codsl.build(spec, dtype=torch.float64).eval()
    randomise(net, 3)
    return net.program


def frames(program: Program, number: int, row: int) -> Tensor:
    generator = torch.Generator().manual_seed(row)
    size = (1, 2, number, *program.graph.input.space)
    return torch.randn(size, generator=generator, dtype=torch.float64)


def spoilt(program: Program, state: State) -> list[Tensor]:
    """What a row keeps, with NaN for the items before its first: those of another may be there."""
    tensors = [tensor.clone() for tensor in state.tensors]
    for tensor, items in zip(tensors, program.given(state.frame), strict=False):
        tensor.narrow(2, 0, max(0, tensor.shape[2] - items)).fill_(torch.nan)
    return tensors


def alike(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-11, atol=1e-11)


def advance(program: Program, turns: list[int], frame: int, chunk: int) -> int:
    """Rows that began so many turns later go on by a chunk from a frame: each as by itself."""
    turn = program.graph.cycle.turn
    own, ahead = [], []
    for row, late in enumerate(turns):
        taken = frame - late * turn
        x = frames(program, taken + chunk, row)
        state = program.init_state(1, torch.float64, torch.device("cpu"))
        _, state = program.steps([x[:, :, :taken]], state) if taken else (None, state)
        own.append(state)
        ahead.append(x[:, :, taken:])
    parts = zip(*(spoilt(program, state) for state in own), strict=True)
    tensors = tuple(torch.cat(rows) for rows in parts)
    together = replace(own[0], frame=frame, batch_size=len(own), tensors=tensors)
    before = [tensor.clone() for tensor in tensors]
    (y,), new = program.rows([torch.cat(ahead)], together, program.late(turns))
    assert new.frame == frame + chunk
    for tensor, was in zip(tensors, before, strict=True):
        assert torch.equal(tensor.nan_to_num(7), was.nan_to_num(7))
    met = 0
    for row, state in enumerate(own):
        (wanted,), after = program.steps([ahead[row]], state)
        if wanted is not None:
            met += wanted.shape[2]
            assert y is not None
            alike(y[row : row + 1, :, y.shape[2] - wanted.shape[2] :], wanted)
        given = program.given(after.frame)
        kept = zip(new.tensors, after.tensors, strict=True)
        for number, (tensor, each) in enumerate(kept):
            items = min(given[number], each.shape[2]) if number < len(given) else None
            first = 0 if items is None else each.shape[2] - items
            if items is None:
                alike(tensor[row : row + 1], each)
            else:
                alike(tensor[row : row + 1, :, first:], each[:, :, first:])
    return met


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_rows_of_unlike_beginnings_are_streams_of_their_own(kind: str) -> None:
    program = program_of(kind)
    cycle = program.graph.cycle
    met = 0
    for frame in range(cycle.start, cycle.start + 2 * cycle.turn):
        most = frame // cycle.turn
        everyone = list(range(most + 1))
        for chunk in (1, 2, 5):
            met += advance(program, everyone, frame, chunk)
            met += advance(program, [most, 0], frame, chunk)
            met += advance(program, [most, most], frame, chunk)
            met += advance(program, [0, *everyone[1:2]], frame + 20 * cycle.turn, chunk)
    assert met > 20


def calls_of(program: Program, turns: list[int], frame: int) -> list[int]:
    """How often each module is called for a frame of rows that began so many turns later."""
    calls = [0] * len(program.modules)

    def count(index: int) -> Any:
        def hook(module: Any, given: Any) -> None:
            calls[index] += 1

        return hook

    handles = [
        module.register_forward_pre_hook(count(index))
        for index, module in enumerate(program.modules)
    ]
    state = program.init_state(len(turns), torch.float64, torch.device("cpu"))
    x = torch.cat([frames(program, 1, row) for row in range(len(turns))])
    program.rows([x], replace(state, frame=frame), program.late(turns))
    for handle in handles:
        handle.remove()
    return calls


CALLS: list[tuple[str, list[int], int, list[int]]] = [
    ("nothing", [2, 1, 2], 2, [1]),
    ("zeros", [0, 1, 2, 3], 5, [1, 1]),
    ("replicate", [0, 1, 2, 3], 5, [1, 1, 1]),
    ("carried", [0, 1, 2, 3], 3, [1, 1, 1, 1]),
    ("cut", [0, 1, 2, 3], 4, [1, 3, 1]),
    ("cut", [0, 1, 2, 3], 6, [1, 2, 1]),
    ("cut", [2, 1, 2], 6, [1, 1, 1]),
    ("attended", [0, 1, 2, 3], 5, [1, 4, 4]),
    ("attended", [2, 1, 2], 7, [1, 2, 2]),
    ("spread", [0, 1, 2, 3], 4, [1, 2, 1]),
    ("spread", [2, 1, 2], 4, [1, 1, 1]),
]


@pytest.mark.parametrize(("kind", "turns", "frame", "calls"), CALLS)
@torch.no_grad()
def test_rows_run_apart_only_where_their_beginnings_matter(
    kind: str, turns: list[int], frame: int, calls: list[int]
) -> None:
    """A call for each beginning within reach, and one for all others and those that have nothing;
    one in all where padding has a fill. What is kept by `mean_nearby` is made by a call more."""
    assert calls_of(program_of(kind), turns, frame) == calls


def test_rows_whose_beginnings_do_not_matter_are_not_copied() -> None:
    program = program_of("nothing")
    x = torch.cat([frames(program, 1, row) for row in range(2)])
    seen: list[Tensor] = []
    program.modules[0].register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    state = program.init_state(2, torch.float64, torch.device("cpu"))
    program.rows([x], replace(state, frame=5), program.late([1, 3]))
    assert [each.data_ptr() for each in seen] == [x.data_ptr()]
