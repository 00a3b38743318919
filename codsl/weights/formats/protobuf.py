"""Messages of Protocol Buffers on the wire: numbers and stretches of bytes, nothing copied."""

import struct
from collections.abc import Iterator

import numpy as np

from codsl.weights.entry import Array
from codsl.weights.formats.doubt import Broken, Excessive

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Reader:
    """What reads the messages of one file, and counts their fields: there are `most` at most."""

    def __init__(self, most: int) -> None:
        self.left = most

    def fields(self, data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
        """The number and the value of each field of a message, in their order.

        Raises `Broken`, `Excessive`.
        """
        at = 0
        while at < len(data):
            self.left -= 1
            if self.left < 0:
                raise Excessive("it has more fields than any net")
            key, at = varint(data, at)
            if key >> 3 == 0:
                raise Broken("it has a field without a number")
            kind = key & 7
            if kind == VARINT:
                value, at = varint(data, at)
                yield key >> 3, value
                continue
            if kind not in (FIXED64, BYTES, FIXED32):
                raise Broken("it has a field of an unknown kind")
            size = {FIXED64: 8, FIXED32: 4}.get(kind, -1)
            if size < 0:
                size, at = varint(data, at)
            if size > len(data) - at:
                raise Broken(f"a field of {size} bytes, and there are {len(data) - at}")
            yield key >> 3, data[at : at + size]
            at += size


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends. Raises `Broken`."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise Broken("it is cut short")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
    raise Broken("it has a number of more than 64 bits")


def signed(value: int) -> int:
    """A number of 64 bits with its sign."""
    return value - 2**64 if value >= 2**63 else value


def text(value: object) -> str:
    """A string. Raises `Broken` for what is none."""
    if not isinstance(value, memoryview):
        raise Broken("it has a number where a name belongs")
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError:
        raise Broken("it has a name that is no text") from None


def message(value: object) -> memoryview:
    """A message. Raises `Broken` for what is none."""
    if not isinstance(value, memoryview):
        raise Broken("it has a number where a message belongs")
    return value


def floating(value: object) -> float:
    """A number of 32 bits. Raises `Broken` for what is none."""
    if not isinstance(value, memoryview) or len(value) != 4:
        raise Broken("it has something else where a number belongs")
    return float(struct.unpack("<f", value)[0])


def counted(data: memoryview) -> int:
    """How many numbers of variable length there are."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) < 0x80))


def varints(data: memoryview) -> Array:
    """Numbers of variable length one after another, as those of 64 bits without sign (n,)."""
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets < 0x80)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)[: len(ends)]
    values = np.zeros(len(ends), np.uint64)
    if len(ends) and (ends - starts).max() >= 10:
        raise Broken("it has a number of more than 64 bits")
    for part in range(10):
        there = starts + part <= ends
        bits = (octets[starts[there] + part] & 0x7F).astype(np.uint64)
        values[there] |= bits << np.uint64(7 * part)
    return values
