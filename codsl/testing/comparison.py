"""When two answers count as the same, and what is said where they are not."""

from collections.abc import Sequence

import torch
from torch import Tensor

TOLERANCE = {torch.float32: 5e-6, torch.float64: 1e-10}
"""How far two answers may be apart, relative to `max(1, |wanted|)`."""
ROUNDINGS = 64
"""The same for other dtypes, in units of their precision."""


class ContractError(AssertionError):
    """A promise that is broken; the message says which, for which input, and by how much."""


def demand(kept: bool, broken: str) -> None:
    """Raise `ContractError` with these words where a promise is not kept."""
    if not kept:
        raise ContractError(broken)


def tolerance_of(dtype: torch.dtype) -> float:
    """How far two answers of a dtype may be apart where nothing else is said."""
    return TOLERANCE.get(dtype) or ROUNDINGS * torch.finfo(dtype).eps


def close(found: Tensor, wanted: Tensor, what: str, tolerance: float | None = None) -> None:
    """Both are equal, relative to the larger of 1 and the wanted number."""
    demand(found.dtype == wanted.dtype, f"{what}: {found.dtype} is not {wanted.dtype}")
    demand(found.shape == wanted.shape, f"{what}: {found.shape} is not {wanted.shape}")
    if torch.equal(found, wanted):
        return
    same = (found == wanted) | (found.isnan() & wanted.isnan())
    error = torch.where(same, 0.0, (found - wanted).abs() / wanted.abs().clamp(min=1))
    worst = error.max().item() if error.numel() else 0.0
    bound = tolerance_of(found.dtype) if tolerance is None else tolerance
    demand(worst <= bound, f"{what}: off by {worst:.3g}, {bound:.3g} is allowed")


def identical(found: Tensor | None, wanted: Tensor | None, what: str) -> None:
    """Both are equal bit for bit, or both are nothing."""
    if found is None or wanted is None:
        demand(found is wanted, f"{what}: one gives nothing")
        return
    same = torch.equal(found, wanted) or torch.equal(found.nan_to_num(7e7), wanted.nan_to_num(7e7))
    demand(same, f"{what}: not identical")


def together(parts: Sequence[Tensor | None]) -> Tensor | None:
    """What came out, behind one another."""
    due = [part for part in parts if part is not None]
    return torch.cat(due, 2) if due else None
