"""Files of Keras: its own, by the user's names, every form of HDF5 that is read, and bad ones."""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import readings

from codsl.weights.formats.keras import FORMAT, is_one, read
from codsl.weights.formats.keras_names import legacy, names
from codsl.weights.refusal import WeightsError
from weights.samples_frameworks import FILES, compressed

WRITTEN = FILES / "keras"

SHAPES = {
    "stem.kernel": (3, 3, 2, 2),
    "stem.bias": (2,),
    "norm.beta": (2,),
    "norm.moving_mean": (2,),
    "norm.moving_variance": (2,),
    "body.conv.kernel": (1, 1, 2, 2),
    "head.kernel": (8, 2),
    "head.bias": (2,),
}
"""The committed files' weights, in the order in which they were numbered."""


entries = partial(readings.entries, read)
code = partial(readings.code, entries)


@pytest.mark.parametrize("file", ["net.keras", "net.h5"])
def test_weights_have_the_names_of_the_user(file: str) -> None:
    found = entries(WRITTEN / file)
    assert {name: entry.shape for name, entry in found.items()} == SHAPES
    for at, (name, shape) in enumerate(SHAPES.items()):
        wanted = (np.arange(np.prod(shape)).reshape(shape) % 7 - 3 + at).astype("f4")
        np.testing.assert_array_equal(found[name].read(), wanted)


def test_bare_weights_have_their_own_paths() -> None:
    found = entries(WRITTEN / "net.weights.h5")
    assert set(found) == {
        "layers.conv2d.vars.0",
        "layers.conv2d.vars.1",
        *(f"layers.batch_normalization.vars.{at}" for at in range(3)),
        "layers.sequential.layers.conv2d.vars.0",
        "layers.dense.vars.0",
        "layers.dense.vars.1",
    }


def test_how_files_begin() -> None:
    for file in WRITTEN.glob("net*"):
        assert is_one(file.read_bytes()[:64])
        assert FORMAT.read is read
    assert not is_one(b"PK\3\4" + bytes(26) + b"archive/data.pkl")


SCRIPT = """
import sys, keras, numpy as np
from keras import layers as L
i = keras.Input((8, 8, 3), name="i")
x = L.SeparableConv2D(4, 3, name="sep")(i)
inner = [L.Conv2D(2, 3, name="c1"), L.BatchNormalization(name="bn", scale=False)]
x = keras.Sequential(inner, name="inner")(x)
x = L.DepthwiseConv2D(3, name="dw", use_bias=False)(x)
x = L.Conv2DTranspose(2, 3, name="up")(x)
x = L.Conv2D(2, 3, name="down", use_bias=False)(x)
x = L.PReLU(name="act")(L.GroupNormalization(2, name="gn", center=False)(x))
x = L.Reshape((-1, 2), name="rs")(L.Dropout(0.5, name="drop")(x))
x = L.TimeDistributed(L.Dense(5, name="inside"), name="td")(x)
x = L.Bidirectional(L.LSTM(3, name="lstm"), name="bi")(x)
x = L.GRU(4, name="gru")(L.Reshape((2, 3), name="r2")(x))
x = L.Reshape((2, 2), name="r3")(x)
x = L.MultiHeadAttention(2, 3, name="mha")(x, x)
x = L.Flatten(name="f")(L.LayerNormalization(name="ln")(x))
net = keras.Model(i, L.Dense(2, name="fc", dtype="bfloat16")(x), name="net")
net.compile("adam", "mse")
net.fit(np.ones((2, 8, 8, 3)), np.ones((2, 2)), verbose=0)
net.save(sys.argv[1] + ".keras")
net.save(sys.argv[1] + ".h5")
layers = [keras.Input((4,)), L.Dense(3, name="seq"), L.Dense(2, name="out")]
seq = keras.Sequential(layers, name="seq")
seq.save(sys.argv[1] + "_sequential.keras")
seq.save(sys.argv[1] + "_sequential.h5")
values = {v.path: keras.ops.convert_to_numpy(keras.ops.cast(v, "float32")) for v in net.variables}
np.savez(sys.argv[1] + ".npz", **{k: v for k, v in values.items() if "seed" not in k})
"""


