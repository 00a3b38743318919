"""Places as editors count them: of a text with signs of two units, and with any end of a line."""

import pytest
from lsprotocol.types import Position, PositionEncodingKind
from pygls.workspace import PositionCodec

from codsl.editor.places import Places

TEXTS = ["", "\n", "a", "a\n", "a😀b\r\n\r\nc", "é\u2028😀\x0cb\x85\n c", "a\rb\n\nc😀"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", PositionEncodingKind)
def test_a_place_leads_back_to_its_character(text: str, encoding: PositionEncodingKind) -> None:
    places = Places(text, PositionCodec(encoding))
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] != "\r\n":
            assert places.offset(places.position(offset)) == offset


def test_lines_and_columns() -> None:
    text = "# 😀\u2028x\r\nrelu"
    places = Places(text, PositionCodec())
    assert places.position(text.index("x")) == Position(0, 5)
    assert places.position(text.index("relu")) == Position(1, 0)
    assert places.position(len(text)) == Position(1, 4)


def test_what_is_beyond_is_the_end() -> None:
    places = Places("relu\ntanh", PositionCodec())
    assert places.offset(Position(0, 99)) == 4
    assert places.offset(Position(1, 99)) == 9
    assert places.offset(Position(99, 0)) == 9
