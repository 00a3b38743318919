"""The numbers of every network and variant, as `golden.json` has them.

`python tests/networks/test_golden.py` writes the file anew.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from shipped import FOLDER, NAMES, totals, variants
from table import TABLE, table

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


def numbers() -> dict[str, dict[str, Any]]:
    """The totals of the report, by network and variant."""
    found = {}
    for stem in NAMES:
        for variant in (None, *variants(stem)):
            total = totals(stem, variant)
            name = f"{stem}-{variant}" if variant else stem
            found[name] = {key: total[key] for key in NUMBERS}
    return found


def written(found: dict[str, dict[str, Any]]) -> str:
    return json.dumps(found, indent=2) + "\n"


def test_golden_is_not_stale() -> None:
    command = f"python {Path(__file__).relative_to(FOLDER.parent)}"
    assert GOLDEN.read_text() == written(numbers()), f"`{command}` writes it anew"


def test_the_table_is_not_stale() -> None:
    assert TABLE.read_text("utf-8") == table(), "`python tests/networks/table.py` writes it anew"


@pytest.mark.parametrize(
    ("name", "field", "delay", "stride"),
    [
        ("mbconv", 3, 1, 1),
        ("inception", 3, 1, 1),
        ("squeeze_excitation", 7, 6, 1),
        ("tcn", 1 + 2 * 6 * (2**8 - 1), 0, 1),
        ("tcn-centred", 1 + 2 * 6 * (2**8 - 1), 6 * (2**8 - 1), 1),
        ("conv_tasnet", 1 + 3 * 2 * (2**8 - 1), 0, 1),
        ("wavenet", 1 + 2 * 2 * (2**10 - 1), 0, 1),
        ("wavenet-paper", 1 + 3 * (2**10 - 1), 0, 1),
        ("x3d", 2 * 28 + 13, 28 + 12, 1),
        ("resnet3d", 2 * (5 + 7 + 14 + 28) + 1 + 8, 54 + 8, 8),
        ("two_rate", 2 * (2 + 2 + 4) + 1 + 4 * 24, 2 + 2 + 4 + 4 * 24, 4),
    ],
)
def test_golden_is_what_a_pencil_says(name: str, field: int, delay: int, stride: int) -> None:
    found = json.loads(GOLDEN.read_text())[name]
    assert (found["receptive_field"], found["delay"], found["stride"]) == (field, delay, stride)


if __name__ == "__main__":
    GOLDEN.write_text(written(numbers()))
