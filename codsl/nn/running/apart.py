"""Rows of a batch through a module with a step of its own, each from a state of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from codsl.nn.running.foreign import stepped, twin
from codsl.nn.running.state import State
from codsl.nn.running.tree import PLAIN, alike, changed, ends, merged

PROBED = 2
"""Frames after which the state of a module is looked at, one after another."""


@dataclass(frozen=True)
class Rows:
    """What a module remembers of each row; None before its first item."""

    states: tuple[Any, ...]


def rows_stepped(
    path: str, module: Any, items: Tensor, rows: Rows, ends: bool, due: int
) -> tuple[Tensor | None, Rows]:
    """What a module gives for the items of each row, and what it remembers of each after them.

    Rows run together where what is remembered of them differs in the numbers of tensors alone, in
    which the batch comes first; else one after another. Raises `ValueError` as `stepped` does.
    """
    y: Tensor | None = None
    after = list(rows.states)
    for places in _together(module, items, rows.states):
        here = torch.tensor(places, dtype=torch.int64, device=items.device)
        states = [rows.states[place] for place in places]
        state = states[0] if len(states) == 1 else _batch(merged(states, _joined), len(states))
        part, new = stepped(path, module, items.index_select(0, here), state, ends, due)
        for at, place in enumerate(places):
            after[place] = new if len(places) == 1 else _row(new, at)
        if part is not None:
            y = part.new_zeros((len(after), *part.shape[1:])) if y is None else y
            y = y.index_copy(0, here, part)
    return y, Rows(tuple(after))


def _together(module: nn.Module, items: Tensor, states: tuple[Any, ...]) -> list[list[int]]:
    """The places of rows that run together."""
    if len(states) > 1 and not batch_first(module, items):
        return [[place] for place in range(len(states))]
    groups: list[list[int]] = []
    for place, state in enumerate(states):
        mates = (group for group in groups if alike(states[group[0]], state, _fit))
        group = next(mates, None)
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    return groups


def _joined(rows: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(rows))


def _fit(one: Tensor, other: Tensor) -> bool:
    return (one.shape, one.dtype, one.device) == (other.shape, other.dtype, other.device)


_known: WeakKeyDictionary[nn.Module, dict[Any, bool]] = WeakKeyDictionary()


def batch_first(module: nn.Module, items: Tensor) -> bool:
    """Whether all that a module remembers of such items is plain, and the batch comes first in all
    tensors: it is tried with zeros, in batches of two and of three."""
    known = _known.setdefault(module, {})
    key = (items.shape[1], *items.shape[3:])
    if key not in known:
        known[key] = all(_sized(module, items, batch) for batch in (2, 3))
    return known[key]


def _sized(module: Any, items: Tensor, batch: int) -> bool:
    """Whether all that a module remembers of a batch has its size first."""
    tried = twin(module)
    blank = items.new_zeros((batch, items.shape[1], 1, *items.shape[3:]))
    with torch.no_grad():
        for _ in range(PROBED):
            tried.forward_steps(blank)
            if not _all_first(tried.get_state(), batch):
                return False
    return True


def _all_first(state: Any, batch: int) -> bool:
    return all(
        end.shape[:1] == (batch,) if isinstance(end, Tensor) else isinstance(end, PLAIN)
        for end in ends(state)
    )


def _batch(tree: Any, rows: int) -> Any:
    """A tree that says of its states that they are of so many rows."""
    return changed(tree, lambda x: replace(x, batch_size=rows) if isinstance(x, State) else x)


def _row(tree: Any, row: int) -> Any:
    """What is remembered of a row of a batch."""
    cut = changed(tree, lambda x: x[row : row + 1].clone() if isinstance(x, Tensor) else x)
    return _batch(cut, 1)
