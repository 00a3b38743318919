"""How scalars are read in both surfaces: as YAML 1.2 has them."""

import re

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF|nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "null": None,
    "Null": None,
    "NULL": None,
    "~": None,
    "": None,
}
LONGEST = 40
"""Digits of a number at most; a longer run of digits is a string, which no argument takes."""


def number(text: str) -> int | float:
    """The number that `text` spells; raises `ValueError` where it spells none."""
    if len(text) > LONGEST:
        raise ValueError("the number is too long")
    if _INT.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if special := _SPECIAL.fullmatch(text):
        return float(special[1] + special[2].lower())
    raise ValueError("not a number")


def scalar(text: str) -> int | float | bool | str | None:
    """The value of an unquoted scalar: YAML 1.2's core schema, so `no` is a word."""
    if text in _WORDS:
        return _WORDS[text]
    try:
        return number(text)
    except ValueError:
        return text
