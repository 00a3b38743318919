"""The datasets of an HDF5 file, found without following a link to elsewhere, and without code.

Read here and not by the HDF5 library, which does not come back from some files that are spoilt.
"""

import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import product
from math import ceil, prod
from typing import Any

import numpy as np

from codsl.weights.entry import Array, Entry
from codsl.weights.formats import hdf5_objects as objects
from codsl.weights.formats.doubt import Broken, Excessive, Unsafe, checked, quoted
from codsl.weights.formats.hdf5_objects import NOWHERE, Bytes, Message

DEEPEST = 50
"""Groups within one another at most."""
EXPANSION = 100
"""Numbers may take so many times the bytes of their file, where they are compressed."""
FLOOR = 1 << 26
"""Bytes that the numbers of any file may take."""
SHUFFLE, DEFLATE, FLETCHER = 2, 1, 3
"""The filters that are undone here; no others are."""

TROUBLES: tuple[type[Exception], ...] = (
    struct.error,
    IndexError,
    ValueError,
    OverflowError,
    zlib.error,
)
"""What is raised for files whose parts are too short."""

Path = tuple[str, ...]
Piece = tuple[tuple[slice, ...], Callable[[], Array]]


@dataclass
class Search:
    """Which datasets there are in a file, by their paths; in `skipped` nobody looks."""

    file: Bytes
    skipped: frozenset[str]
    found: dict[Path, Entry] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    claimed: int = 0
    legacy: bool = False

    def object(self, place: int, path: Path) -> None:
        """Look through a group, or note a dataset."""
        shown = quoted("/".join(path))
        if place in self.seen or len(path) > DEEPEST:
            raise Unsafe(f"{shown} stands in several places, or too deep")
        self.seen.add(place)
        header = objects.messages(self.file, place)
        if any(message.kind == objects.LAYOUT for message in header):
            self.found[path] = self.dataset({m.kind: m for m in header}, shown)
            return
        if not path:
            self.legacy = any(_attribute(message) for message in header)
        for name, target in objects.links(self.file, header):
            inner = (*path, name)
            if "/".join(inner) in self.skipped:
                continue
            if target is None:
                raise Unsafe(f"{quoted('/'.join(inner))} is a link to another place")
            self.object(target, inner)

    def dataset(self, header: dict[int, Message], shown: str) -> Entry:
        """The entry of a dataset that keeps its numbers in the file."""
        if objects.EXTERNAL in header:
            raise Unsafe(f"{shown} keeps its numbers in another file")
        if objects.SPACE not in header or objects.TYPE not in header:
            raise Broken(f"{shown} has no shape or no dtype")
        dtype = objects.dtype(header[objects.TYPE].data)
        shape = objects.shape(header[objects.SPACE].data)
        room = max(FLOOR, EXPANSION * len(self.file.data))
        self.claimed += checked(shape, dtype.itemsize, room, shown)
        if self.claimed > room:
            raise Excessive(f"its numbers take more than {room} bytes")
        pieces = list(self.pieces(header, dtype, shape, shown)) if prod(shape) else []
        return Entry(shape, dtype.newbyteorder("="), _reader(pieces, shape, dtype))

    def pieces(
        self,
        header: dict[int, Message],
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        shown: str,
    ) -> Iterator[Piece]:
        """Parts of a dataset: where they belong, and how they are read."""
        layout, size = header[objects.LAYOUT].data, prod(shape) * dtype.itemsize
        version, kind = layout[0], layout[1]
        if version == 4 and kind == 3:
            raise Unsafe(f"{shown} is put together from other files")
        if version not in (3, 4) or kind > 2 or (version == 4 and kind == 2):
            raise Broken(f"{shown} is laid out in a way that is not known")
        if kind == 2:
            chunk = struct.unpack(f"<{layout[2]}I", layout[11 : 11 + 4 * layout[2]])
            (tree,) = struct.unpack("<Q", layout[3:11])
            filters = header.get(objects.FILTERS)
            undone = objects.filters(filters.data) if filters else []
            yield from self.chunks(tree, chunk[:-1], undone, dtype, shape, shown)
            return
        if kind == 1:
            place, held = struct.unpack("<QQ", layout[2:18])
            view = self.view(place, held, shown)
        else:
            view = layout[4 : 4 + struct.unpack("<H", layout[2:4])[0]]
        if len(view) < size:
            raise Excessive(f"{shown} takes {size} bytes, and has {len(view)}")
        whole = view[:size]
        yield tuple(map(slice, shape)), lambda: np.frombuffer(whole, dtype).reshape(shape)

    def view(self, place: int, size: int, shown: str) -> memoryview:
        """Bytes at a place in the file."""
        if place == NOWHERE or place + size > len(self.file.data):
            raise Excessive(f"{shown} takes {size} bytes that are not in the file")
        return self.file.at(place, size)

    def chunks(
        self,
        tree: int,
        chunk: tuple[int, ...],
        filters: list[int],
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        shown: str,
    ) -> Iterator[Piece]:
        """The chunks of a dataset, each of them once."""
        needed = prod(chunk) * dtype.itemsize
        if any(each not in (SHUFFLE, DEFLATE, FLETCHER) for each in filters) or len(filters) > 3:
            raise Unsafe(f"{shown} is compressed in a way that is not known")
        if len(chunk) != len(shape) or not needed:
            raise Broken(f"{shown} has chunks of another rank")
        if needed > max(1 << 20, 4 * prod(shape) * dtype.itemsize):
            raise Excessive(f"{shown} has chunks of {needed} bytes")
        counts = [ceil(size / step) for size, step in zip(shape, chunk, strict=True)]
        if tree == NOWHERE or prod(counts) > len(self.file.data) // 16:
            raise Excessive(f"{shown} lacks a part of its numbers")
        places = product(*(range(0, n * step, step) for n, step in zip(counts, chunk, strict=True)))
        missing = set(places)
        for place, key in objects.leaves(self.file, tree, 1, 16 + 8 * len(shape)):
            size, mask, *corner = struct.unpack(f"<II{len(shape)}Q", key[: 8 + 8 * len(shape)])
            if mask or tuple(corner) not in missing:
                raise Broken(f"{shown} has a chunk that is not known")
            missing.remove(tuple(corner))
            ends = zip(corner, chunk, shape, strict=True)
            target = tuple(slice(at, min(at + step, most)) for at, step, most in ends)
            kept = tuple(part.stop - part.start for part in target)
            yield target, _chunk(self.view(place, size, shown), filters, dtype, chunk, kept)
        if missing:
            raise Excessive(f"{shown} lacks a part of its numbers")


