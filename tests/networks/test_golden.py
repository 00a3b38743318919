"""The numbers of every network and variant, as `golden.json` has them.

`python tests/networks/test_golden.py` writes the file anew.
"""

import json
from pathlib import Path
from typing import Any

import pytest

import codsl

FOLDER = Path(__file__).parents[2] / "networks"
GOLDEN = Path(__file__).with_name("golden.json")
NUMBERS = (
    "params",
    "receptive_field",
    "delay",
    "stride",
    "min_frames",
    "macs",
    "state_bytes",
)
VARIANTS: dict[str, tuple[str, ...]] = {
    "movinet": ("a0", "a1", "a2"),
    "continual_transformer": ("one", "two"),
    "ds_cnn": ("s", "m", "l"),
    "bc_resnet": ("bc1", "bc1_5", "bc2", "bc3", "bc6", "bc8"),
    "st_gcn": ("ntu", "kinetics"),
    "tsm": ("r50", "r18"),
    "x3d": ("xs", "s", "m", "l"),
}


def numbers() -> dict[str, dict[str, Any]]:
    """The totals of the report, by network and variant."""
    found = {}
    for path in sorted(FOLDER.glob("*.codsl")):
        for variant in (None, *VARIANTS.get(path.stem, ())):
            total = codsl.check(path, variant=variant).report().to_dict()["total"]
            name = f"{path.stem}-{variant}" if variant else path.stem
            found[name] = {key: total[key] for key in NUMBERS}
    return found


def written(found: dict[str, dict[str, Any]]) -> str:
    return json.dumps(found, indent=2) + "\n"


def test_golden_is_not_stale() -> None:
    command = f"python {Path(__file__).relative_to(FOLDER.parent)}"
    assert GOLDEN.read_text() == written(numbers()), f"`{command}` writes it anew"


@pytest.mark.parametrize(
    ("name", "field", "delay", "stride"),
    [
        ("mbconv", 3, 1, 1),
        ("inception", 3, 1, 1),
        ("squeeze_excitation", 7, 6, 1),
        ("tcn", 1 + 2 * 6 * (2**8 - 1), 0, 1),
        ("x3d", 2 * 28 + 13, 28 + 12, 1),
        ("two_rate", 2 * (2 + 2 + 4) + 1 + 4 * 24, 2 + 2 + 4 + 4 * 24, 4),
    ],
)
def test_golden_is_what_a_pencil_says(name: str, field: int, delay: int, stride: int) -> None:
    found = json.loads(GOLDEN.read_text())[name]
    assert (found["receptive_field"], found["delay"], found["stride"]) == (field, delay, stride)


if __name__ == "__main__":
    GOLDEN.write_text(written(numbers()))
