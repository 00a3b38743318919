"""Specs that the commands are tried on."""

from pathlib import Path

import pytest
from shell import SIGNAL, VIDEO, WRONG


@pytest.fixture
def video_spec(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.codsl"
    path.write_text(VIDEO)
    return path


@pytest.fixture
def signal_spec(tmp_path: Path) -> Path:
    path = tmp_path / "signal.yaml"
    path.write_text(SIGNAL)
    return path


@pytest.fixture
def wrong_spec(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG)
    return path
