"""Garbage is left alone for a while, and then no longer than before."""

from __future__ import annotations

import gc

import pytest

import codsl
from codsl.diagnostics import SpecError
from codsl.garbage import uncollected


def test_collection_stops_and_goes_on() -> None:
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_stays_off_where_it_was() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_goes_on_after_a_spec_with_mistakes() -> None:
    with pytest.raises(SpecError):
        codsl.build("codsl 1\nnetwork n { input (3, T) nothing }")
    assert gc.isenabled()
