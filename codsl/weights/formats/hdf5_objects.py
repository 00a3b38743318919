"""The objects of an HDF5 file as its format specification (version 3.0) lays them out."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from codsl.weights.formats.doubt import Broken, Excessive, Unsafe
from codsl.weights.formats.stand_ins import special

SIGNATURE = b"\x89HDF\r\n\x1a\n"
NOWHERE = 2**64 - 1
"""The address of what is not there."""
MOST = 2_000_000
"""Messages, links and chunks of a file at most."""
DEEPEST = 20
"""Levels of a tree at most."""

SPACE, LINKS, TYPE, LINK, EXTERNAL, LAYOUT, FILTERS, ATTRIBUTE, MORE, TABLE = (
    *(0x01, 0x02, 0x03, 0x06, 0x07, 0x08, 0x0B, 0x0C, 0x10, 0x11),
)
FLOATS = {
    (2, 10, 5, 0, 10, 15): "f2",
    (4, 23, 8, 0, 23, 127): "f4",
    (8, 52, 11, 0, 52, 1023): "f8",
    (2, 7, 8, 0, 7, 127): "bfloat16",
}
"""Sizes, places and bias of exponents and mantissas."""


@dataclass
class Bytes:
    """A file; what is asked of it must be in it, and is asked so often at most."""

    data: memoryview
    left: int = MOST

    def at(self, place: int, size: int) -> memoryview:
        """So many bytes from a place on. Raises `Broken`, `Excessive`."""
        self.left -= 1
        if self.left < 0:
            raise Excessive(f"it has more than {MOST} parts")
        if place + size > len(self.data):
            raise Broken(f"{size} bytes at {place} are not in it")
        return self.data[place : place + size]

    def numbers(self, layout: str, place: int) -> tuple[Any, ...]:
        """Numbers at a place, in the layout of `struct`, little end first."""
        return struct.unpack("<" + layout, self.at(place, struct.calcsize("<" + layout)))


@dataclass(frozen=True)
class Message:
    """A part of an object's header."""

    kind: int
    data: memoryview


def root(file: Bytes) -> int:
    """Where the header of the root group is. Raises `Broken` for an unknown form."""
    version = file.at(8, 1)[0]
    if version in (0, 1):
        sizes, start = bytes(file.at(13, 2)), 24 + 4 * version
        base, _, _, _, _, header = file.numbers("6Q", start)
    elif version in (2, 3):
        sizes = bytes(file.at(9, 2))
        base, _, _, header = file.numbers("4Q", 12)
    else:
        raise Broken("it has an unknown version of HDF5")
    if sizes != b"\x08\x08" or base:
        raise Broken("it is an HDF5 file of an unusual form")
    return int(header)


def messages(file: Bytes, place: int) -> list[Message]:
    """The header of an object, in all its parts."""
    if bytes(file.at(place, 4)) == b"OHDR":
        return _messages(file, *_second(file, place))
    version, size = file.numbers("B7xI", place)
    if version != 1:
        raise Broken("it has an object of an unknown form")
    return _messages(file, place + 16, size, 8, False)


def _second(file: Bytes, place: int) -> tuple[int, int, int, bool]:
    flags = file.at(place + 5, 1)[0]
    start = place + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(file.at(start, width), "little")
    return start + width, size, 6 if flags & 4 else 4, True


def _messages(file: Bytes, start: int, size: int, head: int, new: bool) -> list[Message]:
    found: list[Message] = []
    parts, seen = [(start, size)], {start}
    for part in parts:
        at, end = part[0], sum(part)
        while at + head <= end:
            layout = "BHB" if new else "HHB"
            kind, length, flags = file.numbers(layout, at)
            data = file.at(at + head, length)
            at += head + length
            if flags & 2 and kind in (SPACE, TYPE, LAYOUT, FILTERS):
                raise Broken("it has objects that share a description")
            if kind != MORE:
                found.append(Message(kind, data))
                continue
            place, length = struct.unpack("<QQ", data[:16])
            if place in seen:
                raise Broken("it has an object that goes round in circles")
            seen.add(place)
            parts.append((place + 4, length - 8) if new else (place, length))
    return found


def links(file: Bytes, header: list[Message]) -> Iterator[tuple[str, int | None]]:
    """The links of a group: a name, and where its object's header is, if it is in this file."""
    for message in header:
        if message.kind == TABLE:
            tree, heap = struct.unpack("<QQ", message.data[:16])
            yield from _table(file, tree, heap)
        elif message.kind == LINK:
            yield _link(message.data)
        elif message.kind == LINKS:
            flags = message.data[1]
            (dense,) = struct.unpack("<Q", message.data[2 + 8 * (flags & 1) :][:8])
            if dense != NOWHERE:
                raise Broken("it keeps links in a way that is not known (dense storage)")


