"""How wide a text is in a picture, before any font is known."""

import unicodedata

MONO = 0.62
"""Width of a character of fixed width, for a height of 1."""

SANS = 0.55
"""Width of a character of other fonts at most, on average, for a height of 1."""


def columns(text: str) -> int:
    """Characters of fixed width that a text takes."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def cut(text: str, most: int) -> str:
    """A text of `most` characters of fixed width at most, with its end left out if need be."""
    if columns(text) <= most:
        return text
    while text and columns(text) > most - 1:
        text = text[:-1]
    return f"{text}\u2026"
