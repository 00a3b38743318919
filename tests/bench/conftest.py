"""Rates of a machine that is not measured, so that tests are quick."""

import pytest

from codsl.bench import limit


@pytest.fixture(autouse=True)
def _rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "_matrix", lambda threads: 1e11)
    monkeypatch.setattr(limit, "_copy", lambda size, threads: 1e10)
