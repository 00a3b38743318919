"""Files broken at random, and what a reader must never do with one.

A format of another kind is one more `Row`: its seeds, and edits that know its structure.
"""

import os
import random
import re
import resource
import struct
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hostility
from samples_frameworks import samples

from codsl.weights.entry import Entry
from codsl.weights.formats import (
    flax,
    keras,
    npz,
    onnx,
    pickles,
    safetensors,
    sharded,
    torch,
)
from codsl.weights.formats.format import Format
from codsl.weights.formats.table import format_of
from codsl.weights.refusal import WeightsError

Edit = Callable[[bytes, random.Random], bytes]

MEMORY = 1 << 30
"""Bytes of address space that all reading may take beyond what there was."""
RESIDENT = 256 << 20
"""Bytes of memory that reading may leave the process larger by."""
SLOW = 20
"""Seconds of processor time after which a file of a few kilobytes is read too slowly."""
CODES = {"E0601", "E0602", "E0603"}


@dataclass(frozen=True)
class Row:
    """A format, honest and hostile files of it, and edits that know how it is made."""

    format: Format
    suffix: str
    seeds: Callable[[], list[bytes]]
    edits: tuple[Edit, ...] = ()


@dataclass
class Result:
    """How often what came of it, and what must not be, with how to do it again."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 1 << 20, (1 << 31) - 1, 1 << 31)
EXTREMES += ((1 << 32) - 1, 30 << 30, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)


def flip(data: bytes, rng: random.Random) -> bytes:
    edited = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        edited[rng.randrange(len(edited))] ^= 1 << rng.randrange(8)
    return bytes(edited)


def overwrite(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + rng.randbytes(rng.randint(1, 4)) + data[start + rng.randint(0, 4) :]


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def extend(data: bytes, rng: random.Random) -> bytes:
    return data + rng.choice((bytes(rng.randint(1, 64)), data[: rng.randrange(len(data))]))


def cut(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randint(1, 32) :]


def repeat(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    piece = data[start : start + rng.randint(1, 64)]
    return data[:start] + piece * rng.choice((2, 3, 200)) + data[start:]


def move(data: bytes, rng: random.Random) -> bytes:
    start, place = rng.randrange(len(data)), rng.randrange(len(data))
    piece = data[start : start + rng.randint(1, 32)]
    return data[:place] + piece + data[place + rng.choice((0, len(piece))) :]


def enlarge(data: bytes, rng: random.Random) -> bytes:
    """A field of 1, 2, 4 or 8 bytes, in either order, becomes another number."""
    width = rng.choice((1, 2, 4, 8))
    start = rng.randrange(max(1, len(data) - width))
    number = rng.choice((*EXTREMES, len(data), rng.randrange(1 << 16))) % (1 << 8 * width)
    order: Any = rng.choice(("little", "big"))
    return data[:start] + number.to_bytes(width, order) + data[start + width :]


def renumber(data: bytes, rng: random.Random) -> bytes:
    """A number in digits becomes another."""
    places = list(re.finditer(rb"\d+", data))
    if not places:
        return flip(data, rng)
    place = rng.choice(places)
    number = rng.choice((*EXTREMES, 10**30, -1, int(place[0][:18]) + 1, int(place[0][:18]) * 8))
    text = rng.choice((str(number), "1e9", "1.5", "true", f'"{number}"', "9" * 5000))
    return data[: place.start()] + text.encode() + data[place.end() :]


GENERAL: tuple[Edit, ...] = (
    *(flip, overwrite, truncate, extend, cut, repeat, move, enlarge, renumber),
)


def in_header(data: bytes, rng: random.Random) -> bytes:
    """The header of safetensors edited, and its length right again."""
    if len(data) < 9:
        return flip(data, rng)
    length = min(int.from_bytes(data[:8], "little"), len(data) - 8)
    header = mutated(data[8 : 8 + length] or b"{", rng)
    return struct.pack("<Q", len(header)) + header + data[8 + length :]


def other_tokens(data: bytes, rng: random.Random) -> bytes:
    """A word of a header becomes another of its words, or another bracket."""
    words = list(re.finditer(rb'"[^"]{1,40}"|[\[\]{},:]', data))
    if not words:
        return flip(data, rng)
    one, other = rng.choice(words), rng.choice(words)
    return data[: one.start()] + other[0] + data[one.end() :]


def in_member(data: bytes, rng: random.Random) -> bytes:
    """A member of an archive edited, and the archive written anew, with right checksums."""
    try:
        parts = hostility.members(data)
    except Exception:
        return enlarge(data, rng)
    if not parts:
        return flip(data, rng)
    heavy = [name for name in parts if name.endswith((".pkl", ".npy"))] or list(parts)
    name = rng.choice(heavy)
    content = parts[name] or b"\0"
    edit = rng.choice((*GENERAL, other_operation, other_tokens)) if rng.random() < 0.8 else mutated
    parts[name] = edit(content, rng)
    if rng.random() < 0.1:
        parts.pop(rng.choice(list(parts)))
    method = zipfile.ZIP_DEFLATED if rng.random() < 0.1 else zipfile.ZIP_STORED
    return hostility.archive(parts, method)


OPERATIONS = (
    *(b"R", b"b", b"\x81", b"Q", b"c__builtin__\nset\n", b"ccollections\nCounter\n", b"0", b"2"),
    *(b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n", b"ctorch\nSize\n"),
    *(b"c__builtin__\nbytearray\n", b"cos\nsystem\n", b"cbuiltins\neval\n", b"ccodecs\nencode\n"),
    *(b"ctorch.nn.parameter\nParameter\n", b"ctorch\nTensor\n", b"c_codecs\nencode\n"),
    *(b"ctorch._tensor\n_rebuild_from_type_v2\n", b"ctorch\nfloat32\n", b"ctorch\ndevice\n"),
    *(b"(", b")", b"]", b"}", b"\x8f", b"t", b"\x85", b"\x86", b"\x87", b"a", b"e", b"s", b"u"),
    *(b"N", b"\x88", b"\x89", b"J\xff\xff\xff\x7f", b"K\x01", b"\x8a\x08" + b"\xff" * 7 + b"\x7f"),
    *(b"X\x01\0\0\0a", b"q\x00", b"h\x00", b"r\xff\xff\xff\x7f", b"j\xff\xff\xff\x7f", b"."),
    *(
        b"U\x01a",
        b"T\xff\xff\xff\x7f",
        b"cbuiltins\ntuple\n",
        b"cjax._src.array\n_reconstruct_array\n",
    ),
    *(b"\x96" + b"\xff" * 7 + b"\0", b"\x95" + b"\xff" * 8, b"\x93", b"I99\n", b"L1L\n", b"S'a'\n"),
)


def other_operation(data: bytes, rng: random.Random) -> bytes:
    """Operations of a pickle put in, or in the place of a byte."""
    start = rng.randrange(len(data))
    put = b"".join(rng.choice(OPERATIONS) for _ in range(rng.choice((1, 1, 2, 4))))
    return data[:start] + put + data[start + rng.choice((0, 0, 1, len(put))) :]


def other_value(data: bytes, rng: random.Random) -> bytes:
    """A value of MessagePack put in: containers, texts and extensions of odd lengths."""
    start = rng.randrange(len(data))
    kinds = (0x80, 0x8F, 0x90, 0x9F, *range(0xC0, 0xE0))
    put = bytes((rng.choice(kinds),)) + rng.randbytes(rng.choice((0, 1, 2, 4)))
    return data[:start] + put * rng.choice((1, 1, 1, 100)) + data[start + rng.choice((0, 1)) :]


def mutated(data: bytes, rng: random.Random, edits: tuple[Edit, ...] = ()) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice((*GENERAL, *edits * 3))(data or b"\0", rng)
    return data


def index_files() -> list[bytes]:
    places = b'{"metadata": {"total_size": 9}, "weight_map": {"a": "%s", "b": "shard.safetensors"}}'
    names = (b"shard.safetensors", b"../x.safetensors", b"/etc/passwd", b"loop.safetensors")
    return [places % name for name in names]


def framework_files(*suffixes: str) -> Callable[[], list[bytes]]:
    return lambda: [data for name, data in samples().items() if name.endswith(suffixes)]


ROWS = (
    Row(safetensors.FORMAT, ".safetensors", hostility.safetensors_files, (in_header, other_tokens)),
    Row(sharded.FORMAT, ".safetensors.index.json", index_files, (other_tokens,)),
    Row(npz.FORMAT, ".npz", hostility.numpy_files, (in_member,)),
    Row(torch.FORMAT, ".pt", hostility.torch_files, (in_member, other_operation)),
    Row(flax.FORMAT, ".msgpack", hostility.flax_files, (other_value,)),
    Row(keras.FORMAT, ".h5", framework_files(".h5", ".keras"), (in_member,)),
    Row(pickles.FORMAT, ".pkl", framework_files(".pkl"), (other_operation,)),
    Row(onnx.FORMAT, ".onnx", framework_files(".onnx")),
)

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
DEEDS = (
    *(
        "os.",
        "subprocess.",
        "shutil.",
        "socket.",
        "tempfile.",
        "ctypes.",
        "pickle.",
        "code.__new__",
    ),
    *("compile", "exec", "marshal.", "urllib.", "webbrowser.", "pty.", "import"),
)
HARMLESS = ("os.listdir", "os.scandir", "os.walk", "os.fwalk")
_watching: list[list[str]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching:
        written = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES
        if written or (event.startswith(DEEDS) and event not in HARMLESS):
            _watching[-1].append(f"{event} {arguments!r}"[:200])


sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What of writing, starting and importing happens meanwhile."""
    _watching.append([])
    try:
        yield _watching[-1]
    finally:
        _watching.pop()


