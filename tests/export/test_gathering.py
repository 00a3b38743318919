"""Clips that are taken apart and put together again stay whole, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from codsl.export.gathering import gathered


class Module(nn.Module):
    def __init__(self, run: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.run = run

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.run(x, y)


def again(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack(x.unbind(2), 2)


def some(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack([y, *x.unbind(2)[1:], y, *x.unbind(2)], 2)


def backwards(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack(x.unbind(2)[::-1], 2)


def along_another(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack(x.unbind(2), 1)


def of_two(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack([*x.unbind(2), *(x + 1).unbind(2)], 2)


def written_to(x: Tensor, y: Tensor) -> Tensor:
    x = x.clone()
    items = x.unbind(2)
    items[1].add_(1)
    before = torch.stack(items, 2)
    items[2].add_(1)
    before.mul_(2)
    return torch.cat([before, torch.stack(items, 2)], 2)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("run", "stacks"),
    [(again, 0), (some, 0), (backwards, 1), (along_another, 1), (of_two, 0), (written_to, 0)],
)
@torch.no_grad()
def test_clips_stay_whole(run: Callable[[Tensor, Tensor], Tensor], stacks: int) -> None:
    draw = torch.Generator().manual_seed(0)
    given = torch.rand(3, 2, 5, 4, generator=draw), torch.rand(3, 2, 4, generator=draw)
    program = torch.export.export(Module(run), given)
    program = gathered(program)
    found = [node.target for node in program.graph.nodes]
    assert found.count(torch.ops.aten.stack.default) == stacks
    for each in (program, program.run_decompositions()):
        assert torch.equal(each.module()(*given), run(*given))
