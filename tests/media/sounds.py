"""Sound files of known samples, for tests."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def tone(hertz: float, rate: int, seconds: float = 0.5) -> NDArray[np.float64]:
    """Samples of a sine at half of full scale."""
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def write(path: Path, channels: NDArray[np.float64], rate: int, width: int = 2) -> Path:
    """A `.wav` of integers of so many bytes, `(C, T)` from -1 to 1."""
    numbers = np.round(channels.T.ravel() * (2.0 ** (8 * width - 1) - 1)).astype(np.int64)
    numbers += 128 if width == 1 else 0
    octets = numbers.astype("<i8").view("u1").reshape(-1, 8)[:, :width]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(octets.tobytes())
    return path
