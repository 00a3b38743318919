"""The kinds of arguments that layers take: how a value is read, and what the schema says of it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, final

LARGEST = 2**24
"""No size, channel count or stride is larger."""
EXPRESSION = "^\\$"
"""In YAML, any argument may be an expression."""
NUMBER = EXPRESSION + r"|^[-+]?[0-9]+(\.[0-9]+)?[eE][-+]?[0-9]+$"
"""A number, too: some readers of YAML take `1e-5` for a text."""

Value = Any


class Kind(ABC):
    """A kind of argument; `rank` is how many dimensions the layer has, time among them."""

    @abstractmethod
    def read(self, value: Value, rank: int) -> Value:
        """The value in its full form; raises `ValueError` with what was expected."""

    @abstractmethod
    def schema(self, rank: int) -> dict[str, Any]:
        """The JSON Schema of what may be written."""


def integer(value: Value, minimum: int) -> int:
    """The value, if it is an integer of at least `minimum`; raises `ValueError` if not."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("expected an integer")
    if value < minimum:
        raise ValueError(f"expected {minimum} or more")
    if value > LARGEST:
        raise ValueError(f"expected {LARGEST} or less")
    return value


def _for_each(entry: dict[str, Any], rank: int) -> dict[str, Any]:
    """The schema of one entry for all dimensions, or one each."""
    return {
        **entry,
        "type": ["integer", "array", "string"],
        "minItems": rank,
        "maxItems": rank,
        "items": entry,
    }


def _entry(at: int, value: Value, minimum: int) -> int:
    """An integer of a tuple, whose place is told where it is wrong."""
    try:
        return integer(value, minimum)
    except ValueError as error:
        raise ValueError(f"{error} at place {at}, found `{value}`") from error


