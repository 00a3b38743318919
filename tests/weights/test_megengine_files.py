"""Pickles of MegEngine: its own files, every protocol, whole modules, and what is refused."""

from __future__ import annotations

import os
import pickle
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import readings

from codsl.weights.entry import Entry
from codsl.weights.formats.pickles import FORMAT, is_one, read
from codsl.weights.refusal import WeightsError
from weights.samples_frameworks import FILES, state

WRITTEN = FILES / "megengine"


code = partial(readings.code, read)


def refused(path: Path, data: bytes, **options: Any) -> tuple[str, str]:
    path.write_bytes(data)
    return code(path, **options)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.pkl"


def test_a_state_dict_as_megengine_wrote_it() -> None:
    tree = FORMAT.read(WRITTEN / "net_state_dict_proto4.pkl")
    assert isinstance(tree, dict)
    assert tree["body.conv.weight"].shape == (2, 2, 2, 3, 3)
    assert tree["stem.conv.bias"].shape == (1, 4, 1, 1)
    assert tree["head.fc.weight"].read().tolist() == [[-2, 1, -1], [2, 0, -2]]
    assert len(tree) == 17
    assert {entry.dtype for entry in tree.values()} == {np.dtype("f4")}


def test_tensors_and_parameters_of_every_dtype() -> None:
    tree = FORMAT.read(WRITTEN / "tensor_dtypes.pkl")
    assert isinstance(tree, dict)
    found = {name: (str(entry.dtype), entry.shape) for name, entry in tree.items()}
    assert found == {
        "f16": ("float16", (4,)),
        "i8": ("int8", (4,)),
        "b": ("bool", (2,)),
        "s": ("float32", ()),
        "p": ("float32", (4,)),
    }
    assert tree["s"].read() == 3
    assert tree["b"].read().tolist() == [True, False]


def test_a_whole_module_is_refused_and_its_arrays_are_there_for_who_asks() -> None:
    path = WRITTEN / "conv3d_groups2_whole_module.pkl"
    found, message = code(path)
    assert found == "E0602"
    assert "`megengine.module.conv.Conv3d`" in message
    assert "net.state_dict()" in message
    tree = read(path, modules=True)
    assert isinstance(tree, dict)
    shapes = {name: each.shape for name, each in tree.items() if isinstance(each, Entry)}
    assert shapes == {"weight": (2, 3, 2, 2, 3, 1), "bias": (1, 6, 1, 1, 1)}


def same(tree: Any, value: Any) -> None:
    if isinstance(tree, Entry):
        read = tree.read()
        assert tree.shape == read.shape == np.shape(value)
        assert tree.dtype == read.dtype
        np.testing.assert_array_equal(read, value)
    elif isinstance(value, dict):
        assert list(tree) == list(value)
        for key in value:
            same(tree[key], value[key])
    elif isinstance(value, list | tuple | set):
        assert len(tree) == len(value)
        for one, other in zip(tree, value, strict=True):
            same(one, other)
    else:
        assert tree == value


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_reads_as_pickle_itself_does(file: Path, protocol: int) -> None:
    held = {**state(), "half": np.ones(3, ml_dtypes.bfloat16)}
    file.write_bytes(pickle.dumps(held, protocol))
    same(read(file), held)


def test_quantised_arrays_are_their_integers(file: Path) -> None:
    kind = np.dtype("i1", metadata={"mgb_dtype": {"name": "Quantized8Asymm", "scale": 0.5}})
    file.write_bytes(pickle.dumps({"w": np.array([-3, 4], kind)}, 4))
    same(read(file), {"w": np.array([-3, 4], "i1")})


def test_an_array_under_two_names_is_one_entry(file: Path) -> None:
    array = np.ones(2)
    file.write_bytes(pickle.dumps({"a": array, "b": [array]}))
    tree = read(file)
    assert isinstance(tree, dict)
    assert tree["a"] is tree["b"][0]