def test_keras_itself_says_the_same(tmp_path: Path) -> None:
    if importlib.util.find_spec("keras") is None:
        pytest.skip("Keras is not installed: what it writes is tested by the committed files")
    environment = {**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "net")]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    with np.load(tmp_path / "net.npz") as held:
        wanted = {name.replace("/", "."): held[name] for name in held}
    for file in ("net.keras", "net.h5"):
        found = entries(tmp_path / file)
        assert set(found) == set(wanted)
        for name, numbers in wanted.items():
            np.testing.assert_array_equal(found[name].read().astype("f4"), numbers)
        assert str(found["fc.kernel"].dtype) == "bfloat16"
    for file in ("net_sequential.keras", "net_sequential.h5"):
        shapes = {name: entry.shape for name, entry in entries(tmp_path / file).items()}
        assert shapes == {
            "seq.kernel": (4, 3),
            "seq.bias": (3,),
            "out.kernel": (3, 2),
            "out.bias": (2,),
        }


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("stem/sequential/stem/kernel", "stem.kernel"),
        ("conv1/conv1/kernel:0", "conv1.kernel"),
        ("resnet/conv1_bn/gamma:0", "resnet.conv1_bn.gamma"),
        ("inner/inner/c1/bias", "inner.c1.bias"),
        ("lstm/lstm/lstm_cell/kernel:0", "lstm.lstm_cell.kernel"),
        ("top_level_model_weights/scale", "scale"),
    ],
)
def test_legacy_names(path: str, name: str) -> None:
    key = tuple(path.split("/"))
    other = (
        ("other", "other", "kernel") if key[1] != "sequential" else ("o", "sequential", "o", "k")
    )
    assert legacy([key, other])[key] == name


def test_unknown_layers_keep_their_own_paths() -> None:
    layers = [
        {"class_name": "Mine", "config": {"name": "a"}},
        {"class_name": "Dense", "config": {"name": "b", "use_bias": False}},
        {"class_name": "Dense", "config": {"name": "c", "use_bias": False}},
    ]
    held = [
        ("layers", "mine", "vars", "0"),
        ("layers", "dense", "vars", "0"),
        ("layers", "dense_1", "vars", "0"),
        ("layers", "dense_1", "vars", "1"),
    ]
    assert names({"config": {"layers": layers}}, held) == {held[1]: "b.kernel"}


@pytest.mark.parametrize(("version", "layers"), [("earliest", 200), ("v108", 5)])
def test_every_form_of_dataset(tmp_path: Path, version: str, layers: int) -> None:
    generator, path = np.random.default_rng(0), tmp_path / "net.h5"
    wanted = {
        "a.half": generator.normal(size=(3, 4)).astype("f2"),
        "a.big": generator.normal(size=(5,)).astype(">f8"),
        "a.bytes": generator.integers(0, 255, (2, 3), "u1"),
        "a.longs": generator.integers(-9, 9, (4,)).astype(">i8"),
        "a.flags": np.array([True, False, True]),
        "a.one": np.float32(2.5),
        "a.none": np.zeros((0, 4), "f4"),
    }
    with h5py.File(path, "w", libver=version) as file:
        for name, numbers in wanted.items():
            file[f"model_weights/a/{name.replace('.', '/')}"] = numbers
        for at, options in enumerate(({}, {"compression": "gzip"}, {"shuffle": True})):
            numbers = wanted[f"b.chunks{at}"] = generator.normal(size=(70, 9)).astype("f4")
            group = file.require_group("model_weights/b/b")
            group.create_dataset(f"chunks{at}", data=numbers, chunks=(4, 5), **options)
        for at in range(layers):
            file[f"model_weights/layer{at}/layer{at}/kernel:0"] = np.full((2,), at, "f4")
    found = entries(path)
    assert len(found) == len(wanted) + layers
    for name, numbers in wanted.items():
        np.testing.assert_array_equal(found[name].read(), numbers)
    assert [found[f"layer{at}.kernel"].read()[1] for at in range(layers)] == list(range(layers))


