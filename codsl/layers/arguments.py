"""The kinds of arguments that layers take: how a value is read, and what the schema says of it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, final

LARGEST = 2**24
"""No size, channel count or stride is larger."""
EXPRESSION = "^\\$"
"""In YAML, any argument may be an expression."""

Value = Any


class Kind(ABC):
    """A kind of argument; `rank` is how many dimensions the layer has, time among them."""

    @abstractmethod
    def read(self, value: Value, rank: int) -> Value:
        """The value in its full form; raises `ValueError` with what was expected."""

    @abstractmethod
    def schema(self, rank: int) -> dict[str, Any]:
        """The JSON Schema of what may be written."""


def _integer(value: Value, minimum: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("expected an integer")
    if value < minimum:
        raise ValueError(f"expected {minimum} or more")
    if value > LARGEST:
        raise ValueError(f"expected {LARGEST} or less")
    return value


def _entry(at: int, value: Value, minimum: int) -> int:
    """An integer of a tuple, whose place is told where it is wrong."""
    try:
        return _integer(value, minimum)
    except ValueError as error:
        raise ValueError(f"{error} at place {at}, found `{value}`") from error


@final
@dataclass(frozen=True)
class Integer(Kind):
    """An integer of at least `minimum`."""

    minimum: int = 1

    def read(self, value: Value, rank: int) -> int:
        return _integer(value, self.minimum)

    def schema(self, rank: int) -> dict[str, Any]:
        return {
            "type": ["integer", "string"],
            "minimum": self.minimum,
            "maximum": LARGEST,
            "pattern": EXPRESSION,
        }


@final
@dataclass(frozen=True)
class Number(Kind):
    """A finite number, within bounds where there are such."""

    minimum: float | None = None
    maximum: float | None = None

    def read(self, value: Value, rank: int) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("expected a number")
        if not isfinite(value) or abs(value) > 1e30:
            raise ValueError("expected a finite number")
        if self.minimum is not None and value < self.minimum:
            raise ValueError(f"expected {self.minimum} or more")
        if self.maximum is not None and value > self.maximum:
            raise ValueError(f"expected {self.maximum} or less")
        return value

    def schema(self, rank: int) -> dict[str, Any]:
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        known = {word: bound for word, bound in bounds.items() if bound is not None}
        return {"type": ["number", "string"], "pattern": EXPRESSION, **known}


@final
@dataclass(frozen=True)
class Boolean(Kind):
    """True or false."""

    def read(self, value: Value, rank: int) -> bool:
        if not isinstance(value, bool):
            raise ValueError("expected true or false")
        return value

    def schema(self, rank: int) -> dict[str, Any]:
        return {"type": ["boolean", "string"], "pattern": EXPRESSION}


@final
@dataclass(frozen=True)
class Word(Kind):
    """One of a few words."""

    choices: tuple[str, ...]

    def read(self, value: Value, rank: int) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise ValueError("expected " + " or ".join(f"`{word}`" for word in self.choices))
        return value

    def schema(self, rank: int) -> dict[str, Any]:
        return {"type": "string", "pattern": f"{EXPRESSION}|^({'|'.join(self.choices)})$"}


@final
@dataclass(frozen=True)
class Optional(Kind):
    """Something, or nothing."""

    kind: Kind

    def read(self, value: Value, rank: int) -> Value:
        return None if value is None else self.kind.read(value, rank)

    def schema(self, rank: int) -> dict[str, Any]:
        schema = self.kind.schema(rank)
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return {**schema, "type": [*types, "null"]}


@final
@dataclass(frozen=True)
class PerDimension(Kind):
    """An integer for every dimension, or one each, time first."""

    minimum: int = 1

    def read(self, value: Value, rank: int) -> tuple[int, ...]:
        if isinstance(value, tuple):
            if len(value) != rank:
                raise ValueError(f"expected an integer or {rank} of them, time first")
            return tuple(_entry(at, each, self.minimum) for at, each in enumerate(value, 1))
        return (_integer(value, self.minimum),) * rank

    def schema(self, rank: int) -> dict[str, Any]:
        entry = {"type": ["integer", "string"], "minimum": self.minimum, "pattern": EXPRESSION}
        return {
            **entry,
            "type": ["integer", "array", "string"],
            "minItems": rank,
            "maxItems": rank,
            "items": entry,
        }


Pad = tuple[int, int] | str


@final
@dataclass(frozen=True)
class Pads(Kind):
    """Padding: an int, or for each dimension an int, a pair, `same` or `causal`."""

    def read(self, value: Value, rank: int) -> tuple[Pad, ...]:
        if value == "causal":
            return ("causal", *((0, 0),) * (rank - 1))
        if not isinstance(value, tuple):
            return (self._entry(value),) * rank
        if len(value) != rank:
            entries = "an entry" if rank == 1 else f"{rank} entries, time first"
            pair = " (before and after are a pair of their own: `((2, 0),)`)" if rank == 1 else ""
            raise ValueError(f"expected an integer, `same`, `causal`, or {entries}{pair}")
        return tuple(self._entry(each) for each in value)

    def _entry(self, value: Value) -> Pad:
        if value in ("same", "causal"):
            return str(value)
        if isinstance(value, tuple) and len(value) == 2:
            before, after = (_integer(each, 0) for each in value)
            return before, after
        if isinstance(value, int) and not isinstance(value, bool):
            return (_integer(value, 0),) * 2
        raise ValueError("expected an integer, a pair, `same` or `causal`")

    def schema(self, rank: int) -> dict[str, Any]:
        words = f"{EXPRESSION}|^(same|causal)$"
        size = {"type": ["integer", "string"], "minimum": 0, "pattern": EXPRESSION}
        entry = {
            "type": ["integer", "array", "string"],
            "minimum": 0,
            "pattern": words,
            "minItems": 2,
            "maxItems": 2,
            "items": size,
        }
        return {**entry, "minItems": rank, "maxItems": rank, "items": entry}


@final
@dataclass(frozen=True)
class Outputs(Kind):
    """The output sizes of an adaptive pool; nothing where a dimension stays as it is."""

    def read(self, value: Value, rank: int) -> tuple[int | None, ...]:
        sizes = value if isinstance(value, tuple) else (value,) * rank
        if len(sizes) != rank:
            raise ValueError(f"expected an integer or {rank} of them, time first")
        return tuple(None if size is None else _integer(size, 1) for size in sizes)

    def schema(self, rank: int) -> dict[str, Any]:
        entry = {"type": ["integer", "string", "null"], "minimum": 1, "pattern": EXPRESSION}
        return {
            **entry,
            "type": ["integer", "array", "string"],
            "minItems": rank,
            "maxItems": rank,
            "items": entry,
        }


Count = Annotated[int, Integer(1)]
MaybeCount = Annotated[int | None, Optional(Integer(1))]
Natural = Annotated[int, Integer(0)]
Axis = Annotated[int, Integer(-5)]
Real = Annotated[float, Number()]
Share = Annotated[float, Number(0, 1)]
Flag = Annotated[bool, Boolean()]
Dims = Annotated[tuple[int, ...], PerDimension(1)]
MaybeDims = Annotated[tuple[int, ...] | None, Optional(PerDimension(1))]
Padding = Annotated[tuple[Pad, ...], Pads()]
OutputSizes = Annotated[tuple[int | None, ...], Outputs()]
Fill = Annotated[str | None, Optional(Word(("zeros", "replicate")))]
ZeroFill = Annotated[str | None, Optional(Word(("zeros",)))]
DType = Annotated[str | None, Optional(Word(("float16", "bfloat16", "float32", "float64")))]

ONE: Any = 1
"""As a default: one in every dimension, once it is read."""
ZERO: Any = 0
"""As a default: nothing in every dimension, once it is read."""
