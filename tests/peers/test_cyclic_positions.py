"""The cyclic pattern of positions is that of continual-inference."""

from __future__ import annotations

import pytest
import torch

from codsl.nn.holders import CyclicPattern

REASON = "continual-inference is not installed; it comes with the test extra"


@pytest.mark.parametrize("rows", [2, 3, 4, 6, 10, 31, 64])
@pytest.mark.parametrize("channels", [2, 3, 4, 10, 17])
def test_the_cyclic_pattern(rows: int, channels: int) -> None:
    continual = pytest.importorskip("continual", reason=REASON)
    theirs = continual.RecyclingPositionalEncoding(channels, rows, learned=False).pe.pattern
    ours = CyclicPattern(rows, channels, dtype=torch.float64).weight
    assert (ours - theirs).abs().max() < 2e-6