class Caller:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def hostile() -> Iterator[tuple[str, bytes]]:
    system = b"cos\nsystem\n"
    args = b"(S'echo'\ntR."
    text = b"X\x04\0\0\0echo"
    yield "reduce", pickle.dumps(Caller(exec, "raise SystemExit"))
    yield "reduce, by hand", system + b"(" + text + b"tR."
    yield "inst", b"(" + text + b"ios\nsystem\n."
    yield "obj", b"(" + system + text + b"o."
    yield "newobj", b"\x80\x02" + system + b")\x81."
    yield "newobj with arguments by name", b"\x80\x04" + system + b")}\x92."
    yield "ext1", b"\x80\x02\x82\x01)R."
    yield "ext2", b"\x80\x02\x83\x01\x00)R."
    yield "ext4", b"\x80\x02\x84\x01\x00\x00\x00)R."
    yield "persid", b"Pname\n."
    yield "binpersid", b"\x80\x02K\x01Q."
    yield "next buffer", b"\x80\x05\x97."
    yield "getattr", b"c__builtin__\ngetattr\n(" + text + text + b"tR."
    yield "eval", b"c__builtin__\neval\n" + args
    yield "attrgetter", pickle.dumps(__import__("operator").attrgetter("system"))
    yield "dotted", b"\x80\x04\x8c\x05numpy\x8c\x0adtype.type\x93)R."
    yield "dotted, of a module", b"\x80\x04\x8c\x02os\x8c\x06system\x93)R."
    yield "a call for a name", b"cnumpy\ndtype\ncnumpy\ndtype\n\x85\x85R."
    yield "what is built calls", b"cnumpy\ndtype\n}b."
    yield "state of a list", b"\x80\x02]}b."
    yield "objects", pickle.dumps({"a": np.array([{}, 1], object)})
    yield "records", pickle.dumps({"a": np.zeros(2, "i4,f4")})
    yield "codec", b"c_codecs\nencode\n(X\x01\0\0\0aX\x05\0\0\0rot13tR."
    yield "loads", b"c_pickle\nloads\n(C\x01.tR."


