"""Zip archives of tensors: what their directory claims, held against the file."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

from codsl.weights.formats.file import NODES, File, check_name
from codsl.weights.refusal import oversized, unreadable, unsafe

MAGIC = b"PK\3\4"
DIRECTORY = 64 << 20
"""Bytes of an archive's directory at most."""
LOCAL = struct.Struct("<4s5H3I2H")
"""What stands before a member's bytes; its last two numbers are the lengths of name and extra."""
END = b"PK\5\6\0\0\0\0"
"""How an archive of one piece ends: 14 more bytes without a comment."""
ENCRYPTED = 1
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, UnicodeError),
    *(NotImplementedError, RuntimeError, ValueError, KeyError, IndexError, OverflowError),
)
"""What Python's `zipfile` raises where an archive is broken."""


@dataclass(frozen=True)
class Archive:
    """The members of an archive by name, none of which lies about its place in the file."""

    file: File
    members: dict[str, zipfile.ZipInfo]
    starts: dict[str, int]

    @classmethod
    def of(cls, file: File) -> "Archive":
        """E0601 for what is broken, E0602 for paths, E0603 for more than the file holds."""
        with _zip(file) as archive:
            infos = archive.infolist()
        _check_names(file, [info.filename for info in infos])
        with file.opened() as stream:
            starts = {info.filename: _start(file, stream, info) for info in infos}
        for info in infos:
            _check(file, starts[info.filename], info)
        _check_apart(file, infos, starts)
        return cls(file, {info.filename: info for info in infos}, starts)

    @contextmanager
    def member(self, name: str) -> Iterator[IO[bytes]]:
        """A member's bytes, whose checksum is compared when the last one is read."""
        with _broken(self.file), self.file.opened() as stream:
            stream.seek(self.starts[name])
            with zipfile.ZipExtFile(stream, "r", self.members[name]) as member:
                yield cast(IO[bytes], member)

    def stored(self, name: str) -> bool:
        """Whether a member is there as it is, not compressed."""
        return self.members[name].compress_type == zipfile.ZIP_STORED


@contextmanager
def _broken(file: File) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise unreadable(file.path, f"the archive is broken ({str(error)[:120]})") from error


@contextmanager
def _zip(file: File) -> Iterator[zipfile.ZipFile]:
    with _broken(file), file.opened() as stream:
        if not file.slice(max(0, file.size - 22), 22).startswith(END):
            raise unreadable(file.path, "it is no whole zip archive: it is cut short")
        careful: Any = _Careful(file, stream)
        with zipfile.ZipFile(careful) as archive:
            yield archive


class _Careful:
    """A stream of which `zipfile` reads no directory that is longer than `DIRECTORY`."""

    def __init__(self, file: File, stream: IO[bytes]) -> None:
        self.file = file
        self.stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def seekable(self) -> bool:
        """Yes."""
        return True

    def read(self, count: int = -1) -> bytes:
        """As of the stream, and no more than `DIRECTORY` bytes at once."""
        if count > DIRECTORY:
            raise oversized(self.file.path, f"a directory of {count} bytes")
        return self.stream.read(count if count >= 0 else DIRECTORY)


def _check_names(file: File, names: list[str]) -> None:
    if len(names) > NODES // 4:
        raise oversized(file.path, f"{len(names)} members, more than {NODES // 4}")
    folded = set()
    for name in names:
        check_name(file.path, name)
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or ":" in parts[0]:
            raise unsafe(file.path, f"its member `{name}` leads out of the archive")
        if name.casefold() in folded:
            raise unreadable(file.path, f"its member `{name}` is there twice")
        folded.add(name.casefold())


def _check(file: File, start: int, info: zipfile.ZipInfo) -> None:
    """Refuse a member that is encrypted, that is compressed oddly, or that is not where it says."""
    if info.flag_bits & ENCRYPTED:
        raise unreadable(file.path, f"its member `{info.filename}` is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise unreadable(file.path, f"its member `{info.filename}` is compressed in an odd way")
    if start + info.compress_size > file.size:
        raise oversized(
            file.path, f"`{info.filename}` of {info.compress_size} bytes in a file of {file.size}"
        )
    if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
        raise unreadable(file.path, f"its member `{info.filename}` has two sizes")


def _start(file: File, stream: IO[bytes], info: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin."""
    stream.seek(min(max(info.header_offset, 0), file.size))
    raw = stream.read(LOCAL.size)
    if info.header_offset < 0 or len(raw) < LOCAL.size or not raw.startswith(MAGIC):
        raise unreadable(file.path, f"its member `{info.filename}` is not where it says")
    *_, name, extra = LOCAL.unpack(raw)
    return int(info.header_offset + LOCAL.size + name + extra)


def _check_apart(file: File, infos: list[zipfile.ZipInfo], starts: dict[str, int]) -> None:
    """Refuse members that share bytes: many such say much in a small file (Fifield, 2019)."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise oversized(file.path, f"its member `{info.filename}` overlaps another")
        end = starts[info.filename] + info.compress_size
    if infos and min(info.header_offset for info in infos) != 0:
        raise unreadable(file.path, "bytes stand before the first member of the archive")
