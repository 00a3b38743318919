"""How steps of many operators are compiled in tests."""

from __future__ import annotations

import pytest

from codsl.native import compiling


@pytest.fixture
def soon_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler translates steps as they stand: all of `-O3` takes it a minute for a step of
    every row. Kernels, and the steps of networks, are tested as they are used."""
    monkeypatch.setattr(compiling, "STEPS", "-O0")
