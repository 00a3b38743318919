"""NumPy's files: one array (`.npy`), or several by name in a zip archive (`.npz`)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from codsl.weights.entry import Array, Entry, Tree
from codsl.weights.formats.archive import MAGIC as ZIP
from codsl.weights.formats.archive import Archive
from codsl.weights.formats.dtypes import DTYPES, DType
from codsl.weights.formats.file import File, filled, measure
from codsl.weights.formats.format import Format
from codsl.weights.refusal import WeightsError, oversized, unreadable, unsafe

MAGIC = b"\x93NUMPY"
LONGEST = 10_000
"""Bytes of a header at most, as NumPy has it."""
FREE = 256 << 20
"""Bytes that the arrays of any archive may take, however small it is."""
EXPANSION = 16
"""How many times the size of the file the arrays of a larger archive may take."""
SUFFIX = ".npy"

FIELD = re.compile(r"\s*'(descr|fortran_order|shape)'\s*:\s*('[^'\\]*'|True|False|\([\dL, ]*\))\s*")
STRUCTURED = re.compile(r"'descr'\s*:\s*[\[(]")
DESCRIPTION = re.compile(r"[<>|=]?([biufc])(\d+)")
WORDS = re.compile(r"[<>|=]?[SUMm]\d*(\[\w+\])?")
"""Texts and times, which no layer has."""


@dataclass(frozen=True)
class Header:
    """What the head of an array says, and how many bytes it takes."""

    dtype: DType | None
    fortran: bool
    shape: tuple[int, ...]
    length: int


def read(path: Path) -> Tree:
    """Flat names and their arrays, or the one array of a `.npy` file; texts and times are left out.

    The format is that of `numpy.lib.format`; nothing is unpickled. E0602 for arrays of objects,
    E0603 for more bytes than are there, or than the limits on compressed ones allow.
    """
    file = File.at(path)
    return _members(file) if file.slice(0, 4) == ZIP else _single(file)


def is_one(head: bytes) -> bool:
    """Whether a file begins like an array, or like an archive whose first member is one."""
    length = int.from_bytes(head[26:28], "little")
    named = head.startswith(ZIP) and head[30 : 30 + length].endswith(SUFFIX.encode())
    return named or head.startswith(MAGIC)


def _single(file: File) -> Tree:
    with file.opened() as stream:
        header = _header(file.path, file.path.name, stream)
    if header.dtype is None:
        raise unreadable(file.path, "its array is of texts or times")
    nbytes = measure(file.path, file.path.name, header.shape, header.dtype)
    _check_size(file.path, file.path.name, nbytes, file.size - header.length)
    shape, dtype = header.shape, header.dtype
    if header.fortran:
        return _transposed(file.entry(header.length, shape[::-1], dtype))
    return file.entry(header.length, shape, dtype)


def _members(file: File) -> Tree:
    archive = Archive.of(file)
    names = [name for name in archive.members if name.endswith(SUFFIX)]
    if not names:
        raise unreadable(file.path, "the archive has no arrays of NumPy in it")
    claimed = sum(archive.members[name].file_size for name in names)
    if claimed > max(FREE, EXPANSION * file.size):
        raise oversized(
            file.path,
            f"its arrays take {claimed} bytes when expanded, and the file has {file.size}",
            f"up to {FREE} bytes, or {EXPANSION} times the file, are read; "
            "where this is meant, write it with `numpy.savez`, not `savez_compressed`",
        )
    entries = {name.removesuffix(SUFFIX): _member(archive, name) for name in names}
    return {name: entry for name, entry in entries.items() if entry is not None}


def _member(archive: Archive, name: str) -> Entry | None:
    path = archive.file.path
    with archive.member(name) as stream:
        header = _header(path, name, stream)
    if header.dtype is None:
        return None
    nbytes = measure(path, name, header.shape, header.dtype)
    _check_size(path, name, nbytes, archive.members[name].file_size - header.length)
    shape = header.shape[::-1] if header.fortran else header.shape
    dtype = header.dtype

    def read() -> Array:
        with archive.member(name) as stream:
            if _header(path, name, stream) != header:
                raise unreadable(path, f"`{name}` has changed since it was first looked at")
            array = filled(path, stream, shape, dtype)
            if stream.read(1):
                raise unreadable(path, f"`{name}` has more bytes than it says")
        return array

    entry = Entry(shape, dtype.newbyteorder("="), read)
    return _transposed(entry) if header.fortran else entry


def _transposed(entry: Entry) -> Entry:
    """Of an array in column-major order, that is one in row-major order turned around."""
    read: Callable[[], Array] = entry.read
    return Entry(entry.shape[::-1], entry.dtype, lambda: np.transpose(read()))


def _check_size(path: Path, name: str, claimed: int, there: int) -> None:
    if claimed > there:
        raise oversized(path, f"`{name}` claims {claimed} bytes, and {there} are there")
    if claimed < there:
        raise unreadable(path, f"`{name}` has {there - claimed} bytes after its array")


def _header(path: Path, name: str, stream: IO[bytes]) -> Header:
    """Versions 1 to 3 of the format, whose dictionary is matched and never evaluated."""
    start = stream.read(len(MAGIC) + 2)
    version = tuple(start[len(MAGIC) :])
    if not start.startswith(MAGIC) or version not in {(1, 0), (2, 0), (3, 0)}:
        raise unreadable(path, f"`{name}` is no array of NumPy, or is cut short")
    width = 2 if version == (1, 0) else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > LONGEST:
        raise oversized(path, f"`{name}` has a header of {length} bytes, more than {LONGEST}")
    text = stream.read(length)
    if len(text) < length:
        raise unreadable(path, f"`{name}` is cut short in its header")
    fields = _fields(path, name, text.decode("latin-1"))
    shape = tuple(
        int(each.strip(" L")) for each in fields["shape"][1:-1].split(",") if each.strip()
    )
    dtype = _dtype(path, name, fields["descr"][1:-1])
    return Header(dtype, fields["fortran_order"] == "True", shape, len(start) + width + length)


def _fields(path: Path, name: str, text: str) -> dict[str, str]:
    if STRUCTURED.search(text):
        raise unreadable(path, f"`{name}` is an array of records, not of numbers")
    body = text.strip()
    found: dict[str, str] = {}
    for part in re.split(r",(?=\s*'|\s*$)", body[1:-1]):
        match = FIELD.fullmatch(part)
        if match:
            found[match[1]] = match[2]
        elif part.strip():
            raise _garbled(path, name)
    kinds = {key: value[:1] for key, value in found.items()}
    right = kinds.get("descr") == "'" and kinds.get("shape") == "("
    if not right or kinds.get("fortran_order", "'") not in "TF" or body[:1] + body[-1:] != "{}":
        raise _garbled(path, name)
    if not re.fullmatch(r"\((\s*\d{1,20}L?\s*,)*(\s*\d{1,20}L?\s*)?\)", found["shape"]):
        raise _garbled(path, name)
    return found


def _garbled(path: Path, name: str) -> WeightsError:
    return unreadable(path, f"`{name}` has a header that NumPy does not write")


def _dtype(path: Path, name: str, description: str) -> DType | None:
    """That of numbers; None for texts and times."""
    if description.lstrip("<>|=") == "O":
        raise unsafe(
            path,
            f"`{name}` is an array of objects, which are pickled",
            "load it where you trust it, and save its arrays of numbers with `numpy.savez`",
        )
    if WORDS.fullmatch(description):
        return None
    match = DESCRIPTION.fullmatch(description)
    kinds = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex"}
    bits = int(match[2][:3]) * 8 if match else 0
    known = match and (kinds[match[1]] if match[1] == "b" else f"{kinds[match[1]]}{bits}")
    if not known or known not in DTYPES or (known == "bool" and bits != 8):
        hint = ("save it as uint16, or in safetensors: NumPy forgets what it means",)
        is_void = description.lstrip("<>|=").startswith("V")
        raise unreadable(
            path, f"`{name}` has the dtype `{description[:40]}`", *(hint if is_void else ())
        )
    return DTYPES[known].newbyteorder(">" if description[0] == ">" else "<")


FORMAT = Format("NumPy", (".npz", ".npy"), is_one, read)