@pytest.mark.parametrize(("name", "data"), list(hostile()), ids=[name for name, _ in hostile()])
@pytest.mark.parametrize("modules", [False, True])
def test_nothing_is_run(
    file: Path, name: str, data: bytes, modules: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[object] = []
    monkeypatch.setattr(os, "system", ran.append)
    found, _ = refused(file, data, modules=modules)
    assert (
        found in ("E0601", "E0602") if modules or name == "a call for a name" else found == "E0602"
    )
    assert ran == []


def test_poisoned_attributes_stay_data(file: Path) -> None:
    poison = b"X\x09\0\0\0__class__cos\nsystem\nX\x08\0\0\0__dict__}X\x0c\0\0\0__setstate__K\x01"
    file.write_bytes(b"\x80\x02cnet\nNet\n)\x81}(" + poison + b"ub.")
    assert code(file)[0] == "E0602"
    tree = read(file, modules=True)
    assert isinstance(tree, dict)
    assert tree["__class__"] is None
    assert tree["__setstate__"] == 1


def numbers(shape: bytes, data: bytes, kind: bytes = b"f4") -> bytes:
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
    dtype = b"cnumpy\ndtype\n(X" + struct.pack("<I", len(kind)) + kind + b"I00\nI01\ntR"
    return b"\x80\x03" + made + b"(K\x01" + shape + dtype + b"\x89" + data + b"tb."


BIG = 30 << 30

CLAIMS = {
    "bytes": ("E0603", b"\x80\x04\x8e" + struct.pack("<Q", BIG) + b"xxx."),
    "byte array": ("E0603", b"\x80\x05\x96" + struct.pack("<Q", BIG) + b"xxx."),
    "text": ("E0603", b"\x80\x04\x8d" + struct.pack("<Q", BIG) + b"xxx."),
    "frame": ("E0603", b"\x80\x04\x95" + struct.pack("<Q", BIG) + b"N."),
    "integer": ("E0603", b"\x80\x02\x8b" + struct.pack("<i", 1 << 30) + b"xxx."),
    "negative integer": ("E0603", b"\x80\x02\x8b" + struct.pack("<i", -5) + b"xxx."),
    "digits": ("E0601", b"I" + b"9" * 10**6 + b"\n."),
    "array": ("E0603", numbers(b"J" + struct.pack("<i", 1 << 30) + b"\x85", b"C\x04abcd")),
    "array of none": ("E0603", numbers(b"K\0\x8a\x09" + bytes(8) + b"\1\x86", b"C\0")),
    "negative array": ("E0601", numbers(b"J" + struct.pack("<i", -1) + b"\x85", b"C\x04abcd")),
    "array too short": ("E0601", numbers(b"K\x01\x85", b"C\x08abcdefgh")),
    "array of text": ("E0602", numbers(b"K\x01\x85", b"X\x04\0\0\0abcd")),
    "array of pointers": ("E0602", numbers(b"K\x01\x85", b"C\x08abcdefgh", b"O8")),
    "memo": ("E0601", b"\x80\x02}r\xff\xff\xff\xffj\xfe\xff\xff\xff."),
    "negative memo": ("E0601", b"}p-1\n."),
    "opcodes": ("E0603", b"}" + b"N0" * 1_000_001 + b"."),
    "itself": ("E0601", b"\x80\x02]q\x00h\x00a."),
    "deep": ("E0601", b"]" * 5000 + b"a" * 4999 + b"."),
    "deep tuples": ("E0601", b"\x80\x02N" + b"\x85" * 100_000 + b"."),
    "key": ("E0601", b"\x80\x02})N s.".replace(b" ", b"")),
    "nothing": ("E0601", b"."),
    "no end": ("E0601", b"}"),
    "later protocol": ("E0601", b"\x80\x06}."),
    "empty": ("E0601", b""),
    "a number": ("E0601", b"K\x01."),
    "line": ("E0601", b"c" + b"x" * 10**6),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_and_riddles_are_refused(file: Path, name: str) -> None:
    wanted, data = CLAIMS[name]
    assert refused(file, data)[0] == wanted


def test_the_same_bytes_are_no_two_arrays(file: Path) -> None:
    held = b"\x80\x03B" + struct.pack("<I", 800) + bytes(800) + b"q\x000]("
    array = numbers(b"K\x64\x85", b"h\x00", b"f8")[2:-1]
    file.write_bytes(held + array + b"e.")
    same(read(file), [np.zeros(100)])
    whole = held + array * 8 + b"e."
    assert refused(file, whole)[0] == "E0603"


def test_laughing_containers_take_no_room(file: Path) -> None:
    file.write_bytes(b"\x80\x02]q\x00" + b"](h\x00h\x00eq\x00" * 60 + b".")
    tree = read(file)
    for _ in range(60):
        assert isinstance(tree, list)
        assert tree[0] is tree[1]
        tree = tree[0]
    assert refused(file, b"\x80\x02]q\x00" + b"](h\x00h\x00eq\x00" * 200 + b".")[0] == "E0601"


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_file_cut_anywhere_is_refused(file: Path, protocol: int) -> None:
    whole = pickle.dumps(state(), protocol)
    for end in range(len(whole)):
        file.write_bytes(whole[:end])
        with pytest.raises(WeightsError):
            read(file)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pkl", tmp_path):
        assert code(path)[0] == "E0601"


def test_how_pickles_begin() -> None:
    assert all(is_one(pickle.dumps(state(), protocol)[:64]) for protocol in range(6))
    assert not is_one(pickle.dumps(0x1950A86A20F9469CFC6C, 2))
    assert not is_one(b"PK\3\4")
