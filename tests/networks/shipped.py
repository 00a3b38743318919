"""The networks that are shipped, and their variants."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "networks"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.codsl")))


def variants(name: str) -> tuple[str, ...]:
    """The variants that a network's text form declares."""
    text = (FOLDER / f"{name}.codsl").read_text("utf-8")
    return tuple(re.findall(r"^variant (\w+)", text, re.MULTILINE))
