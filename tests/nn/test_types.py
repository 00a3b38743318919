"""The classes of rows as editors, type checkers and `help` see them."""

from __future__ import annotations

import pydoc
from inspect import Parameter, signature
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
import torch
import typed_script
from torch import Tensor

import codsl.nn as co
from codsl.layers.activation import Elementwise
from codsl.layers.row import arguments
from codsl.layers.table import register, registrations, table
from codsl.nn.classes import hand_class
from codsl.nn.stub import stub
from codsl.nn.typed import type_of

STUB = Path(co.__file__).with_name("rows.pyi")
ROWS = {name: row for name, row in table().items() if row.__module__.startswith("codsl.layers.")}


def test_the_stub_is_not_stale() -> None:
    """`make generated` writes it anew."""
    assert STUB.read_text("utf-8") == stub()


def test_the_stub_has_no_rows_of_others() -> None:
    """What is registered here is not everybody's."""
    before = stub()
    with registrations():
        register(
            type("Theirs", (Elementwise,), {"__module__": "theirs", "rank": 0, "examples": ()})
        )
        assert "Theirs" in dir(co)
        assert stub() == before


def test_a_users_script_runs() -> None:
    assert typed_script.Mobile(8).norm.num_features == 8
    made = typed_script.conv()
    assert made.out_channels == 8
    with torch.no_grad():
        net = typed_script.network().eval()
        assert net(torch.rand(1, 3, 9)).shape == (1, 4, 9)


@pytest.mark.parametrize("number", range(len(typed_script.WRONG)))
def test_what_mypy_finds_wrong_is_wrong(number: int) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)):
        typed_script.WRONG[number]()


def test_a_star_gives_every_class() -> None:
    names: dict[str, Any] = {}
    exec("from codsl.nn import *", names)
    by_hand = {*co.rows_by_hand(), "Residual", "GRU", "continual"}
    assert by_hand <= set(names)
    assert names["Conv3d"] is co.Conv3d
    assert len(co.__all__) == len(set(co.__all__))
    assert set(co.__all__) <= set(dir(co))


def test_help_shows_the_manual_and_the_arguments() -> None:
    shown = pydoc.plain(pydoc.render_doc(co.Conv3d))
    assert "temporal_fill" in shown
    assert "kernel_size: int | tuple[int, int, int]" in shown
    assert str(co.Conv3d.__doc__).splitlines()[0] in shown
    assert "Conv3d" in pydoc.plain(pydoc.render_doc(co))


@pytest.mark.parametrize("name", ROWS)
def test_arguments_have_their_type_and_the_rows_default(name: str) -> None:
    row = ROWS[name]
    known = signature(hand_class(row)).parameters
    for argument in arguments(row):
        if argument.name in ("dtype", "temporal_fill") or argument.name not in known:
            continue
        parameter = known[argument.name]
        assert parameter.annotation is not Parameter.empty
        if parameter.default is not Parameter.empty and not argument.required:
            assert parameter.default == argument.default


@pytest.mark.parametrize("name", ROWS)
def test_examples_are_of_the_type_of_their_argument(name: str) -> None:
    row = ROWS[name]
    kinds = {each.name: each.kind for each in arguments(row)}
    for example in row.examples:
        for key, value in example.items():
            assert fits(value, type_of(kinds[key], row.rank)), (key, value)


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a type."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        fitting = isinstance(value, tuple) and len(value) == len(inner)
        return fitting and all(map(fits, value, inner))
    if origin is not None:
        return isinstance(value, tuple) and all(fits(each, *inner) for each in value)
    return isinstance(value, int | float if kind is float else kind)


def test_a_wrong_value_is_of_no_type() -> None:
    """So that the test above can fail."""
    padding = {each.name: each.kind for each in arguments(ROWS["conv3d"])}["padding"]
    kind = type_of(padding, 3)
    assert fits(1, kind)
    assert fits(("causal", 0, (1, 2)), kind)
    assert not any(fits(each, kind) for each in ("full", (1, 2), 1.5, ((1, 2, 3), 0, 0)))
    assert not fits(Tensor(), kind)