@contextmanager
def little_memory(room: int = MEMORY) -> Iterator[None]:
    """Addresses for `room` bytes more than there are now, and no more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def entries(tree: Any) -> Iterator[Entry]:
    if isinstance(tree, Entry):
        yield tree
    elif isinstance(tree, Mapping):
        for each in tree.values():
            yield from entries(each)
    elif isinstance(tree, list | tuple):
        for each in tree:
            yield from entries(each)


def outcome(read: Callable[[Path], Any], path: Path) -> str:
    """`read`, or the code of the refusal; raises what must not be raised."""
    try:
        for entry in entries(read(path)):
            array = entry.read()
            if (array.shape, array.dtype) != (entry.shape, entry.dtype):
                raise AssertionError(f"{entry} is {array.shape}, {array.dtype}")
            array.tobytes()
    except WeightsError as error:
        cause = error.__cause__
        codes = {diagnostic.code for diagnostic in error.diagnostics}
        if isinstance(cause, MemoryError | SystemError) or not codes <= CODES:
            raise AssertionError(f"refused for the wrong reason: {cause!r}") from error
        str(error).encode()
        return min(codes)
    return "read"


def tried(read: Callable[[Path], Any], path: Path) -> tuple[str, list[str]]:
    """What came of a file, and what of it must not be."""
    before, found, faults = time.process_time(), "raised", []
    try:
        with watched() as deeds:
            found = outcome(read, path)
    except BaseException:
        faults.append(traceback.format_exc(limit=-4))
    if time.process_time() - before > SLOW:
        faults.append(f"{time.process_time() - before:.1f} s")
    return found, faults + deeds


def pick(row: Row, seeds: list[bytes], seed: str) -> bytes:
    """The file number `seed` of a row, the same each time."""
    rng = random.Random(seed)
    data = rng.choice(seeds)
    if rng.random() < 0.05:
        other = rng.choice(seeds)
        data = data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]
    return mutated(data, rng, row.edits)


def files_in(folder: Path) -> list[tuple[str, int]]:
    return sorted(
        (str(each.relative_to(folder)), each.lstat().st_size) for each in folder.iterdir()
    )


def fuzz(row: Row, seconds: float, start: int = 0, most: int = 1 << 60) -> Result:
    """Files of a row, broken at random, until so many seconds of processor time are over."""
    result, home = Result(), Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        try:
            _fuzz(row, folder, seconds, range(start, start + most), result)
        finally:
            os.chdir(home)
    return result


def _fuzz(row: Row, folder: Path, seconds: float, numbers: range, result: Result) -> None:
    (folder / "shard.safetensors").write_bytes(hostility.safetensors_files()[0])
    with suppress(FileExistsError):
        (folder / "loop.safetensors").symlink_to("loop.safetensors")
    path, seeds = folder / f"file{row.suffix}", row.seeds()
    for seed in seeds:
        path.write_bytes(seed)
        with suppress(WeightsError):
            list(entries(row.format.read(path)))
        format_of(path)
    "\x1b".encode("unicode_escape")
    before, there = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, None
    end = time.process_time() + seconds
    for number in numbers:
        if time.process_time() > end:
            break
        path.write_bytes(pick(row, seeds, f"{row.format.name} {number}"))
        there = files_in(folder)
        read = row.format.read if number % 4 else lambda place: format_of(place).read(place)
        with little_memory():
            found, faults = tried(read, path)
        result.counts[found] += 1
        if files_in(folder) != there:
            faults.append(f"files: {files_in(folder)}")
        result.findings += [f"{row.format.name} {number}: {fault}" for fault in faults]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    if grown > RESIDENT:
        result.findings.append(f"{row.format.name}: {grown} bytes more memory")
