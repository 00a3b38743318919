"""Files of safetensors, whole and in shards: what is read, and what is refused."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import hostility
import ml_dtypes
import numpy as np
import pytest
import safetensors.torch
import torch
from readings import refused, written

from codsl.weights.entry import Entry
from codsl.weights.formats import safetensors as reader
from codsl.weights.formats import sharded

NUMBERS = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([True, False]), **hostility.NARROW}


def test_what_numpy_wrote(tmp_path: Path) -> None:
    path = written(tmp_path, hostility.safetensors_files()[0])
    tree: Any = reader.read(path)
    assert set(tree) == set(NUMBERS)
    for name, array in NUMBERS.items():
        assert (tree[name].shape, tree[name].dtype) == (array.shape, array.dtype)
        np.testing.assert_array_equal(tree[name].read(), array, strict=True)
    assert reader.metadata(path) == {"format": "np"}


TORCH = ["float64", "float16", "bfloat16", "uint16", "uint32", "uint64", "complex64"]
TORCH += ["int8", "uint8", "int16", "int32", "bool", "float8_e4m3fn", "float8_e5m2"]


@pytest.mark.parametrize("name", TORCH)
def test_what_torch_wrote(tmp_path: Path, name: str) -> None:
    tensor = torch.tensor([0.0, 1.5, -2.0, 3.0]).abs().to(getattr(torch, name)).reshape(2, 2)
    path = tmp_path / "a.safetensors"
    safetensors.torch.save_file({"x": tensor, "none": tensor[:0]}, path)
    tree: Any = reader.read(path)
    assert tree["x"].dtype.name == name
    assert tree["none"].read().shape == (0, 2)
    assert tree["x"].read().tobytes() == bytes(tensor.view(torch.uint8).reshape(-1).tolist())


def test_one_tensor_at_a_time_is_in_memory(tmp_path: Path) -> None:
    size = 4 << 20
    numbers = {f"t{i}": np.full(size // 4, i, np.float32) for i in range(8)}
    path = written(tmp_path, safetensors.numpy.save(numbers))
    del numbers
    tracemalloc.start()
    try:
        tree: Any = reader.read(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        for i, entry in enumerate(tree.values()):
            assert entry.read()[-1] == float(list(tree)[i][1:])
        assert tracemalloc.get_traced_memory()[1] < size + (2 << 20)
    finally:
        tracemalloc.stop()


def said(
    dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8), **more: Any
) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


make = hostility.tensors_of_json
EIGHT = bytes(8)
WRONG: dict[str, tuple[str, str, bytes]] = {
    "empty": ("E0601", "cut short", b""),
    "a header of 2^63 bytes": ("E0603", "in a file of", make({}, length=1 << 63)),
    "a header longer than the file": ("E0603", "in a file of 18", make({}, EIGHT, 11)),
    "no JSON": ("E0601", "no proper JSON", make(b"{a")),
    "a list": ("E0601", "does not begin", make(b"[1]")),
    "a space first": ("E0601", "does not begin", make(b" {}")),
    "deep": ("E0601", "no proper JSON", make(b'{"a":' + b"[" * 99999 + b"]" * 99999 + b"}")),
    "no text": ("E0601", "no proper JSON", make(b'{"\xff":1}')),
    "a name twice": ("E0601", "'a' is there twice", make(b'{"a":1,"a":2}')),
    "a key twice": ("E0601", "twice", make(b'{"a":{"dtype":"F32","dtype":"F32"}}')),
    "metadata of numbers": ("E0601", "no strings", make({"__metadata__": {"a": 1}})),
    "metadata that are none": ("E0601", "no strings", make({"__metadata__": []})),
    "no offsets": ("E0601", "not said", make({"a": {"dtype": "F32", "shape": []}})),
    "a key too many": ("E0601", "not said", make({"a": said(strides=[1])}, EIGHT)),
    "an odd dtype": ("E0601", "'F99'", make({"a": said("F99")}, EIGHT)),
    "a dtype of less than a byte": ("E0601", "'F4'", make({"a": said("F4", (16,))}, EIGHT)),
    "a negative size": ("E0601", "no list of sizes", make({"a": said(shape=[-2])}, EIGHT)),
    "a broken size": ("E0601", "no list of sizes", make({"a": said(shape=[2.0])}, EIGHT)),
    "a true size": ("E0601", "no list of sizes", make({"a": said(shape=[True])}, EIGHT)),
    "many dimensions": ("E0601", "33 dimensions", make({"a": said(shape=[1] * 33)}, EIGHT)),
    "2^64 numbers": ("E0603", "be counted", make({"a": said(shape=[1 << 32, 1 << 32])}, EIGHT)),
    "0 times 2^80": ("E0603", "be counted", make({"a": said(shape=[0, 1 << 80], offsets=[0, 0])})),
    "30 GB": ("E0603", "in a file", make({"a": said(shape=[30 << 28])}, EIGHT)),
    "30 GB, offsets too": (
        "E0603",
        "and 8 are there",
        make({"a": said(shape=[30 << 28], offsets=[0, 30 << 30])}, EIGHT),
    ),
    "another shape": ("E0601", "takes 12 bytes", make({"a": said(shape=[3])}, EIGHT)),
    "offsets backwards": ("E0601", "takes 8 bytes", make({"a": said(offsets=[8, 0])}, EIGHT)),
    "a gap": ("E0601", "gap", make({"a": said(offsets=[8, 16])}, bytes(16))),
    "an overlap": (
        "E0601",
        "overlaps",
        make({"a": said(), "b": said(offsets=[4, 12])}, bytes(12)),
    ),
    "bytes left": ("E0601", "1 bytes after", make({"a": said()}, bytes(9))),
    "bytes missing": ("E0603", "cut short", make({"a": said()}, bytes(7))),
    "an escape in a name": ("E0601", "be shown", make({"a\x1b[31m": said()}, EIGHT)),
    "half a letter in a name": ("E0601", "be shown", make({"a\ud800": said()}, EIGHT)),
    "5,000 digits": ("E0601", "JSON", make(b'{"a":' + b"9" * 5000 + b"}")),
    "5,000,000 values": ("E0603", "values", make(b'{"a":[' + b"0," * 5_000_000 + b"0]}")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused(tmp_path: Path, name: str) -> None:
    code, words, content = WRONG[name]
    found, message = refused(reader.read, written(tmp_path, content))
    assert found == code
    assert words in message


def test_every_part_of_a_file_is_refused(tmp_path: Path) -> None:
    whole = hostility.safetensors_files()[0]
    for length in range(len(whole)):
        code, _ = refused(reader.read, written(tmp_path, whole[:length]))
        assert code in ("E0601", "E0603")


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, hostility.safetensors_files()[0])
    entry = reader.read(path)["a"]  # type: ignore[index,call-overload]
    path.write_bytes(path.read_bytes() + b"\0")
    code, message = refused(lambda _: entry.read(), path)
    assert (code, "changed" in message) == ("E0601", True)


def shards(folder: Path, **places: str) -> Path:
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps(index))
    return path


def test_shards_are_read_as_one(tmp_path: Path) -> None:
    written(tmp_path, safetensors.numpy.save({"a": np.arange(3.0)}), "1.safetensors")
    torch.save({"b": torch.ones(2)}, tmp_path / "2.bin")
    tree: Any = sharded.read(shards(tmp_path, b="2.bin", a="1.safetensors"))
    assert list(tree) == ["b", "a"]
    assert [tree[name].read().tolist() for name in "ab"] == [[0, 1, 2], [1, 1]]


def test_shards_in_a_store_that_the_folder_links_to(tmp_path: Path) -> None:
    """As hubs keep them: every name of a snapshot is a link into one folder of contents."""
    store, snapshot = tmp_path / "blobs", tmp_path / "snapshots"
    store.mkdir()
    snapshot.mkdir()
    written(store, safetensors.numpy.save({"a": np.arange(3.0)}), "f00")
    shards(store, a="1.safetensors").rename(store / "f01")
    (snapshot / "1.safetensors").symlink_to("../blobs/f00")
    (snapshot / "i.safetensors.index.json").symlink_to("../blobs/f01")
    tree: Any = sharded.read(snapshot / "i.safetensors.index.json")
    assert tree["a"].read().tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("place", "code", "words"),
    [
        ("../out.safetensors", "E0602", "not beside"),
        ("/etc/passwd", "E0602", "not beside"),
        ("in/out.safetensors", "E0602", "not beside"),
        ("in\\out.safetensors", "E0602", "not beside"),
        ("C:out.safetensors", "E0602", "not beside"),
        ("..", "E0602", "not beside"),
        ("", "E0602", "not beside"),
        ("link.safetensors", "E0602", "link out of the folder"),
        ("1.npz", "E0601", "no kind that a shard can be"),
        ("1.safetensors", "E0601", "tensor `x` is not in"),
    ],
)
def test_a_shard_that_is_not_beside_is_refused(
    tmp_path: Path, place: str, code: str, words: str
) -> None:
    folder = tmp_path / "model"
    (folder / "in").mkdir(parents=True)
    for where in (tmp_path, folder / "in"):
        written(where, safetensors.numpy.save({"x": np.ones(1)}), "out.safetensors")
    written(folder, safetensors.numpy.save({"a": np.ones(1)}), "1.safetensors")
    written(folder, hostility.npz(x=np.ones(1)), "1.npz")
    (folder / "link.safetensors").symlink_to(tmp_path / "out.safetensors")
    found, message = refused(sharded.read, shards(folder, x=place))
    assert (found, words in message) == (code, True)


@pytest.mark.parametrize("text", ["{}", '{"weight_map": []}', '{"weight_map": {"a": 1}}', "[", "1"])
def test_an_index_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(text)
    assert refused(sharded.read, path)[0] == "E0601"


def test_a_view_of_memory_is_an_entry() -> None:
    array = np.zeros((2, 3), ml_dtypes.bfloat16)
    entry = Entry.of(array)
    assert (entry.shape, entry.nbytes, entry.read() is array) == ((2, 3), 12, True)


def test_files_are_closed(tmp_path: Path) -> None:
    path = written(tmp_path, hostility.safetensors_files()[0])
    before = len(list(Path("/proc/self/fd").iterdir()))
    tree: Any = reader.read(path)
    arrays = [entry.read() for entry in tree.values()]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert len(arrays) == len(NUMBERS)