def search(data: memoryview, skipped: Collection[str] = ()) -> Search:
    """What an HDF5 file holds, by its path, without the groups that are `skipped`.

    `legacy` says that its root lists layers, as files of Keras do that know the user's names.
    Numbers stay in `data` until they are read. `Broken`, `Unsafe`, `Excessive`, `TROUBLES`.
    """
    if not bytes(data[:8]) == objects.SIGNATURE:
        raise Broken("it does not begin as an HDF5 file")
    found = Search(Bytes(data), frozenset(skipped))
    found.object(objects.root(found.file), ())
    return found


def _attribute(message: Message) -> bool:
    if message.kind != objects.ATTRIBUTE:
        return False
    return (
        bytes(message.data[8 : 9 + len(b"layer_names")]).lstrip(b"\0\1").startswith(b"layer_names")
    )


def _chunk(
    view: memoryview,
    filters: list[int],
    dtype: np.dtype[Any],
    chunk: tuple[int, ...],
    kept: tuple[int, ...],
) -> Callable[[], Array]:
    def read() -> Array:
        needed, held = prod(chunk) * dtype.itemsize, bytes(view)
        for each in reversed(filters):
            if each == FLETCHER:
                held = held[:-4]
            elif each == DEFLATE:
                held = zlib.decompressobj().decompress(held, needed + 4)
            else:
                held = _unshuffled(held, dtype.itemsize)
        if len(held) != needed:
            raise Broken(f"a chunk has {len(held)} bytes, and takes {needed}")
        whole: Array = np.frombuffer(held, dtype).reshape(chunk)
        return whole[tuple(slice(size) for size in kept)]

    return read


def _unshuffled(held: bytes, itemsize: int) -> bytes:
    whole = len(held) // itemsize
    body = np.frombuffer(held, np.uint8, whole * itemsize).reshape(itemsize, whole)
    return body.T.tobytes() + held[whole * itemsize :]


def _reader(
    pieces: list[Piece], shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Callable[[], Array]:
    def read() -> Array:
        if dtype.kind == "b":
            octets: Array = np.empty(shape, np.uint8)
            for target, piece in pieces:
                octets[target] = piece().view(np.uint8)
            flags: Array = octets != 0
            return flags
        whole: Array = np.empty(shape, dtype.newbyteorder("="))
        for target, piece in pieces:
            whole[target] = piece()
        return whole

    return read
