"""Programs with blanks in them, and what C++ calls the dtypes of numbers."""

from collections.abc import Mapping

KINDS = {"float32": "float", "float64": "double", "int64": "int64_t"}


def filled(text: str, blanks: Mapping[str, str]) -> str:
    """A text with words in its blanks."""
    for blank, words in blanks.items():
        text = text.replace(f"@{blank}@", words)
    return text