def _link(data: memoryview) -> tuple[str, int | None]:
    flags, at, kind = data[1], 2, 0
    if flags & 8:
        kind, at = data[2], 3
    at += (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(data[at : at + width], "little")
    at += width
    name = str(data[at : at + size], "utf-8")
    if kind:
        return name, None
    return name, struct.unpack("<Q", data[at + size :][:8])[0]


def _table(file: Bytes, tree: int, heap: int) -> Iterator[tuple[str, int | None]]:
    signature, size, _, start = file.numbers("4s4xQQQ", heap)
    if signature != b"HEAP":
        raise Broken("it has a group without names")
    names = file.at(start, size)
    for node, _ in leaves(file, tree, 0, 8):
        signature, count = file.numbers("4s2xH", node)
        if signature != b"SNOD":
            raise Broken("it has a group without links")
        for at in range(count):
            place, header, kind = file.numbers("QQI", node + 8 + 40 * at)
            end = bytes(names[place : place + 1000]).find(b"\0")
            if end < 0:
                raise Broken("it has a name without an end")
            yield str(names[place : place + end], "utf-8"), None if kind == 2 else header


def leaves(file: Bytes, tree: int, kind: int, key: int) -> Iterator[tuple[int, memoryview]]:
    """What the leaves of a B-tree (version 1) point to, each with its key."""
    waiting, seen = [(tree, DEEPEST)], {tree}
    while waiting:
        place, deepest = waiting.pop()
        signature, found, level, count = file.numbers("4sBBH", place)
        if signature != b"TREE" or found != kind or level >= deepest:
            raise Broken("it has a tree of an unknown form")
        step = key + 8
        body = file.at(place + 24, count * step)
        children = [struct.unpack("<Q", body[at * step + key :][:8])[0] for at in range(count)]
        if seen.intersection(children) or len(set(children)) != count:
            raise Broken("it has a tree that grows together")
        if level:
            seen.update(children)
            waiting += [(child, level) for child in reversed(children)]
        else:
            for at, child in enumerate(children):
                yield child, body[at * step : at * step + key]


def shape(data: memoryview) -> tuple[int, ...]:
    """The shape that a dataspace says."""
    version, rank = data[0], data[1]
    if version == 2 and data[3] == 2:
        raise Broken("it has a dataset without a shape")
    start = {1: 8, 2: 4}.get(version, 0)
    if not start or rank > 32:
        raise Broken("it has a dataset whose shape is of an unknown form")
    return struct.unpack(f"<{rank}Q", data[start : start + 8 * rank])


def dtype(data: memoryview) -> np.dtype[Any]:
    """The dtype that a datatype says. Raises `Unsafe` for what are no numbers."""
    kind, flags, (size,) = data[0] & 15, data[1], struct.unpack("<I", data[4:8])
    order = ">" if flags & 1 else "<"
    if kind == 0 and struct.unpack("<HH", data[8:12]) == (0, 8 * size) and size in (1, 2, 4, 8):
        return np.dtype(f"{order}{'i' if flags & 8 else 'u'}{size}")
    if kind == 1 and not flags & 0x40:
        start, _, *parts = struct.unpack("<HHBBBBI", data[8:20])
        name = FLOATS.get((size, *parts)) if start == 0 else None
        if name == "bfloat16" and order == "<":
            return special(name)
        if name and name != "bfloat16":
            return np.dtype(order + name)
    if kind == 5 and size == 2:
        return special("bfloat16")
    if kind == 8 and size == 1 and b"FALSE\0" in bytes(data[:100]):
        return np.dtype(bool)
    raise Unsafe("it has a dataset of what are no plain numbers")


def filters(data: memoryview) -> list[int]:
    """The filters of a dataset's chunks, in the order of writing."""
    version, count = data[0], data[1]
    if version not in (1, 2) or count > 32:
        raise Broken("it has a dataset whose filters are of an unknown form")
    at, found = (8 if version == 1 else 2), []
    for _ in range(count):
        (each,) = struct.unpack("<H", data[at : at + 2])
        named = version == 1 or each >= 256
        name = struct.unpack("<H", data[at + 2 : at + 4])[0] if named else 0
        at += 4 if named else 2
        _, values = struct.unpack("<HH", data[at : at + 4])
        at += 4 + (-(-name // 8) * 8 if version == 1 else name) + 4 * values
        at += 4 if version == 1 and values % 2 else 0
        found.append(each)
    return found
