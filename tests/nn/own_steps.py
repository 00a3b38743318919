"""Modules with a step of their own, whose states are as unlike as users write them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import codsl.nn as co


class Sum(co.CoModule):
    """A learnt sum of the last `size` items after `pad` zeros, every `every` items, by hand.

    It remembers them as `kind` says; the batch comes first in all but `time first`.
    """

    def __init__(self, size: int, every: int = 1, pad: int = 0, kind: str = "tuple") -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(1, 2, size, dtype=torch.float64))
        self.stride, self.padding, self.kind = (every,), (pad,), kind
        self.calls: list[int] = []
        self.clean_state()

    @property
    def receptive_field(self) -> int:
        return len(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        padded = nn.functional.pad(input, (self.padding[0],) * 2)
        return padded.unfold(2, len(self.weight), self.stride[0]) @ self.weight

    def forward_step(self, input: Tensor, update_state: bool = True) -> Tensor | None:
        self.calls.append(len(input))
        blank = torch.zeros_like(input).unsqueeze(2)
        past = blank.repeat(1, 1, self.padding[0]) if self.past is None else self.past
        past = torch.cat([past, input.unsqueeze(2)], 2)[:, :, -len(self.weight) :]
        late = self.frame - (len(self.weight) - 1 - self.padding[0])
        due = late >= 0 and late % self.stride[0] == 0
        if update_state:
            self.past = past
            self.frame += 1
        return past @ self.weight if due else None

    def get_state(self) -> Any:
        if self.past is None:
            return None
        match self.kind:
            case "tuple":
                return (self.past, (self.frame, None))
            case "dict":
                return {"past": [self.past], "frame": self.frame}
            case "dataclass":
                return Kept(self.past, self.frame)
            case "time first":
                return (self.past.movedim(2, 0), self.frame)
            case "wide":
                return (self.past.repeat(1, 2, 1), (self.frame, None))
            case "none":
                return None
        return Opaque(self.past, self.frame)

    def set_state(self, state: Any) -> None:
        match self.kind:
            case "tuple":
                self.past, (self.frame, _) = state
            case "wide":
                self.past, self.frame = state[0].chunk(2, 1)[0], state[1][0]
            case "dict":
                (self.past,), self.frame = state.values()
            case "time first":
                self.past, self.frame = state[0].movedim(0, 2), state[1]
            case _:
                self.past, self.frame = state.past, state.frame

    def clean_state(self) -> None:
        self.past: Tensor | None = None
        self.frame = 0


@dataclass(frozen=True)
class Kept:
    past: Tensor
    frame: int


class Opaque:
    def __init__(self, past: Tensor, frame: int) -> None:
        self.past, self.frame = past, frame


class Growing(co.CoModule):
    """The sum of all frames so far, each of which it remembers."""

    receptive_field = math.inf
    delay = 0

    def __init__(self, kind: str = "") -> None:
        super().__init__()
        self.kind = kind
        self.clean_state()

    def forward(self, input: Tensor) -> Tensor:
        return input.cumsum(2)

    def forward_step(self, input: Tensor, update_state: bool = True) -> Tensor:
        seen = (
            input.unsqueeze(2)
            if self.seen is None
            else torch.cat([self.seen, input[:, :, None]], 2)
        )
        if update_state:
            self.seen = seen
        return seen.sum(2)

    def get_state(self) -> Any:
        return [self.seen] if self.kind == "list" else self.seen

    def set_state(self, state: Any) -> None:
        (self.seen,) = state if self.kind == "list" else (state,)

    def clean_state(self) -> None:
        self.seen: Tensor | None = None


class Around(co.CoModule):
    """A network of codsl's own in a class of a user's: its state is a `State`."""

    receptive_field = 5

    def __init__(self) -> None:
        super().__init__()
        self.body = co.Sequential(co.Conv1d(2, 2, 3), co.Tanh(), co.Conv1d(2, 2, 3)).double()

    def forward(self, input: Tensor) -> Any:
        return self.body.forward(input)

    def forward_step(self, input: Tensor, update_state: bool = True) -> Any:
        return self.body.forward_step(input, update_state)

    def get_state(self) -> Any:
        return self.body.get_state()

    def set_state(self, state: Any) -> None:
        self.body.set_state(state)

    def clean_state(self) -> None:
        self.body.clean_state()


def near(kernel: int = 3, stride: int = 1) -> Any:
    return co.Conv1d(2, 2, kernel, stride, kernel // 2, dtype=torch.float64)


OWN: dict[str, Any] = {
    "tuple": lambda: (near(), Sum(4)),
    "padded": lambda: (near(), Sum(4, pad=2), near(), Sum(3, pad=1, kind="dict")),
    "strided": lambda: (Sum(4, every=2, pad=1), near(), Sum(3, every=3, kind="dataclass")),
    "under a stride": lambda: (near(3, 2), Sum(3, pad=1), near(5)),
    "joined": lambda: (near(), co.Residual(co.Sequential(near(5), Sum(3, pad=1)))),
    "beside": lambda: (co.BroadcastReduce(Sum(5, pad=2), near(), aggregation="concat"), near_4()),
    "below several": lambda: (co.ConvTranspose1d(2, 2, 4, 2, 1, dtype=torch.float64), Sum(3)),
    "raised again": lambda: (
        Sum(3, pad=1),
        co.ConvTranspose1d(2, 2, 4, 2, 1, dtype=torch.float64),
        near(),
    ),
    "a state of codsl's": lambda: (near(), Around(), near()),
    "time first": lambda: (near(), Sum(3, kind="time first")),
    "opaque": lambda: (near(), Sum(3, kind="opaque")),
    "endless": lambda: (near(), Growing(), near(5)),
}


def near_4() -> Any:
    return co.Conv1d(4, 2, 3, padding=1, dtype=torch.float64)
