"""A member of a zip archive, as bytes that are no more than the archive can mean."""

import struct
import zipfile
import zlib

from codsl.weights.formats.doubt import Broken, Excessive, quoted
from codsl.weights.formats.mapped import Window

EXPANSION = 100
"""A member may have so many times the bytes that it takes in the archive."""

TROUBLES: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    LookupError,
    ValueError,
    EOFError,
)
"""What `zipfile` raises for archives that are none, besides `OSError`."""


def members(archive: memoryview) -> dict[str, zipfile.ZipInfo]:
    """The members of an archive by name. Raises `Broken` for a name that stands twice."""
    with zipfile.ZipFile(Window(archive)) as file:
        infos = file.infolist()
    named = {info.filename: info for info in infos}
    if len(named) != len(infos):
        raise Broken("its archive has two members of one name")
    return named


def member(archive: memoryview, info: zipfile.ZipInfo, most: int | None = None) -> memoryview:
    """The bytes of a member: a part of the archive where it is stored as it is.

    Raises `Excessive` for one that grows too much, or is larger than `most`.
    """
    if most is not None and info.file_size > most:
        raise Excessive(f"{quoted(info.filename)} has {info.file_size} bytes, more than {most}")
    start = _start(archive, info)
    held = archive[start : start + info.compress_size]
    if len(held) < info.compress_size:
        raise Broken(f"{quoted(info.filename)} is cut short")
    if info.compress_type == zipfile.ZIP_STORED:
        if info.file_size != info.compress_size:
            raise Broken(f"{quoted(info.filename)} is stored in another size")
        return held
    if info.compress_type != zipfile.ZIP_DEFLATED:
        raise Broken(f"{quoted(info.filename)} is compressed in a way that is not known")
    if info.file_size > EXPANSION * info.compress_size:
        raise Excessive(f"{quoted(info.filename)} grows to {info.file_size} bytes")
    inflated = zlib.decompressobj(-15).decompress(held, info.file_size + 1)
    if len(inflated) != info.file_size:
        raise Broken(f"{quoted(info.filename)} has another size than is said")
    return memoryview(inflated)


def _start(archive: memoryview, info: zipfile.ZipInfo) -> int:
    if info.flag_bits & 1:
        raise Broken(f"{quoted(info.filename)} is encrypted")
    header = archive[info.header_offset : info.header_offset + 30]
    if len(header) < 30 or bytes(header[:4]) != b"PK\3\4":
        raise Broken(f"{quoted(info.filename)} is not where it should be")
    name, extra = struct.unpack("<HH", header[26:])
    return int(info.header_offset + 30 + name + extra)
