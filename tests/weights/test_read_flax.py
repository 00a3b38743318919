"""Trees of Flax: what is read, and what is refused."""

import struct
from pathlib import Path
from typing import Any

import hostility
import numpy as np
import pytest
from readings import refused, written

from codsl.weights.entry import Entry
from codsl.weights.formats import flax as reader


def plain(tree: Any) -> Any:
    """The tree with lists for its arrays."""
    if isinstance(tree, Entry):
        array = tree.read()
        assert (array.shape, array.dtype) == (tree.shape, tree.dtype)
        return array.astype(float).tolist()
    return {name: plain(each) for name, each in tree.items()} if isinstance(tree, dict) else tree


def test_what_flax_wrote() -> None:
    tree: Any = reader.read(hostility.FILES / "tree.msgpack")
    assert tree["params"]["conv"]["bias"].dtype.name == "bfloat16"
    assert plain(tree) == {
        "params": {
            "conv": {"kernel": np.arange(12.0).reshape(3, 2, 2).tolist(), "bias": [1.5, -2.0]},
            "large": {"kernel": np.arange(40.0).reshape(8, 5).tolist()},
        },
        "batch_stats": {"norm": {"mean": [0.25, 0.5]}},
        **{"step": 7, "rate": 0.1, "name": "tiny", "none": None, "flag": True},
        **{"scalar": 2.5, "turn": 1 + 2j, "pair": {"0": [1.0, 2.0], "1": []}},
    }


def test_what_flax_writes(tmp_path: Path) -> None:
    serialization = pytest.importorskip("flax.serialization", reason="Flax is not installed")
    rng = np.random.default_rng(0)
    names = ["bool", "int8", "uint64", "float16", "float32", "float64", "complex64"]
    arrays = {name: rng.standard_normal((2, 3)).astype(name) for name in names if name[0] != "c"}
    tree = {"a": {"b": arrays, "c": [np.float32(1.5), 2, "x" * 300]}, "n": -(2**40)}
    tree["many"] = {str(i): np.full(i, i, np.int16) for i in range(70)}
    path = written(tmp_path, serialization.to_bytes(tree), "a.msgpack")
    read: Any = reader.read(path)
    for name, array in arrays.items():
        np.testing.assert_array_equal(read["a"]["b"][name].read(), array, strict=True)
    assert plain(read["a"]["c"]) == {"0": 1.5, "1": 2, "2": "x" * 300}
    assert [plain(read["many"][str(i)]) for i in range(70)] == [[i] * i for i in range(70)]
    assert read["n"] == -(2**40)


def text(value: str) -> bytes:
    return bytes((0xA0 + len(value),)) + value.encode()


def octets(content: bytes) -> bytes:
    return b"\xc6" + struct.pack(">I", len(content)) + content


def extension(code: int, content: bytes) -> bytes:
    return b"\xc9" + struct.pack(">IB", len(content), code) + content


def array(shape: bytes, dtype: bytes = text("float32"), content: bytes = bytes(8)) -> bytes:
    return extension(1, b"\x93" + shape + dtype + octets(content))


def tree(value: bytes, name: str = "a") -> bytes:
    return b"\x81" + text(name) + value


def whole(number: int) -> bytes:
    return b"\xcf" + struct.pack(">Q", number)


def in_pieces(shape: bytes, chunks: bytes) -> bytes:
    return (
        b"\x83\xb9__msgpack_chunked_array__\xc3" + text("shape") + shape + text("chunks") + chunks
    )


ONE = b"\x91\x02"
PIECES = b"\x82" + text("0") + array(ONE) + text("1") + array(ONE)

