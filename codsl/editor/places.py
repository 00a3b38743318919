"""Places in a text as the protocol counts them: lines from 0, columns in the editor's units."""

import re
from bisect import bisect_right
from typing import final

from lsprotocol import types as lsp
from pygls.workspace import PositionCodec

_BREAK = re.compile(r"\r\n|\n|\r")


@final
class Places:
    """The places of a text; the protocol knows fewer line breaks than `str.splitlines` does."""

    def __init__(self, text: str, codec: PositionCodec) -> None:
        self._text = text
        self._codec = codec
        breaks = [*_BREAK.finditer(text)]
        self._starts = [0, *(each.end() for each in breaks)]
        self._ends = [*(each.start() for each in breaks), len(text)]

    def position(self, offset: int) -> lsp.Position:
        """Where a character of the text stands."""
        line = bisect_right(self._starts, offset) - 1
        before = self._text[self._starts[line] : offset]
        return lsp.Position(line, self._codec.client_num_units(before))

    def offset(self, position: lsp.Position) -> int:
        """Which character stands there; the end of its line, or of the text, beyond these."""
        if position.line >= len(self._starts):
            return len(self._text)
        at, end, left = self._starts[position.line], self._ends[position.line], position.character
        while at < end and left > 0:
            left -= self._codec.client_num_units(self._text[at])
            at += 1
        return at
