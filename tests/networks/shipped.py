"""The networks that are shipped, and their variants."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import codsl

FOLDER = Path(__file__).parents[2] / "networks"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.codsl")))
SMALL: dict[str, dict[str, Any]] = {
    "cnn_lstm": {"width": 4, "hidden": 8, "classes": 5, "size": 32},
    "inception": {"kernel": 5},
    "mbconv": {"channels": 4},
    "squeeze_excitation": {"channels": 16, "window": 5},
    "tcn": {"channels": [6, 6, 6], "kernel": 3},
    "two_rate": {"channels": 4, "window": 5},
    "x3d": {"width": 0.67, "depth": 1.0, "features": 32, "classes": 5, "size": 32, "window": 4},
}
"""Parameters by which they are quick to run: of those written in both surfaces."""


@cache
def checked(name: str, variant: str | None = None) -> codsl.Graph:
    """The graph of a network's text form, checked once."""
    return codsl.check(FOLDER / f"{name}.codsl", variant=variant)


@cache
def totals(name: str, variant: str | None = None) -> dict[str, Any]:
    """The totals of its report."""
    found: dict[str, Any] = checked(name, variant).report().to_dict()["total"]
    return found


def variants(name: str) -> tuple[str, ...]:
    """The variants that a network's text form declares."""
    text = (FOLDER / f"{name}.codsl").read_text("utf-8")
    return tuple(re.findall(r"^variant (\w+)", text, re.MULTILINE))