WRONG: dict[str, tuple[str, str, bytes]] = {
    "empty": ("E0601", "cut short", b""),
    "a number": ("E0601", "no tree", b"\x07"),
    "bytes left": ("E0601", "1 bytes follow", tree(b"\x01") + b"\x01"),
    "what is never used": ("E0601", "begins no value", tree(b"\xc1")),
    "2^32 pairs": ("E0603", "4294967295 parts", b"\xdf\xff\xff\xff\xff"),
    "2^32 items": ("E0603", "4294967295 parts", tree(b"\xdd\xff\xff\xff\xff")),
    "4 GB of text": ("E0603", "4294967295 parts", tree(b"\xdb\xff\xff\xff\xff")),
    "4 GB of bytes": ("E0603", "4294967295 parts", tree(b"\xc6\xff\xff\xff\xff")),
    "4 GB of array": ("E0603", "4294967295 parts", tree(b"\xc9\xff\xff\xff\xff\x01")),
    "deep": ("E0603", "64 levels", b"\x81\x01" * 99 + b"\x01"),
    "deep lists": ("E0603", "64 levels", tree(b"\x91" * 99999)),
    "millions": (
        "E0603",
        "1000000 values",
        tree(b"\xdd" + struct.pack(">I", 1100000) + bytes(1100000)),
    ),
    "a list for a name": ("E0601", "neither text nor number", b"\x81\x90\x01"),
    "a name twice": ("E0601", "there twice", b"\x82" + tree(b"\x01")[1:] * 2),
    "an escape in a name": ("E0601", "be shown", tree(b"\x01", "\x1b")),
    "no UTF-8": ("E0601", "UTF-8", b"\x81\xa1\xff\x01"),
    "a long text": (
        "E0603",
        "a text of",
        tree(b"\xdb" + struct.pack(">I", 2 << 20) + bytes(2 << 20)),
    ),
    "a kind of its own": ("E0601", "kind 42", tree(extension(42, b"a"))),
    "30 GB": ("E0603", "bytes, and 8 are there", tree(array(b"\x91" + whole(30 << 28)))),
    "2^64 numbers": ("E0603", "counted", tree(array(b"\x92" + whole(1 << 32) * 2))),
    "0 times 2^62": ("E0603", "counted", tree(array(b"\x92\0" + whole(1 << 62), content=b""))),
    "a negative size": ("E0601", "no list of sizes", tree(array(b"\x91\xff"))),
    "a broken size": ("E0601", "no list of sizes", tree(array(b"\x91\xcb" + bytes(8)))),
    "33 dimensions": ("E0601", "not as Flax", tree(array(b"\xdc\x00\x21" + b"\x01" * 33))),
    "too many bytes": ("E0601", "and 8 are there", tree(array(b"\x91\x01"))),
    "objects": ("E0601", "dtype 'object'", tree(array(ONE, text("object")))),
    "less than a byte": ("E0601", "dtype 'int4'", tree(array(ONE, text("int4")))),
    "a dtype that is a list": ("E0601", "dtype", tree(array(ONE, b"\x90"))),
    "an array in a shape": ("E0601", "not as Flax", tree(array(array(ONE)))),
    "two parts": ("E0601", "not as Flax", tree(extension(1, b"\x92" + ONE + text("int8")))),
    "an array of nothing": ("E0601", "cut short", tree(extension(1, b""))),
    "a complex of one": ("E0601", "", tree(extension(2, b"\x91\x01"))),
    "pieces that are none": ("E0601", "not as Flax", tree(in_pieces(tree(b"\x04", "0"), b"\x80"))),
    "pieces of another size": ("E0603", "its pieces", tree(in_pieces(tree(b"\x05", "0"), PIECES))),
    "pieces of 30 GB": (
        "E0603",
        "its pieces",
        tree(in_pieces(tree(whole(30 << 28), "0"), PIECES)),
    ),
    "pieces with no shape": ("E0601", "no list of sizes", tree(in_pieces(b"\x01", PIECES))),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused(tmp_path: Path, name: str) -> None:
    code, words, content = WRONG[name]
    found, message = refused(reader.read, written(tmp_path, content, "a.msgpack"))
    assert (found, words in message) == (code, True), message


def test_pieces_are_joined(tmp_path: Path) -> None:
    path = written(tmp_path, tree(in_pieces(tree(b"\x04", "0"), PIECES)), "a.msgpack")
    assert plain(reader.read(path)) == {"a": [0.0] * 4}


def test_every_part_of_a_file_is_refused(tmp_path: Path) -> None:
    content = (hostility.FILES / "tree.msgpack").read_bytes()
    for length in range(len(content)):
        path = written(tmp_path, content[:length], "a.msgpack")
        assert refused(reader.read, path)[0] in ("E0601", "E0603")
