"""Pieces of large pages: apart, in place, and gone when nobody holds them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from codsl.native.pages import ALIGNED, PAGE, Pages

SIZES = [1, 63, 64, 65, 1000, 0, 100_000, PAGE, 3 * PAGE + 1, 5]


@pytest.mark.parametrize("size", [1000, PAGE, 5 * PAGE + 3])
def test_pieces_are_apart(size: int) -> None:
    pages = Pages(size)
    pieces = [pages.take(each) for each in SIZES * 3]
    for number, piece in enumerate(pieces):
        piece.fill_(number)
    for number, (piece, each) in enumerate(zip(pieces, SIZES * 3, strict=True)):
        assert piece.dtype == torch.uint8
        assert piece.shape == (each,)
        assert piece.data_ptr() % ALIGNED == 0
        assert (piece == number).all()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of memory in files")
def test_memory_is_given_back() -> None:
    pages = Pages(8 * PAGE)
    piece, other = pages.take(PAGE), pages.take(2 * PAGE)
    at = piece.data_ptr()
    assert at % PAGE == 0
    assert mapped(at)
    del pages, piece
    assert mapped(at)
    del other
    assert not mapped(at)


def mapped(at: int) -> bool:
    """Whether there is memory at an address."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    spans = [[int(each, 16) for each in line.split()[0].split("-")] for line in lines]
    return any(start <= at < stop for start, stop in spans)