def test_compressed_numbers(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    path.write_bytes(compressed())
    found = entries(path)
    np.testing.assert_array_equal(found["stem.kernel"].read(), np.arange(70.0).reshape(7, 10))
    np.testing.assert_array_equal(found["stem.bias"].read(), np.arange(10.0))


def soft(file: Any) -> None:
    file["layers/a"] = h5py.SoftLink("/optimizer")


def external_link(file: Any) -> None:
    file["layers/a"] = h5py.ExternalLink("/etc/passwd", "/")


def external_data(file: Any) -> None:
    file.create_dataset("a", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "a", (4,))
    file.create_virtual_dataset("a", layout)


def circle(file: Any) -> None:
    file["layers/a"] = file.create_group("layers")


def twice(file: Any) -> None:
    file["a"] = np.zeros(3)
    file["b"] = file["a"]


def strings(file: Any) -> None:
    file["a"] = ["text", "more"]


def records(file: Any) -> None:
    file["a"] = np.zeros(2, "i4,f4")


def unwritten(file: Any) -> None:
    file.create_dataset("a", (1 << 20, 1 << 13), "f4", chunks=(1024, 1024))


def unwritten_whole(file: Any) -> None:
    file.create_dataset("a", (1 << 14,), "f4")


def zeros(file: Any) -> None:
    file.create_dataset("a", data=np.zeros(1 << 25), chunks=(1 << 22,), compression=9)


def plugin(file: Any) -> None:
    file.create_dataset("a", data=np.zeros(100), chunks=(10,), compression="lzf")


def wide_chunks(file: Any) -> None:
    made = file.create_dataset("a", (2,), "f4", maxshape=(None,), chunks=(1 << 27,), compression=9)
    made[:] = 1


BAD: list[tuple[str, Callable[[Any], None]]] = [
    ("E0602", soft),
    ("E0602", external_link),
    ("E0602", external_data),
    ("E0602", virtual),
    ("E0602", circle),
    ("E0602", twice),
    ("E0602", strings),
    ("E0602", records),
    ("E0603", unwritten),
    ("E0603", unwritten_whole),
    ("E0603", zeros),
    ("E0602", plugin),
    ("E0603", wide_chunks),
]


@pytest.mark.parametrize(("wanted", "make"), BAD, ids=[make.__name__ for _, make in BAD])
def test_traps_in_hdf5_are_refused(
    tmp_path: Path, wanted: str, make: Callable[[Any], None]
) -> None:
    path = tmp_path / "net.h5"
    with h5py.File(path, "w") as file:
        make(file)
    assert code(path)[0] == wanted


def test_a_chunk_that_grows_too_much_stops_growing(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset("a", (8,), "f4", chunks=(8,), compression=9)
        made.id.write_direct_chunk((0,), zlib.compress(bytes(1 << 24)))
    assert code(path)[0] == "E0601"


def archive(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as written:
        for name, data in files.items():
            written.writestr(name, data)
    return path


def parts() -> dict[str, bytes]:
    with zipfile.ZipFile(WRITTEN / "net.keras") as held:
        return {name: held.read(name) for name in held.namelist()}


def test_an_archive_may_be_compressed(tmp_path: Path) -> None:
    found = entries(archive(tmp_path / "net.keras", parts(), zipfile.ZIP_DEFLATED))
    assert {name: entry.shape for name, entry in found.items()} == SHAPES


def test_archives_that_are_none(tmp_path: Path) -> None:
    path, given = tmp_path / "net.keras", parts()
    weights, config = given["model.weights.h5"], given["config.json"]
    bomb = {"config.json": b" " * (1 << 24), "model.weights.h5": weights}
    cases = {
        "E0601": [
            {"config.json": config},
            {"config.json": b"[]", "model.weights.h5": weights},
            {"config.json": config.decode().encode("utf-32-be"), "model.weights.h5": weights},
            {"config.json": b"{", "model.weights.h5": weights},
            {"config.json": b"[" * 5000 + bytes(range(256)) * 9, "model.weights.h5": weights},
            {"config.json": config, "model.weights.h5": b""},
            {"config.json": config, "model.weights.h5": config},
        ],
        "E0603": [bomb, {"config.json": b" " * (1 << 26), "model.weights.h5": weights}],
    }
    for wanted, several in cases.items():
        for files in several:
            assert code(archive(path, files, zipfile.ZIP_DEFLATED))[0] == wanted
    path.write_bytes(b"PK\3\4" + bytes(100))
    assert code(path)[0] == "E0601"
    path.write_bytes(b"PK\5\6" + bytes(18))
    assert code(path)[0] == "E0601"


def test_nested_layers_without_end_are_refused(tmp_path: Path) -> None:
    layer: Any = {"class_name": "Dense", "config": {"name": "d"}}
    for _ in range(300):
        layer = {"class_name": "Bidirectional", "config": {"name": "b", "layer": layer}}
    config = json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}}).encode()
    weights = parts()["model.weights.h5"]
    path = archive(tmp_path / "a.keras", {"config.json": config, "model.weights.h5": weights})
    assert "layers.dense.vars.0" in entries(path)


@pytest.mark.parametrize("file", ["net.keras", "net.h5"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, file: str) -> None:
    whole, path = (WRITTEN / file).read_bytes(), tmp_path / file
    for end in range(0, len(whole), 97):
        path.write_bytes(whole[:end])
        try:
            found = entries(path)
        except WeightsError:
            continue
        assert {name: entry.shape for name, entry in found.items()} == SHAPES
        assert end > len(whole) - 4096, "the numbers cannot all be there"


def test_a_tree_that_points_at_itself_is_refused(tmp_path: Path) -> None:
    whole = bytearray((WRITTEN / "net.h5").read_bytes())
    tree = whole.index(b"TREE")
    struct.pack_into("<B", whole, tree + 5, 1)
    struct.pack_into("<Q", whole, tree + 32, tree)
    path = tmp_path / "net.h5"
    path.write_bytes(whole)
    assert code(path)[0] == "E0601"
