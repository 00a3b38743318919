"""What a value of the wrong kind was probably meant as."""

from typing import Any

from codsl.layers.arguments import Boolean, Kind, Optional, PerDimension, Word
from codsl.layers.mistake import Give, Remedy
from codsl.layers.padding import Pads, TimePad

TRUTHS = {
    **dict.fromkeys(("yes", "on", "true", "1"), True),
    **dict.fromkeys(("no", "off", "false", "0"), False),
}


def choices(kind: Kind) -> tuple[str, ...]:
    """The words that an argument of this kind takes."""
    match kind:
        case Optional(inner):
            return choices(inner)
        case Word(words):
            return words
        case Pads() | TimePad():
            return ("same", "causal")
        case _:
            return ()


def remedies(kind: Kind, value: Any, rank: int) -> list[Remedy]:
    """The value that was meant, if it can be told and the kind reads it."""
    inner = kind.kind if isinstance(kind, Optional) else kind
    for meant, said, sure in _meant(inner, value, rank):
        try:
            kind.read(meant, rank)
        except ValueError:
            continue
        return [Remedy(said, Give(meant), sure)]
    return []


def _meant(kind: Kind, value: Any, rank: int) -> list[tuple[Any, str, bool]]:
    match value:
        case str():
            return _of_text(kind, value)
        case tuple():
            return [*_of_tuple(kind, value, rank), *_bounded(kind, value)]
        case bool():
            return []
        case float() if value.is_integer():
            return [(int(value), f"write `{int(value)}`", True)]
        case 0 | 1 if isinstance(kind, Boolean):
            word = "true" if value else "false"
            return [(bool(value), f"write `{word}`", True)]
        case _:
            return _bounded(kind, value)


def _bounded(kind: Kind, value: Any) -> list[tuple[Any, str, bool]]:
    """The number next to one that is out of bounds: without its sign, or the bound itself."""
    bounds = (getattr(kind, "minimum", None), getattr(kind, "maximum", None))
    entries = value if isinstance(value, tuple) else (value,)
    if bounds == (None, None) or not all(type(each) in (int, float) for each in entries):
        return []
    within = tuple(_within(each, *bounds) for each in entries)
    listed = f"({', '.join(map(str, within))})"
    meant = within if isinstance(value, tuple) else within[0]
    return [(meant, f"`{listed if isinstance(value, tuple) else meant}` is the nearest", False)]


def _within(number: float, least: float | None, most: float | None) -> float:
    if least is not None and number < least:
        number = max(abs(number), least)
    return number if most is None else min(number, most)


def _of_text(kind: Kind, value: str) -> list[tuple[Any, str, bool]]:
    word = value.strip().lower()
    if isinstance(kind, Boolean) and word in TRUTHS:
        return [(TRUTHS[word], f"write `{'true' if TRUTHS[word] else 'false'}`", True)]
    if word == "valid":
        return [(0, "torch's `valid` is no padding: `0`", True)]
    try:
        number = float(word)
    except ValueError:
        return []
    whole = int(number) if number.is_integer() else number
    return [(whole, f"a number stands without quotes: `{whole}`", True)]


def _of_tuple(kind: Kind, value: tuple[Any, ...], rank: int) -> list[tuple[Any, str, bool]]:
    if isinstance(kind, Pads) and rank == 1 and len(value) == 2:
        return [((value,), "before and after are a pair of their own", True)]
    if isinstance(kind, PerDimension | Pads) and len(value) > rank:
        return [(value[:rank], f"there are {rank} dimensions here", False)]
    if isinstance(kind, PerDimension | Pads) and len(value) == rank - 1:
        alone = 0 if isinstance(kind, Pads) else 1
        return [((alone, *value), f"time comes first: {alone} for each frame by itself", False)]
    if isinstance(kind, PerDimension | Pads) and len(value) == 1:
        return [(value[0], f"one for all dimensions: `{value[0]}`", False)]
    return []
