"""The outputs of rows that were computed apart, in one tensor."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from codsl.nn.running.program import Values
from codsl.nn.running.state import State


@dataclass(frozen=True)
class Part:
    """What came of the rows in these places."""

    places: list[int]
    ys: Values
    state: State


def gathered(
    made: Sequence[tuple[list[int], Tensor]],
    due: Sequence[int],
    shape: tuple[int, ...],
    like: State,
) -> Tensor:
    """The outputs `(R, C, n, *S)` of all rows, of which the first `due` of each are; zeros behind.

    `made` are those of rows in places, `(r, C, k, *S)`, and of what was made for a row the newest
    are due. Where nothing was made, zeros are as `like`.
    """
    if len(made) == 1 and _complete(made[0], due, shape):
        return made[0][1]
    what = made[0][1] if made else like
    whole = torch.zeros((len(due), *shape), dtype=what.dtype, device=what.device)
    for places, y in made:
        for items in {due[place] for place in places} - {0}:
            at = [number for number, place in enumerate(places) if due[place] == items]
            there = torch.tensor([places[number] for number in at], device=whole.device)
            own = y if len(at) == len(places) else y[torch.tensor(at, device=y.device)]
            whole[there, :, :items] = own.narrow(2, own.shape[2] - items, items)
    return whole


def _complete(made: tuple[list[int], Tensor], due: Sequence[int], shape: tuple[int, ...]) -> bool:
    """Whether a part is all that goes out."""
    places, y = made
    most = shape[1]
    return y.shape[2] == most and len(places) == len(due) and all(n == most for n in due)


def told(due: list[int], most: int) -> Tensor:
    """For each row whether an output is due, or how many, where there may be several."""
    return torch.tensor(due, dtype=torch.bool if most <= 1 else torch.int64)
