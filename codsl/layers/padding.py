"""The kinds of arguments that say how much padding there is, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, final

from codsl.layers.arguments import EXPRESSION, Kind, Value, integer

Pad = tuple[int, int] | str


def _pad(value: Value) -> Pad:
    if value in ("same", "causal"):
        return str(value)
    if isinstance(value, tuple) and len(value) == 2:
        before, after = (integer(each, 0) for each in value)
        return before, after
    if isinstance(value, int) and not isinstance(value, bool):
        return (integer(value, 0),) * 2
    raise ValueError("expected an integer, a pair, `same` or `causal`")


PAD: dict[str, Any] = {
    "type": ["integer", "array", "string"],
    "minimum": 0,
    "pattern": f"{EXPRESSION}|^(same|causal)$",
    "examples": [0, "same", "causal"],
    "minItems": 2,
    "maxItems": 2,
    "items": {"type": ["integer", "string"], "minimum": 0, "pattern": EXPRESSION},
}
"""The schema of the padding of one dimension."""


@final
@dataclass(frozen=True)
class Pads(Kind):
    """Padding: an int, or for each dimension an int, a pair, `same` or `causal`."""

    def read(self, value: Value, rank: int) -> tuple[Pad, ...]:
        if value == "causal":
            return ("causal", *((0, 0),) * (rank - 1))
        if not isinstance(value, tuple):
            return (_pad(value),) * rank
        if len(value) != rank:
            entries = "an entry" if rank == 1 else f"{rank} entries, time first"
            pair = " (before and after are a pair of their own: `((2, 0),)`)" if rank == 1 else ""
            raise ValueError(f"expected an integer, `same`, `causal`, or {entries}{pair}")
        return tuple(_pad(each) for each in value)

    def schema(self, rank: int) -> dict[str, Any]:
        return {**PAD, "minItems": rank, "maxItems": rank, "items": PAD}


@final
@dataclass(frozen=True)
class TimePad(Kind):
    """Padding over time alone: an int, a pair, `same` or `causal`."""

    def read(self, value: Value, rank: int) -> Pad:
        return _pad(value)

    def schema(self, rank: int) -> dict[str, Any]:
        return PAD


@final
@dataclass(frozen=True)
class Margins(Kind):
    """What stands around a frame: an int, or for each dimension an int or a pair, time first."""

    def read(self, value: Value, rank: int) -> tuple[tuple[int, int], ...]:
        entries = value if isinstance(value, tuple) else (value,) * rank
        if len(entries) != rank:
            raise ValueError(f"expected an integer or {rank} entries, time first")
        return tuple(self._pair(each) for each in entries)

    def _pair(self, value: Value) -> tuple[int, int]:
        pad = None if isinstance(value, str) else _pad(value)
        if not isinstance(pad, tuple):
            raise ValueError("expected an integer or a pair")
        return pad

    def schema(self, rank: int) -> dict[str, Any]:
        entry = {**PAD, "pattern": EXPRESSION, "examples": [0]}
        return {**entry, "minItems": rank, "maxItems": rank, "items": entry}


def shorthand(entries: Sequence[Pad | int]) -> Any:
    """The shortest value that says so much for each dimension."""
    short = tuple(
        each[0] if isinstance(each, tuple) and each[0] == each[1] else each for each in entries
    )
    return short[0] if len(set(short)) == 1 and not isinstance(short[0], tuple) else short


Padding = Annotated[tuple[Pad, ...], Pads()]
PaddingOverTime = Annotated[Pad, TimePad()]
PaddingOverSpace = Annotated[tuple[tuple[int, int], ...], Margins()]
