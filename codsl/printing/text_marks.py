"""The comments and brackets of a source in the text form."""

import re

from codsl.printing.marks import Enclosure, Marks, comments_of, ordered

_TOKEN = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|[(){}\[\]]|codsl(?=[0-9])|\w+')
_OPENING = "({["


def text_marks(text: str) -> Marks:
    """The marks of a text that the grammar reads."""
    comments: list[tuple[int, int]] = []
    enclosures: list[Enclosure] = []
    places: dict[str, int] = {}
    above: list[int] = []
    for token in _TOKEN.finditer(text):
        word, start = token[0], token.start()
        if word.startswith("#"):
            comments.append((start, token.end()))
        elif word in _OPENING:
            above.append(start)
        elif word in ")}]":
            first = above.pop()
            enclosures.append(Enclosure(first, start, "\n" not in text[first:start]))
        elif word in ("codsl", "doc") and not above:
            places.setdefault(word, start)
    return Marks(text, comments_of(text, comments), ordered(enclosures), places)
