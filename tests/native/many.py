"""Many modules as one, so that one run of a compiler is enough for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from codsl.native.graph import Writer
from codsl.native.native import Native, native
from codsl.native.rooms import copied
from codsl.native.source import source_of
from codsl.native.tracing import traced

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def body_of(module: nn.Module, given: Sequence[Tensor]) -> str:
    """What is written for a module."""
    with torch.no_grad():
        program = traced(Many([("", module, given)]), given)
        writer = Writer(program, given, torch.float32)
    return source_of(writer.builder, writer.given, []).body


def check(*given: Sequence[Case]) -> int:
    """How many numbers were compared with those of torch; raises where they are others.

    All that are given are of the same modules, which are compiled once.
    """
    first = Many(given[0]).eval()
    with torch.no_grad():
        run = native(first, _tensors(given[0]))
    return sum(_checked(run, cases) for cases in given)


def _tensors(cases: Sequence[Case]) -> list[Tensor]:
    return [x for _, _, tensors in cases for x in tensors]


def _checked(run: Native, cases: Sequence[Case]) -> int:
    with torch.no_grad():
        given = _tensors(cases)
        first = [each.tensor for each in run(*map(copied, given))]
        kept = [y.clone() for y in first]
        found = iter([each.tensor for each in run(*map(copied, given))])
        wanted = Many(cases).eval().apart(given)
    assert all(map(_same, kept, first)), "a second call wrote over the results of the first"
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
