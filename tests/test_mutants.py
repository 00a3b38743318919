"""The tool for mutation testing finds a planted survivor, and what it tries are mistakes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mutants import EQUIVALENT, ROOT, equivalents
from mutations import mutants_of

THING = '''"""A thing."""

from typing import Any


def total(one: int, two: int) -> int:
    """Both together."""
    return one + two


def least(items: Any) -> Any:
    return min(items)


def down(number: int, step: int) -> int:
    while number > step:
        number -= step
    return number
'''
TESTS = """
from thing import down, least, total


def test_a_thing():
    assert total(3, 0) == 3
    assert least([2, 1]) == 1
    assert down(5, 2) == 1
"""


def test_a_planted_survivor_is_found(tmp_path: Path) -> None:
    """A sum is tested with zero only, and a bound with numbers that never reach it; what hangs
    is killed."""
    (tmp_path / "thing.py").write_text(THING)
    (tmp_path / "test_thing.py").write_text(TESTS)
    tool = [sys.executable, str(ROOT / "tests" / "mutants.py"), "thing.py", "--patience", "0.5"]
    asked = [*tool, "--root", str(tmp_path), "--tests", "test_thing.py", "--least", "90"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(
        asked, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    survivors = [line for line in ran.stdout.splitlines() if line.startswith("survived")]
    assert survivors == [
        "survived  thing.py:8  arithmetic: one + two -> one - two",
        "survived  thing.py:16  comparison: number > step -> number >= step",
    ]
    assert "all 6 of 8 killed, 75.0 %" in " ".join(ran.stdout.split())
    assert ran.returncode == 1, ran.stderr
    assert (tmp_path / "thing.py").read_text() == THING


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("a = b < c", {"b <= c"}),
        ("a = b + 2", {"b - 2", "b + 3", "b + 1"}),
        ("a = max(b, c)", {"min(b, c)"}),
        ("a = b and not c", {"b or not c", "c"}),
        ("a = b if c else d", {"b", "d"}),
        ("a: int | None = True", {"False"}),
        ("a.b = c", {"pass"}),
        ("if a:\n    b(c)", {"if not a:", "pass"}),
        ("def a(b: 'c' = 0):\n    'd'\n    return b", {"1", "return None"}),
        ("def a():\n    return None", set()),
        ("raise a", {"pass"}),
        ("@a(1)\nclass B:\n    'c'", set()),
        ("while a:\n    b -= c", {"while not a:", "b += c", "pass"}),
        ("try:\n    a()\nexcept b:\n    raise", {"pass"}),
    ],
)
def test_mistakes(line: str, made: set[str]) -> None:
    found = mutants_of("a.py", line)
    assert {mutant.after for mutant in found} == made
    assert all(compile(mutant.source, "a.py", "exec") for mutant in found)
    assert len({mutant.source for mutant in found}) == len(found)


def test_what_is_said_to_be_no_mistake_is_still_there() -> None:
    known, names = equivalents(), set()
    for path in {name.partition(":")[0] for name in known}:
        names |= {mutant.name for mutant in mutants_of(path, (ROOT / path).read_text(), known)}
    assert set(known) <= names, f"{EQUIVALENT.name} has lines of no use"
    assert all(equivalents().values())
