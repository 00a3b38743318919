"""Many modules as one, so that one run of a compiler is enough for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from codsl.native.block import Block
from codsl.native.graph import Writer
from codsl.native.keeping import Kept
from codsl.native.native import native
from codsl.native.source import Source, source_of
from codsl.native.tracing import traced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Case = tuple[str, nn.Module, "Sequence[Tensor]"]
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}


class Many(nn.Module):
    """Modules side by side, each with so many of the tensors that are given."""

    def __init__(self, cases: Sequence[Case]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(module for _, module, _ in cases)
        self.counts = [len(given) for _, _, given in cases]

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """The results of all, flat."""
        return tuple(y for ys in self.apart(given) for y in ys)

    def apart(self, given: Sequence[Tensor]) -> list[tuple[Tensor, ...]]:
        """The results of each."""
        found, start = [], 0
        for part, count in zip(self.parts, self.counts, strict=True):
            ys: Any = part(*given[start : start + count])
            found.append(tuple(ys) if isinstance(ys, tuple | list) else (ys,))
            start += count
        return found


def written(module: nn.Module, given: Sequence[Tensor]) -> Source:
    """What is written for a module."""
    with torch.no_grad():
        program = traced(Many([("", module, given)]), given)
        writer = Writer(program, given, given[0].dtype)
    return source_of(writer.builder, dict.fromkeys(writer.given, "nullptr"))


def body_of(module: nn.Module, given: Sequence[Tensor]) -> str:
    """The lines of it."""
    return written(module, given).body


def check(*given: Sequence[Case], kept: bool = True) -> int:
    """How many numbers were compared with those of torch; raises where they are others.

    All that are given are of the same modules, which are compiled once. What they take is `kept`,
    or comes as it is.
    """
    first = _tensors(given[0])
    block = Block([Kept(tuple(x.shape), x.dtype, 1) for x in first] if kept else [])
    reads = [(which, 1) for which in range(len(first))] if kept else []
    with torch.no_grad():
        step = native(Many(given[0]).eval(), first, block, reads)

    def run(tensors: Sequence[Tensor]) -> list[Tensor]:
        if not kept:
            return step(*tensors)
        for which, x in enumerate(tensors):
            block.put(which, x)
        return step()

    return sum(_checked(run, cases) for cases in given)


def _tensors(cases: Sequence[Case]) -> list[Tensor]:
    return [x for _, _, tensors in cases for x in tensors]


def _checked(run: Callable[[Sequence[Tensor]], list[Tensor]], cases: Sequence[Case]) -> int:
    with torch.no_grad():
        first = run(_tensors(cases))
        before = [y.clone() for y in first]
        found = iter(run(_tensors(cases)))
        wanted = Many(cases).eval().apart(_tensors(cases))
    assert all(map(_same, before, first)), "a second call wrote over the results of the first"
    count = 0
    for (name, _, _), ys in zip(cases, wanted, strict=True):
        for y in ys:
            _agree(name, next(found), y)
            count += y.numel()
    assert next(found, None) is None
    return count


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.equal(one.nan_to_num(), other.nan_to_num())


def _agree(name: str, found: Tensor, wanted: Tensor) -> None:
    assert found.shape == wanted.shape, name
    assert found.dtype == wanted.dtype, name
    if not wanted.dtype.is_floating_point:
        assert torch.equal(found, wanted), name
        return
    finite = wanted.isfinite()
    assert torch.equal(finite, found.isfinite()), f"{name}: infinity or NaN elsewhere"
    if finite.any():
        size = max(1.0, wanted[finite].abs().max().item())
        gap = (found - wanted)[finite].abs().max().item() / size
        assert gap <= TOLERANCE[wanted.dtype], f"{name}: {gap:.2g} apart"
