"""Trees of Flax, written by `flax.serialization` in MessagePack."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from codsl.weights.entry import Array, Entry, Tree
from codsl.weights.formats.dtypes import DTYPES
from codsl.weights.formats.file import DEPTH, NODES, RANKS, File, check_name, measure, sizes
from codsl.weights.formats.format import Format
from codsl.weights.refusal import WeightsError, oversized, unreadable

ARRAY, COMPLEX, SCALAR = 1, 2, 3
"""Flax's own kinds of values: `flax.serialization._MsgpackExtType`."""
CHUNKED = "__msgpack_chunked_array__"
TEXT = 1 << 20
"""Bytes of a text at most; what is longer is an array."""

CONSTANTS: dict[int, bool | None] = {0xC0: None, 0xC2: False, 0xC3: True}
NUMBERS = {
    **{0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"},
    **{0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"},
}
LENGTHS = {
    **{0xC4: ("bin", 1), 0xC5: ("bin", 2), 0xC6: ("bin", 4)},
    **{0xC7: ("ext", 1), 0xC8: ("ext", 2), 0xC9: ("ext", 4)},
    **{0xD9: ("str", 1), 0xDA: ("str", 2), 0xDB: ("str", 4)},
    **{0xDC: ("array", 2), 0xDD: ("array", 4), 0xDE: ("map", 2), 0xDF: ("map", 4)},
}
FIXED = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


@dataclass(frozen=True)
class Stretch:
    """Bytes of the file that are not read yet."""

    start: int
    length: int


def read(path: Path) -> Tree:
    """The tree as Flax restores it, with dicts for its tuples; arrays are left in the file.

    MessagePack is read by its specification (https://github.com/msgpack/msgpack, version 2.0).
    E0601 for what is broken, E0603 for more than the file holds.
    """
    file = File.at(path)
    with file.opened() as stream:
        reader = _Reader(file, stream, 0, file.size)
        tree = reader.value()
    if reader.place != file.size:
        raise unreadable(path, f"{file.size - reader.place} bytes follow the tree")
    if not isinstance(tree, Mapping | Entry):
        raise unreadable(path, "it holds no tree")
    return tree


def is_one(head: bytes) -> bool:
    """Whether a file begins like a map whose first key is a text."""
    key = {0xDE: 3, 0xDF: 5}.get(head[0], 1) if head else 1
    is_map = head[:1] and (0x81 <= head[0] <= 0x8F or key > 1)
    return bool(is_map and len(head) > key and (0xA0 <= head[key] <= 0xBF or head[key] == 0xD9))


class _Reader:
    """Values one after the other, from `place` to `end`."""

    def __init__(self, file: File, stream: BinaryIO, place: int, end: int) -> None:
        self.file = file
        self.stream = stream
        self.place = place
        self.end = end
        self.depth = 0
        self.nodes = 0

    def value(self) -> Any:
        """The next value; arrays are entries."""
        kind, content = self.next()
        if kind in ("array", "map"):
            return self._nested(kind, content)
        if kind == "ext":
            code, stretch = content
            return self._extension(code, stretch)
        if kind == "bin":
            return self._bytes(content)
        return content

    def next(self) -> tuple[str, Any]:
        """The next item: its kind and its content, which of a container is its length."""
        self.nodes += 1
        if self.nodes > NODES:
            raise oversized(self.file.path, f"a tree of more than {NODES} values")
        byte = self._take(1)[0]
        if byte < 0x80 or byte >= 0xE0:
            return "number", byte if byte < 0x80 else byte - 0x100
        if byte < 0xC0:
            return self._sized(*_fixed(byte))
        if byte in CONSTANTS:
            return "constant", CONSTANTS[byte]
        if byte in NUMBERS:
            form = NUMBERS[byte]
            return "number", struct.unpack(form, self._take(struct.calcsize(form)))[0]
        if byte in FIXED:
            return self._sized("ext", FIXED[byte])
        if byte in LENGTHS:
            kind, width = LENGTHS[byte]
            return self._sized(kind, int.from_bytes(self._take(width), "big"))
        raise unreadable(self.file.path, f"byte {self.place - 1} begins no value of MessagePack")

    def _sized(self, kind: str, length: int) -> tuple[str, Any]:
        if length * (2 if kind == "map" else 1) > self.end - self.place:
            raise oversized(
                self.file.path, f"a value of {length} parts, and {self.end - self.place} bytes left"
            )
        if kind in ("array", "map"):
            return kind, length
        if kind == "str":
            return kind, self._text(length)
        if kind == "ext":
            code = int.from_bytes(self._take(1), "big", signed=True)
            return kind, (code, self._skip(length))
        return kind, self._skip(length)

    def _nested(self, kind: str, length: int) -> Any:
        self.depth += 1
        if self.depth > DEPTH:
            raise oversized(self.file.path, f"a tree that is more than {DEPTH} levels deep")
        items = list(self._pairs(length)) if kind == "map" else None
        value = [self.value() for _ in range(length)] if items is None else self._mapping(items)
        self.depth -= 1
        return value

    def _pairs(self, length: int) -> Iterator[tuple[str | int, Any]]:
        for _ in range(length):
            kind, key = self.next()
            if kind not in ("str", "number") or not isinstance(key, str | int):
                raise unreadable(self.file.path, "a name in it is neither text nor number")
            if isinstance(key, str):
                check_name(self.file.path, key)
            yield key, self.value()

    def _mapping(self, items: list[tuple[str | int, Any]]) -> Any:
        mapping = dict(items)
        if len(mapping) != len(items):
            raise unreadable(self.file.path, "a name in it is there twice")
        return self._joined(mapping) if CHUNKED in mapping else mapping

    def _text(self, length: int) -> str:
        if length > TEXT:
            raise oversized(self.file.path, f"a text of {length} bytes")
        try:
            return self._take(length).decode("utf-8")
        except UnicodeDecodeError as error:
            raise unreadable(self.file.path, "a text in it is no UTF-8") from error

    def _extension(self, code: int, stretch: Stretch) -> Any:
        if code in (ARRAY, SCALAR):
            return self._array(stretch)
        if code == COMPLEX:
            inner = self._inside(stretch)
            parts = [inner.next()[1] for _ in range(3)]
            if parts[0] == 2 and [type(each) for each in parts[1:]] == [float, float]:
                return complex(*parts[1:])
        raise unreadable(self.file.path, f"a value of kind {code}, which Flax does not write")

    def _array(self, stretch: Stretch) -> Entry:
        """Shape, name of the dtype, bytes: `flax.serialization._ndarray_to_bytes`."""
        inner = self._inside(stretch)
        if inner.next() != ("array", 3):
            raise self._no_array()
        kind, rank = inner.next()
        if kind != "array" or rank > RANKS:
            raise self._no_array()
        shape = sizes(self.file.path, "of the tree", [inner.next()[1] for _ in range(rank)])
        (_, name), (kind, octets) = inner.next(), inner.next()
        if kind != "bin" or inner.place != inner.end:
            raise self._no_array()
        if not isinstance(name, str) or name not in DTYPES:
            raise unreadable(self.file.path, f"an array of the dtype {ascii(name)[:40]}")
        dtype = DTYPES[name].newbyteorder("<")
        nbytes = measure(self.file.path, "of the tree", shape, dtype)
        if nbytes != octets.length:
            claim = f"an array of {nbytes} bytes, and {octets.length} are there"
            raise (oversized if nbytes > octets.length else unreadable)(self.file.path, claim)
        return self.file.entry(octets.start, shape, dtype)

    def _joined(self, mapping: Mapping[Any, Any]) -> Entry:
        """An array of more than 2^30 bytes, which Flax writes in pieces."""
        path = self.file.path
        shape = sizes(path, "of the tree", _row(mapping.get("shape")))
        pieces = _row(mapping.get("chunks"))
        if not pieces or not all(isinstance(piece, Entry) for piece in pieces):
            raise self._no_array()
        dtype = pieces[0].dtype
        if len({piece.dtype for piece in pieces}) > 1 or any(len(p.shape) != 1 for p in pieces):
            raise self._no_array()
        claimed = measure(path, "of the tree", shape, dtype)
        if claimed != sum(piece.nbytes for piece in pieces):
            raise oversized(path, f"an array of {claimed} bytes, not those of its pieces")

        def read() -> Array:
            array = np.empty(prod(shape), dtype)
            place = 0
            for piece in pieces:
                array[place : place + piece.shape[0]] = piece.read()
                place += piece.shape[0]
            return array.reshape(shape)

        return Entry(shape, dtype, read)

    def _no_array(self) -> WeightsError:
        return unreadable(self.file.path, "an array in it is not as Flax writes one")

    def _take(self, count: int) -> bytes:
        return self._bytes(self._skip(count))

    def _bytes(self, stretch: Stretch) -> bytes:
        self.stream.seek(stretch.start)
        return self.stream.read(stretch.length)

    def _inside(self, stretch: Stretch) -> "_Reader":
        return _Reader(self.file, self.stream, stretch.start, stretch.start + stretch.length)

    def _skip(self, count: int) -> Stretch:
        if count > self.end - self.place:
            raise unreadable(self.file.path, "it is cut short")
        self.place += count
        return Stretch(self.place - count, count)


def _fixed(byte: int) -> tuple[str, int]:
    if byte < 0x90:
        return "map", byte & 0x0F
    if byte < 0xA0:
        return "array", byte & 0x0F
    return "str", byte & 0x1F


def _row(value: Any) -> list[Any] | None:
    """A tuple, which Flax writes as a dict from `0`, `1`, ..."""
    if not isinstance(value, Mapping) or set(value) != {str(i) for i in range(len(value))}:
        return None
    return [value[str(i)] for i in range(len(value))]


FORMAT = Format("Flax", (".msgpack",), is_one, read)
