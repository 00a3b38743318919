"""What is said of three hundred mistakes that people make, counted."""

import pytest

from mistakes import first_hundred, second_hundred, third_hundred
from mistakes.planted import SPECS, Planted, diagnostics

EXACT, ALONE, MENDED = 95, 98, 70
"""Of a hundred: how often the culprit is pointed at exactly, how often one mistake is told as one,
and how often the first remedy makes the spec check."""

HUNDREDS = {
    "first": first_hundred.HUNDRED,
    "second": second_hundred.HUNDRED,
    "third": third_hundred.HUNDRED,
}


def counted(hundred: list[Planted], what: str) -> int:
    """How many have a quality; those that lack it are printed."""
    lacking = [each for each in hundred if not getattr(each, what)]
    print(f"{what}: {len(hundred) - len(lacking)} of {len(hundred)}")
    for each in lacking:
        print(f"  not so: {each}")
    return len(hundred) - len(lacking)


@pytest.mark.parametrize("name", HUNDREDS)
def test_a_hundred_mistakes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    hundred = HUNDREDS[name]
    assert len(hundred) == 100
    assert len({each.kind for each in hundred}) == 20
    assert len({each.spec for each in hundred}) >= 10
    found = {what: counted(hundred, what) for what in ("exact", "alone", "mends")}
    with capsys.disabled():
        told = ", ".join(f"{what} {count}" for what, count in found.items())
        print(f"\n{name} hundred: {told}")
    assert found["exact"] >= EXACT
    assert found["alone"] >= ALONE
    assert found["mends"] >= MENDED


@pytest.mark.parametrize("path", sorted(SPECS.iterdir()), ids=lambda path: path.name)
def test_without_a_mistake_nothing_is_said(path: object) -> None:
    assert diagnostics(path.read_text("utf-8"), path.name) == ()


def test_a_mistake_that_is_told_badly_would_be_counted() -> None:
    elsewhere = Planted("x", "video.yaml", "- max_pool3d: {", "- nothing: «{»")
    assert not elsewhere.exact
    assert not elsewhere.mends
    several = Planted("x", "gestures.yaml", "max_pool2d: 2", "maxpool: «2»\n        - silly")
    assert not several.alone
