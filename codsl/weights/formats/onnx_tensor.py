"""A tensor of an ONNX file: its shape and dtype, and where its numbers are."""

import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from codsl.weights.entry import Array, Entry
from codsl.weights.formats.doubt import Broken, Excessive, Unsafe, checked, quoted
from codsl.weights.formats.mapped import mapped
from codsl.weights.formats.protobuf import Reader, counted, message, signed, text, varint, varints
from codsl.weights.formats.stand_ins import special

DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
}
SPECIAL = {
    16: "bfloat16",
    17: "float8_e4m3fn",
    18: "float8_e4m3fnuz",
    19: "float8_e5m2",
    20: "float8_e5m2fnuz",
    24: "float8_e8m0fnu",
}
"""The numbers of onnx.proto for dtypes (TensorProto.DataType); strings and 4 bits have none."""

DIMS, TYPE, FLOATS, INT32, INT64, NAME, RAW, DOUBLES, UINT64, EXTERNAL, LOCATION = (
    *(1, 2, 4, 5, 7, 8, 9, 10, 11, 13, 14),
)
PLAIN = {FLOATS: "fc", DOUBLES: "fc"}
VARINTS = (INT32, INT64, UINT64)


@dataclass
class Beside:
    """The folder of an ONNX file: files in it may hold numbers, none outside."""

    folder: Path
    left: dict[Path, int] = field(default_factory=dict)

    def find(self, location: str) -> Path:
        """A file in the folder, reached over no link. Raises `Unsafe`."""
        parts = location.split("/")
        bad = any(part in ("", "..") or part.endswith(":") for part in parts)
        if bad or "\\" in location or "\0" in location or len(location) > 1000:
            raise Unsafe(f"its numbers are said to be in {quoted(location)}, outside its folder")
        place = self.folder
        for part in parts:
            place = place / part
            if place.is_symlink():
                raise Unsafe(f"its numbers are said to be in {quoted(location)}, which is a link")
        try:
            mode = place.stat().st_mode
        except OSError:
            raise Broken(f"its numbers are in {quoted(location)}, which is not beside it") from None
        if not stat.S_ISREG(mode):
            raise Unsafe(f"its numbers are said to be in {quoted(location)}, which is no file")
        return place

    def claim(self, place: Path, start: int, size: int) -> None:
        """Note that bytes of a file are claimed; twice all of it is too much."""
        held = place.stat().st_size
        if start < 0 or start + size > held:
            raise Excessive(f"{quoted(place.name)} has {held} bytes, fewer than are claimed")
        self.left[place] = self.left.get(place, 2 * held) - size
        if self.left[place] < 0:
            raise Excessive(f"its tensors claim all of {quoted(place.name)} more than twice")


@dataclass
class Found:
    """The fields of a tensor that have been read."""

    dims: list[int] = field(default_factory=list)
    kind: int = 0
    name: str = ""
    raw: memoryview | None = None
    typed: dict[int, list[memoryview]] = field(default_factory=dict)
    external: dict[str, str] = field(default_factory=dict)
    outside: bool = False


def tensor(reader: Reader, data: memoryview, beside: Beside) -> tuple[str, Entry | None]:
    """The name and the entry of a TensorProto; none for strings.

    Raises `Broken`, `Unsafe`, `Excessive`.
    """
    found = _found(reader, data)
    if found.kind == 8:
        return found.name, None
    shown = quoted(found.name)
    if found.kind in SPECIAL:
        dtype = special(SPECIAL[found.kind])
    elif found.kind in DTYPES:
        dtype = np.dtype(DTYPES[found.kind])
    else:
        raise Broken(f"{shown} holds numbers of a kind that is not known ({found.kind})")
    shape = tuple(found.dims)
    needed = checked(shape, dtype.itemsize, 2**62, shown)
    if found.outside:
        return found.name, Entry(shape, dtype, _outside(found, beside, needed, dtype))
    return found.name, Entry(shape, dtype, _inside(found, needed, dtype))


def _found(reader: Reader, data: memoryview) -> Found:
    found = Found()
    for number, value in reader.fields(data):
        if number == DIMS:
            found.dims += _dims(value)
        elif number == TYPE and isinstance(value, int):
            found.kind = value
        elif number == NAME:
            found.name = text(value)
        elif number == RAW:
            found.raw = message(value)
        elif number in PLAIN or number in VARINTS:
            found.typed.setdefault(number, []).append(message(value))
        elif number == EXTERNAL:
            entry = dict(reader.fields(message(value)))
            found.external[text(entry.get(1, memoryview(b"")))] = text(
                entry.get(2, memoryview(b""))
            )
        elif number == LOCATION:
            found.outside = value == 1
    return found


def _dims(value: int | memoryview) -> list[int]:
    if isinstance(value, int):
        return [signed(value)]
    sizes, at = [], 0
    while at < len(value):
        size, at = varint(value, at)
        sizes.append(signed(size))
    return sizes


def _inside(found: Found, needed: int, dtype: np.dtype[np.generic]) -> Callable[[], Array]:
    shape, shown = tuple(found.dims), quoted(found.name)
    if found.raw is not None or not found.typed:
        raw = found.raw if found.raw is not None else memoryview(b"")
        if len(raw) != needed:
            raise Excessive(f"{shown} takes {needed} bytes, and has {len(raw)}")
        return lambda: _shaped(np.frombuffer(raw, np.uint8), dtype, shape)
    if len(found.typed) != 1:
        raise Broken(f"{shown} has its numbers in two ways")
    number, pieces = next(iter(found.typed.items()))
    if number in PLAIN:
        if sum(map(len, pieces)) != needed or dtype.kind not in PLAIN[number]:
            raise Excessive(f"{shown} takes {needed} bytes, and has {sum(map(len, pieces))}")
        return lambda: _shaped(np.frombuffer(b"".join(pieces), np.uint8), dtype, shape)
    if dtype.kind == "c" or sum(map(counted, pieces)) != needed // dtype.itemsize:
        raise Excessive(f"{shown} has another number of numbers than its shape takes")
    whole = np.dtype(f"u{dtype.itemsize}")
    return lambda: _shaped(
        varints(memoryview(b"".join(pieces))).astype(whole).view(np.uint8), dtype, shape
    )


def _outside(
    found: Found, beside: Beside, needed: int, dtype: np.dtype[np.generic]
) -> Callable[[], Array]:
    shape, location = tuple(found.dims), found.external.get("location", "")
    start, said = (_number(found.external.get(key)) for key in ("offset", "length"))
    if said is not None and said != needed:
        raise Excessive(f"{quoted(found.name)} takes {needed} bytes, and {said} are said")
    beside.claim(beside.find(location), start or 0, needed)

    def read() -> Array:
        if needed == 0:
            return np.empty(shape, dtype)
        view = mapped(beside.find(location))[start or 0 :][:needed]
        if len(view) != needed:
            raise Broken(f"{quoted(location)} has become shorter")
        return _shaped(np.frombuffer(view, np.uint8), dtype, shape)

    return read


def _number(value: str | None) -> int | None:
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= 19):
        raise Broken("it has a place in a file that is no number")
    return int(value)


def _shaped(octets: Array, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> Array:
    if dtype.kind == "b":
        flags: Array = octets != 0
        return flags.reshape(shape)
    little = dtype.newbyteorder("<") if dtype.isbuiltin == 1 else dtype
    numbers: Array = octets.copy().view(little).astype(dtype, copy=False)
    return numbers.reshape(shape)
