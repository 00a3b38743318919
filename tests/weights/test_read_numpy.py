"""Arrays of NumPy: what is read, and what is refused."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hostility
import ml_dtypes
import numpy as np
import pytest
from hostility import archive, claiming, npy, npz
from readings import refused, written

from codsl.weights.formats import npz as reader
from codsl.weights.refusal import WeightsError


def test_what_numpy_wrote(tmp_path: Path) -> None:
    arrays = {
        **hostility.ARRAYS,
        "turned": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
        "strided": np.arange(12)[::-2],
        "none": np.zeros((0, 3), np.complex64),
    }
    for compressed in (False, True):
        tree: Any = reader.read(written(tmp_path, npz(compressed, **arrays, words=np.array(["x"]))))
        assert set(tree) == set(arrays)
        for name, array in arrays.items():
            assert (tree[name].shape, tree[name].dtype) == (
                array.shape,
                array.dtype.newbyteorder("="),
            )
            assert tree[name].dtype.isnative
            np.testing.assert_array_equal(tree[name].read(), array)


DTYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
]


@pytest.mark.parametrize("name", [*DTYPES, "complex64", "complex128"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_single_array(tmp_path: Path, name: str, order: Any) -> None:
    array = np.arange(6).astype(name).reshape(2, 3, order=order)
    tree: Any = reader.read(written(tmp_path, npy(array)))
    np.testing.assert_array_equal(tree.read(), array, strict=True)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_versions_of_the_format(tmp_path: Path, version: Any) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.arange(4), version=version)
    tree: Any = reader.read(written(tmp_path, stream.getvalue()))
    assert tree.read().tolist() == [0, 1, 2, 3]


def test_what_python_2_wrote(tmp_path: Path) -> None:
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1L, 3L), }   \n"
    tree: Any = reader.read(written(tmp_path, claiming(text)))
    assert tree.shape == (1, 3)


def test_zeros_are_read_up_to_the_limit(tmp_path: Path) -> None:
    zeros = np.zeros(8 << 20, np.uint8)
    tree: Any = reader.read(written(tmp_path, npz(True, a=zeros)))
    assert tree["a"].read().sum() == 0


def header(descr: str = "'<f8'", fortran: str = "False", shape: str = "(3,)") -> bytes:
    return claiming(f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n")


def pretending(content: bytes, size: int) -> bytes:
    """The archive, whose directory says of its first member that it has `size` bytes."""
    place = content.rindex(b"PK\1\2")
    return content[: place + 24] + struct.pack("<I", size) + content[place + 28 :]


def flagged(content: bytes, offset: int, value: int) -> bytes:
    place = content.rindex(b"PK\1\2") + offset
    return content[:place] + struct.pack("<H", value) + content[place + 2 :]


def beginning(content: bytes, start: int) -> bytes:
    """The archive, whose directory says in 64 bits where its only member begins."""
    place, end = content.rindex(b"PK\1\2"), content.rindex(b"PK\5\6")
    entry = bytearray(content[place:end] + struct.pack("<2HQ", 1, 8, start))
    entry[30:32], entry[42:46] = struct.pack("<H", 12), b"\xff" * 4
    rest = content[end : end + 12] + struct.pack("<I", len(entry)) + content[end + 16 :]
    return content[:place] + bytes(entry) + rest


def twice() -> bytes:
    return archive({"a.npy": npy(1.0), "b.npy": npy(2.0)}).replace(b"b.npy", b"a.npy")


def nested_bomb() -> bytes:
    return archive({f"{i}.npy": npy(np.zeros(16 << 20, np.uint8)) for i in range(17)}, 8)


OBJECTS = npy(np.array([hostility.Calls()], object), allow_pickle=True)
RECORDS = np.zeros(2, [("a", "f4"), ("b", "O")])
ONE = archive({"a.npy": npy(np.arange(3.0))})
PACKED = archive({"a.npy": npy(np.zeros(999))}, zipfile.ZIP_DEFLATED)

WRONG: dict[str, tuple[str, str, bytes | Callable[[], bytes]]] = {
    "empty": ("E0601", "cut short", b""),
    "objects": ("E0602", "array of objects", OBJECTS),
    "objects in an archive": ("E0602", "array of objects", archive({"a.npy": OBJECTS})),
    "a pickle": ("E0601", "no array of NumPy", pickle.dumps(hostility.Calls())),
    "a pickle in an archive": (
        "E0601",
        "no array of NumPy",
        archive({"a.npy": pickle.dumps(hostility.Calls())}),
    ),
    "records": ("E0601", "records", npy(RECORDS, allow_pickle=True)),
    "void": ("E0601", "V2`", npy(np.zeros(2, ml_dtypes.bfloat16))),
    "words": ("E0601", "texts or times", npy(np.array(["a"]))),
    "a dtype that runs": ("E0601", "does not write", header("__import__('os').getcwd()")),
    "an escape": ("E0601", "does not write", header("'<f\\x38'")),
    "longdouble": ("E0601", "`<f16`", header("'<f16'")),
    "99999 bits": ("E0601", "dtype", header("'<f" + "9" * 5000 + "'")),
    "30 GB": ("E0603", "claims 32212254720 bytes, and 24", header(shape=f"({30 << 27},)")),
    "30 GB in an archive": (
        "E0603",
        "and 24 are there",
        archive({"a.npy": header(shape=f"({30 << 27},)")}),
    ),
    "2^64 numbers": ("E0603", "counted", header(shape=f"({1 << 32}, {1 << 32})")),
    "0 times 2^62": ("E0603", "counted", header(shape=f"(0, {1 << 62})")),
    "33 dimensions": ("E0601", "33 dimensions", header(shape="(" + "1," * 33 + ")")),
    "a negative size": ("E0601", "does not write", header(shape="(-3,)")),
    "a size that is called": ("E0601", "does not write", header(shape="(int(3),)")),
    "no shape": ("E0601", "does not write", header(shape="None")),
    "brackets": ("E0601", "does not write", header("'<f8'", "(" * 4000)),
    "neither order": ("E0601", "does not write", header(fortran="0")),
    "bytes left": ("E0601", "8 bytes after", header(shape="(2,)")),
    "a version of its own": ("E0601", "no array", b"\x93NUMPY\x07\x00" + bytes(99)),
    "a long header": ("E0603", "65535 bytes", b"\x93NUMPY\x01\x00\xff\xff" + bytes(99)),
    "4 GB of header": ("E0603", "header of 4", b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(9)),
    "no arrays": ("E0601", "no arrays", archive({"a.txt": b"a"})),
    "an empty archive": ("E0601", "no array", archive({})),
    "a name twice": ("E0601", "there twice", twice()),
    "a name in two sizes": (
        "E0601",
        "there twice",
        archive({"a.npy": npy(1.0), "A.npy": npy(2.0)}),
    ),
    "a name that climbs": ("E0602", "leads out", archive({"../a.npy": npy(1.0)})),
    "a name from the root": ("E0602", "leads out", archive({"/a.npy": npy(1.0)})),
    "a name of a drive": ("E0602", "leads out", archive({"C:\\a.npy": npy(1.0)})),
    "a name that hides": ("E0601", "be shown", archive({"a\u202e.npy": npy(1.0)})),
    "encrypted": ("E0601", "encrypted", flagged(ONE, 8, 1)),
    "lzma": ("E0601", "odd way", archive({"a.npy": npy(1.0)}, zipfile.ZIP_LZMA)),
    "bzip2": ("E0601", "odd way", archive({"a.npy": npy(1.0)}, zipfile.ZIP_BZIP2)),
    "two sizes": ("E0601", "two sizes", pretending(ONE, 10)),
    "a member beyond the end": ("E0601", "not where it says", beginning(ONE, 1 << 40)),
    "a member beyond all files": ("E0601", "not where it says", beginning(ONE, (1 << 63) + 1)),
    "an array of zeros": ("E0603", "when expanded", pretending(PACKED, 300 << 20)),
    "a bomb": ("E0603", "when expanded", nested_bomb),
    "a prefix": ("E0601", "no array of NumPy", b"GIF89a" + ONE),
    "a suffix": ("E0601", "cut short", ONE + b"GIF89a"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, words, content = WRONG[name]
    given = content() if callable(content) else content
    found, message = refused(reader.read, written(tmp_path, given))
    assert (found, words in message) == (code, True), message
    assert not (tmp_path / "canary").exists()


def test_the_canary_would_sing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.load(written(tmp_path, OBJECTS), allow_pickle=True)
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "content", [ONE, PACKED, npy(np.arange(3.0))], ids=["zip", "deflate", "npy"]
)
def test_every_part_of_a_file_is_refused(tmp_path: Path, content: bytes) -> None:
    for length in range(len(content)):
        assert refused(reader.read, written(tmp_path, content[:length]))[0] in ("E0601", "E0603")


@pytest.mark.parametrize("content", [ONE, PACKED], ids=["zip", "deflate"])
def test_numbers_that_do_not_match_their_checksum_are_refused(
    tmp_path: Path, content: bytes
) -> None:
    place = content.index(b"PK\1\2") - 9
    path = written(tmp_path, content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
    with pytest.raises(WeightsError, match="CRC"):
        _ = [entry.read() for entry in reader.read(path).values()]  # type: ignore[union-attr]


def test_a_member_that_expands_to_less_than_it_says_is_refused(tmp_path: Path) -> None:
    text = "{'descr': '|u1', 'fortran_order': False, 'shape': (200000000,), }"
    head = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()
    content = archive({"a.npy": head + bytes(99)}, zipfile.ZIP_DEFLATED)
    path = written(tmp_path, pretending(content, len(head) + 200_000_000))
    tree: Any = reader.read(path)
    assert refused(lambda _: tree["a"].read(), path)[0] == "E0601"
