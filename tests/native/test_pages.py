"""Memory in large pages: apart, in place, and gone when nobody holds it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from codsl.native.pages import ALIGNED, PAGE, paged


@pytest.mark.parametrize("size", [0, 1, 1000, PAGE // 2, PAGE, 3 * PAGE + 5])
def test_memory_has_its_size_and_begins_where_it_should(size: int) -> None:
    pieces = [paged(size) for _ in range(3)]
    for number, piece in enumerate(pieces):
        piece.fill_(number)
    for number, piece in enumerate(pieces):
        assert piece.dtype == torch.uint8
        assert piece.shape == (size,)
        assert piece.data_ptr() % ALIGNED == 0
        assert (piece == number).all()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of memory in files")
def test_memory_is_given_back() -> None:
    whole = paged(3 * PAGE)
    part, at = whole[PAGE:], whole.data_ptr()
    assert at % PAGE == 0
    del whole
    assert mapped(at)
    del part
    assert not mapped(at)


def mapped(at: int) -> bool:
    """Whether there is memory at an address."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    spans = [[int(each, 16) for each in line.split()[0].split("-")] for line in lines]
    return any(start <= at < stop for start, stop in spans)
