"""Rows and classes of a user's own, verified: promises that are kept, and each that is broken."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import codsl
import codsl.nn as co
from changing import Change, change, forgotten
from codsl.layers.row import make
from codsl.layers.table import table
from codsl.testing import ContractError, verify

__all__ = ["forgotten"]


def from_whole_clip(x: Tensor) -> Tensor:
    return change(x) + 1e-3 * x.mean((2,), keepdim=True)


def from_other_rows(x: Tensor) -> Tensor:
    return change(x) + 1e-3 * x[:, :, 1:].mean(0, keepdim=True)


def without_the_past(x: Tensor) -> Tensor:
    return x[:, :, 1:] * 2


def too_long(x: Tensor) -> Tensor:
    return x


def never_nan(x: Tensor) -> Tensor:
    return change(x.nan_to_num())


def in_place(x: Tensor) -> Tensor:
    return x[:, :, 1:].mul_(2) - x[:, :, :-1]


def cut_off(x: Tensor) -> Tensor:
    """A gradient that comes in clips alone."""
    return change(x if x.shape[2] > 2 else x.detach())


def crashing(x: Tensor) -> Tensor:
    if x.shape[2] == 2:
        raise IndexError("no such item")
    return change(x)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (from_whole_clip, "steps and their end give what the clip gives, .*, but step at frame 1"),
        (from_other_rows, "one row of a batch never reaches another, but a row beside one of nan"),
        (
            without_the_past,
            r"an output depends on the declared frames .* sees \(1, 1\), not \(0, 1",
        ),
        (too_long, "a clip has the declared length .*, but .* frames give"),
        (never_nan, "an output depends on the declared frames .* sees None"),
        (in_place, "but .*"),
        (cut_off, "gradients are equal in clips, steps and chunks, but the gradient of `input 0`"),
        (crashing, "IndexError: no such item"),
    ],
)
def test_a_row_that_breaks_a_promise_is_told(function: Any, why: str) -> None:
    def of_the_row(x: Tensor) -> Tensor:
        found: Tensor = function(x)
        return found

    of_the_row.__name__ = "change"
    codsl.register(Change, of_the_row)
    with pytest.raises(ContractError, match=rf"(?s)`change\(\)`: .*{why}") as error:
        verify(Change, seed=7)
    assert "frames, float" in str(error.value)
    assert str(error.value).endswith("seed 7)")
    assert isinstance(error.value, AssertionError)


def test_a_row_is_tried_on_its_examples_in_both_precisions() -> None:
    codsl.register(Change, change)
    found = verify(Change)
    ranks = ("4 x T", "4 x T x 6", "4 x T x 6 x 6")
    assert found.cases == tuple(
        f"change(): {rank}, {dtype}, clips of up to 7 frames"
        for rank in ranks
        for dtype in ("float64", "float32")
    )
    assert all(found.checks.values())
    lines = str(found).splitlines()
    assert lines[:6] == list(found.cases)
    assert lines[6].split() == ["clips", str(found.checks["clips"])]


@pytest.mark.parametrize("name", ["conv2d", "gru", "upsample", "embedding"])
def test_rows_of_codsl_are_verified_alike(name: str) -> None:
    ids = torch.randint(0, 5, (1, 1, 9)) if name == "embedding" else None
    assert verify(table()[name], input=ids).checks["gradients"]


def test_an_example_that_takes_none_of_the_frames_is_told() -> None:
    with pytest.raises(ValueError, match=r"takes none of the frames tried: .*; give `input`"):
        verify(table()["conv2d"], input=(3, 4, 4))


def test_a_row_with_its_arguments_need_not_be_registered() -> None:
    row = make(table()["conv1d"], {"out_channels": 3, "kernel_size": 4, "padding": "causal"})
    assert len(verify(row).cases) == 2
    assert verify(row, input=(5,)).cases[0].startswith("conv1d(")
    with pytest.raises(ValueError, match="does not take the frames tried"):
        verify(make(table()["conv1d"], {"out_channels": 3, "kernel_size": 4, "groups": 3}))
    codsl.register(Change, change)
    assert verify(Change()).checks["windows"]


def test_a_row_that_is_not_registered_or_has_no_example_is_told() -> None:
    with pytest.raises(ValueError, match="`change` is not in the table"):
        verify(Change)
    bare = type("Bare", (Change,), {"examples": ()})
    codsl.register(bare, change)
    with pytest.raises(ValueError, match="`bare` has no examples"):
        verify(bare)


class Latest(co.CoModule):
    """The sum of the last two frames, by a step of its own; `fault` is what it does wrong."""

    receptive_field = 2

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.clean_state()

    def forward(self, input: Tensor) -> Tensor:
        return input[:, :, 1:] + input[:, :, :-1]

    def forward_step(self, input: Tensor, update_state: bool = True) -> Tensor | None:
        before = self.last
        if update_state or self.fault == "looks":
            self.last = input if self.fault == "keeps the frame" else input.clone()
        if before is None:
            return torch.zeros_like(input) if self.fault == "early" else None
        return input + before * (1.1 if self.fault == "wrong" else 1)

    def get_state(self) -> Tensor | None:
        return None if self.fault == "forgets" else self.last

    def set_state(self, state: Any) -> None:
        self.last = state

    def clean_state(self) -> None:
        if getattr(self, "last", None) is None or self.fault != "stays":
            self.last = None


def test_a_class_with_a_step_of_its_own_is_verified() -> None:
    found = verify(Latest(), input=(3, 2))
    assert found.checks["windows"]
    assert found.checks["gradients"] == 0


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("looks", "frame 0: a step without an update|frame 1"),
        ("early", r"frame 0: outputs \[\] are Tensor"),
        ("wrong", "the module's own step at frame 1: off by"),
        ("forgets", "a state that was kept|frame 3: outputs"),
        ("stays", "frame 0: outputs"),
        ("keeps the frame", "the module's own step at frame 1: off by nan"),
    ],
)
def test_a_class_that_breaks_a_promise_is_told(fault: str, why: str) -> None:
    with pytest.raises(ContractError, match=f"`Latest`: .*({why})"):
        verify(Latest(fault), input=(3, 2))
