"""What stands for the classes and functions that a pickle of tensors names; none is imported."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from codsl.weights.entry import Array, Entry
from codsl.weights.formats.doubt import Broken, Excessive, Unsafe, checked, quoted
from codsl.weights.formats.opcodes import Old, Value

CODES = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|c8|c16)")
"""The dtypes of numpy that are read, as they stand in pickles."""

SPECIAL = re.compile(r"bfloat16|float8_(e3m4|e4m3(b11fnuz|fn|fnuz)?|e5m2(fnuz)?|e8m0fnu)")
"""Dtypes of the package `ml_dtypes` that are read."""


@dataclass(frozen=True)
class Named:
    """A class or a function, by its name alone."""

    module: str
    name: str

    def __str__(self) -> str:
        return quoted(f"{self.module}.{self.name}")


@dataclass(eq=False)
class Thing:
    """An object of a class that is not imported: its attributes, or its items, as they stand."""

    kind: Named
    state: Value = None
    items: dict[Value, Value] = field(default_factory=dict)
    values: list[Value] = field(default_factory=list)

    @property
    def content(self) -> Value:
        """What there is of it: mapping, list or nothing."""
        state = self.state
        if type(state) is tuple and len(state) == 2:
            state = state[0] if type(state[0]) is dict else state[1]
        return self.items or self.values or (state if type(state) is dict else None)


@dataclass(eq=False)
class Encoded:
    """Bytes written as the characters of their numbers, as protocols before 3 do."""

    text: str

    def __len__(self) -> int:
        return len(self.text)

    def __bytes__(self) -> bytes:
        try:
            return self.text.encode("latin-1")
        except UnicodeEncodeError:
            raise Broken("it has bytes that are no bytes") from None


Data = memoryview | bytes | Encoded


@dataclass(eq=False)
class Kind:
    """A dtype of numpy."""

    dtype: np.dtype[Any]
    built: bool = False

    @classmethod
    def of(cls, given: Value) -> "Kind":
        """That of a name or of a class of ml_dtypes.

        Raises `Unsafe` for objects and records, `Broken` for what is no dtype.
        """
        given = str(given) if type(given) is Old else given
        if type(given) is str and CODES.fullmatch(given):
            return cls(np.dtype(given))
        if type(given) is Named and given.module == "ml_dtypes":
            return cls(special(given.name))
        if type(given) is str and given.lstrip("<>|=")[:1] in ("O", "V"):
            raise Unsafe(f"it has an array of the dtype {quoted(given)}: objects or records")
        shown = quoted(given) if type(given) is str else "of another kind"
        raise Broken(f"it has the dtype {shown}, which holds no numbers")

    def build(self, state: Value) -> None:
        """Set the order of its bytes; records are refused (`Unsafe`)."""
        if self.built or type(state) is not tuple or not 8 <= len(state) <= 9:
            raise Broken("it has a dtype of a form that is not known")
        order, parts = state[1], state[2:5]
        if any(part is not None for part in parts):
            raise Unsafe("it has an array of records")
        if not isinstance(order, str) or order not in ("<", ">", "|", "="):
            raise Broken("it has a dtype of unknown order of bytes")
        self.built = True
        if order == ">" and self.dtype.isbuiltin == 1:
            self.dtype = self.dtype.newbyteorder(">")


def special(name: str) -> np.dtype[Any]:
    """A dtype of ml_dtypes, such as `bfloat16`. Raises `Broken` where there is none."""
    if not SPECIAL.fullmatch(name):
        raise Broken(f"it has the dtype {quoted(name)}, which is not known")
    try:
        import ml_dtypes
    except ImportError:
        raise Broken(
            f"it has the dtype `{name}`, which takes the package `ml_dtypes`",
            "pip install ml_dtypes",
        ) from None
    dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
    return dtype


@dataclass(eq=False)
class Numbers:
    """An array; `entry` from when its state is known."""

    budget: "Budget"
    entry: Entry | None = None

    def build(self, state: Value) -> None:
        """Take shape, dtype, order and data."""
        if self.entry is not None or type(state) is not tuple or len(state) != 5:
            raise Broken("it has an array of a form that is not known")
        _, shape, kind, fortran, data = state
        self.fill(shape, kind, bool(fortran is True), data)

    def fill(self, shape: Value, kind: Value, fortran: bool, data: Value) -> "Numbers":
        """Take what an array is made of; its size must be that of the data."""
        if type(kind) is not Kind:
            raise Broken("it has an array without a dtype")
        data = Encoded(data) if type(data) is Old else data
        if type(data) not in (memoryview, bytes, Encoded):
            raise Unsafe("it has an array of objects")
        if type(shape) is not tuple or any(type(size) is not int for size in shape):
            raise Broken("it has an array whose shape is no shape")
        dtype = kind.dtype
        needed = checked(shape, dtype.itemsize, len(data), "an array")
        if needed != len(data):
            raise Broken(f"an array takes {needed} bytes, and has {len(data)}")
        self.budget.spend(needed)
        read = _reader(data, dtype, shape, "F" if fortran else "C")
        self.entry = Entry(shape, dtype.newbyteorder("="), read)
        return self


def _reader(
    data: Data, dtype: np.dtype[Any], shape: tuple[int, ...], order: str
) -> Callable[[], Array]:
    def read() -> Array:
        held = bytes(data) if isinstance(data, Encoded) else data
        if dtype.kind == "b":
            flat: Array = np.frombuffer(held, np.uint8) != 0
        else:
            flat = np.frombuffer(held, dtype).astype(dtype.newbyteorder("="))
        shaped = flat.reshape(shape, order="F" if order == "F" else "C")
        return np.ascontiguousarray(shaped).reshape(shape)

    return read


@dataclass(eq=False)
class Budget:
    """Bytes of a file that its arrays may still claim: no byte is data of two of them."""

    left: int

    def spend(self, count: int) -> None:
        """Claim bytes. Raises `Excessive` where there are no more."""
        self.left -= count
        if self.left < 0:
            raise Excessive("its arrays take more bytes together than it has")


@dataclass(eq=False)
class Held:
    """A tensor of a framework: the array that it was made of."""

    numbers: Value = None

    def build(self, state: Value) -> None:
        """Take the state: nothing, what quantisation is about, or (MegEngine 1.0) the array."""
        if type(state) is tuple and len(state) == 2:
            state = state[0] or state[1]
        if state is None or state == {}:
            return
        if type(state) is not dict:
            raise Broken("it has a tensor of a form that is not known")
        if "data" in state:
            if self.numbers is not None:
                raise Broken("it has a tensor of two arrays")
            self.numbers = state["data"]