def _number(value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("expected a number")
    if not isfinite(value) or abs(value) > 1e30:
        raise ValueError("expected a finite number")
    return value


@final
@dataclass(frozen=True)
class Integer(Kind):
    """An integer of at least `minimum`."""

    minimum: int = 1

    def read(self, value: Value, rank: int) -> int:
        return integer(value, self.minimum)

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
        number = _number(value)
        if self.minimum is not None and number < self.minimum:
            raise ValueError(f"expected {self.minimum} or more")
        if self.maximum is not None and number > self.maximum:
            raise ValueError(f"expected {self.maximum} or less")
        return number

    def schema(self, rank: int) -> dict[str, Any]:
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        known = {word: bound for word, bound in bounds.items() if bound is not None}
        return {"type": ["number", "string"], "pattern": NUMBER, **known}


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
        return {
            "type": "string",
            "pattern": f"{EXPRESSION}|^({'|'.join(self.choices)})$",
            "examples": list(self.choices),
        }


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
        return (integer(value, self.minimum),) * rank

    def schema(self, rank: int) -> dict[str, Any]:
        entry = {"type": ["integer", "string"], "minimum": self.minimum, "pattern": EXPRESSION}
        return _for_each(entry, rank)


@final
@dataclass(frozen=True)
class Outputs(Kind):
    """The output sizes of an adaptive pool; nothing where a dimension stays as it is."""

    def read(self, value: Value, rank: int) -> tuple[int | None, ...]:
        sizes = value if isinstance(value, tuple) else (value,) * rank
        if len(sizes) != rank:
            raise ValueError(f"expected an integer or {rank} of them, time first")
        return tuple(None if size is None else integer(size, 1) for size in sizes)

    def schema(self, rank: int) -> dict[str, Any]:
        entry = {"type": ["integer", "string", "null"], "minimum": 1, "pattern": EXPRESSION}
        return _for_each(entry, rank)


@final
@dataclass(frozen=True)
class PerChannel(Kind):
    """A number for all channels, or one each."""

    def read(self, value: Value, rank: int) -> float | tuple[float, ...]:
        if not isinstance(value, tuple):
            return _number(value)
        return _numbers(value, "a number or one for each channel")

    def schema(self, rank: int) -> dict[str, Any]:
        entry = {"type": ["number", "string"], "pattern": EXPRESSION}
        return {**entry, "type": ["number", "array", "string"], "minItems": 1, "items": entry}


def _numbers(value: Value, what: str) -> tuple[float, ...]:
    if not isinstance(value, tuple) or not value:
        raise ValueError(f"expected {what}")
    for at, each in enumerate(value, 1):
        try:
            _number(each)
        except ValueError as error:
            raise ValueError(f"{error} at place {at}") from error
    return value


MOST_SIZES = 8
"""Dimensions of a frame at most, where they are written one by one."""


@final
@dataclass(frozen=True)
class Sizes(Kind):
    """A few integers of at least `minimum`; one may stand alone."""

    minimum: int

    def read(self, value: Value, rank: int) -> tuple[int, ...]:
        if not isinstance(value, tuple):
            return (integer(value, self.minimum),)
        if not 1 <= len(value) <= MOST_SIZES:
            raise ValueError(f"expected 1 to {MOST_SIZES} integers")
        return tuple(_entry(at, each, self.minimum) for at, each in enumerate(value, 1))

    def schema(self, rank: int) -> dict[str, Any]:
        entry = {"type": ["integer", "string"], "minimum": self.minimum, "pattern": EXPRESSION}
        return {
            **entry,
            "type": ["integer", "array", "string"],
            "minItems": 1,
            "maxItems": MOST_SIZES,
            "items": entry,
        }


Matrix = tuple[tuple[float, ...], ...]


@final
@dataclass(frozen=True)
class SquareMatrices(Kind):
    """A square matrix of numbers, row by row, or several of the same size."""

    def read(self, value: Value, rank: int) -> tuple[Matrix, ...]:
        what = "a square matrix, row by row, or several of the same size"
        if not isinstance(value, tuple) or not value or not isinstance(value[0], tuple):
            raise ValueError(f"expected {what}")
        several = value if value[0] and isinstance(value[0][0], tuple) else (value,)
        size = len(several[0])
        for matrix in several:
            if not isinstance(matrix, tuple) or len(matrix) != size:
                raise ValueError(f"expected {what}")
            for row in matrix:
                if len(_numbers(row, what)) != size:
                    raise ValueError(f"expected {what}: {size} rows of {size} numbers")
        return several

    def schema(self, rank: int) -> dict[str, Any]:
        number = {"type": ["number", "string"], "pattern": EXPRESSION}
        row = {**number, "type": ["number", "array", "string"], "minItems": 1, "items": number}
        matrix = {**number, "type": ["array", "string"], "minItems": 1, "items": row}
        return {**matrix, "items": matrix}


@final
@dataclass(frozen=True)
class Pairs(Kind):
    """Pairs of integers that count from 0, such as the edges of a graph."""

    def read(self, value: Value, rank: int) -> tuple[tuple[int, int], ...]:
        if not isinstance(value, tuple) or not value:
            raise ValueError("expected pairs of integers, such as `((0, 1), (1, 2))`")
        for at, pair in enumerate(value, 1):
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise ValueError(f"expected a pair of integers at place {at}")
            for each in pair:
                _entry(at, each, 0)
        return value

    def schema(self, rank: int) -> dict[str, Any]:
        node = {"type": ["integer", "string"], "minimum": 0, "pattern": EXPRESSION}
        pair = {"type": ["array", "string"], "minItems": 2, "maxItems": 2, "items": node}
        return {"type": ["array", "string"], "minItems": 1, "items": pair, "pattern": EXPRESSION}


Count = Annotated[int, Integer(1)]
MaybeCount = Annotated[int | None, Optional(Integer(1))]
Natural = Annotated[int, Integer(0)]
Axis = Annotated[int, Integer(-5)]
Real = Annotated[float, Number()]
Share = Annotated[float, Number(0, 1)]
Flag = Annotated[bool, Boolean()]
Dims = Annotated[tuple[int, ...], PerDimension(1)]
MaybeDims = Annotated[tuple[int, ...] | None, Optional(PerDimension(1))]
OutputSizes = Annotated[tuple[int | None, ...], Outputs()]
NumberPerChannel = Annotated[float | tuple[float, ...], PerChannel()]
MaybeMatrices = Annotated[tuple[Matrix, ...] | None, Optional(SquareMatrices())]
MaybePairs = Annotated[tuple[tuple[int, int], ...] | None, Optional(Pairs())]
MaybeNatural = Annotated[int | None, Optional(Integer(0))]
Fill = Annotated[str | None, Optional(Word(("zeros", "replicate")))]
ZeroFill = Annotated[str | None, Optional(Word(("zeros",)))]
DType = Annotated[str | None, Optional(Word(("float16", "bfloat16", "float32", "float64")))]

ONE: Any = 1
"""As a default: one in every dimension, once it is read."""
ZERO: Any = 0
"""As a default: nothing in every dimension, once it is read."""
