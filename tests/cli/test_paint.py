"""Diagnostics in colours: only where someone sees them, and the same text without."""

import io
import re
from pathlib import Path

import pytest
from shell import codsl, in_terminal

from codsl.cli.paint import BLUE, BOLD, CYAN, RED, YELLOW, painted, wanted

ANSI = re.compile(r"\x1b\[[0-9;]*m")
WRONG = sorted((Path(__file__).parents[1] / "wrong").glob("*.txt"))
RENDERED = """error[E0414]: groups=4 does not divide
 --> net.codsl:9:31
  |
9 |   head = conv3d(10, 3, groups=4)
  |          ------               ^ groups is 4
  |          the input has 50 channels
  = note: it is 5
  = help: the nearest is 5"""


def test_each_part_has_its_colour() -> None:
    def part(text: str) -> str:
        found = re.search(rf"\x1b\[([0-9;]*)m[^\x1b]*{re.escape(text)}", painted(RENDERED))
        assert found, text
        return found[1]

    assert part("error[E0414]") == RED
    assert part("groups=4 does") == BOLD
    assert part("-->") == part("9 |") == part("------") == part("the input has") == BLUE
    assert part("^") == part("groups is 4") == RED
    assert (part("note"), part("help")) == (BOLD, CYAN)
    warning = painted(RENDERED.replace("error[E0414]", "warning[W0701]"))
    assert f"\x1b[{YELLOW}mwarning[W0701]\x1b[0m" in warning
    assert f"\x1b[{YELLOW}m^\x1b[0m" in warning
    assert "\x1b" not in painted("something else")


def test_the_text_stays_as_it_is() -> None:
    texts = [text for path in WRONG for text in path.read_text().strip("\n").split("\n\n")]
    assert len(texts) > 90
    for text in texts:
        assert ANSI.sub("", painted(text)) == text
        assert painted(text) != text or not text.startswith(("error", "warning"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "set", "coloured"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (Terminal(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_who_wants_colours(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, set: dict[str, str], coloured: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in set.items():
        monkeypatch.setenv(name, value)
    assert wanted(stream) is coloured


def test_what_is_piped_has_none_unless_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, wrong_spec: Path
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    plain = codsl("check", wrong_spec).stderr
    assert "\x1b" not in plain
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = codsl("check", wrong_spec).stderr
    assert "\x1b[1;31merror[E0303]" in coloured
    assert ANSI.sub("", coloured) == plain


def test_a_terminal_shows_them(wrong_spec: Path) -> None:
    status, seen = in_terminal("check", wrong_spec)
    assert status == 1
    assert "\x1b[1;31merror[E0303]\x1b[0m" in seen
    assert "\x1b[1;31m^^^^^^^^^^^" in seen
