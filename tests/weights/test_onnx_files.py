"""Files of ONNX: what torch exports, names out of nodes, every dtype, and bad ones."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import readings
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from codsl.weights.entry import Entry
from codsl.weights.formats.onnx import FORMAT, is_one, read
from codsl.weights.refusal import WeightsError
from weights.samples_frameworks import network

entries = partial(readings.entries, read)
code = partial(readings.code, entries)


def of(*tensors: Any, nodes: tuple[Any, ...] = ()) -> bytes:
    graph = helper.make_graph(list(nodes), "net", [], [], list(tensors))
    return helper.make_model(graph).SerializeToString()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.onnx"


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential()
        self.stem.conv = nn.Conv2d(3, 4, 3)
        self.stem.bn = nn.BatchNorm2d(4)
        self.up = nn.ConvTranspose2d(4, 4, 2)
        self.head = nn.Linear(4, 2)
        self.last = nn.Linear(2, 3, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.up(torch.relu(self.stem(x))).mean((2, 3))
        return self.last(self.head(x)[:, None])


def exported(file: Path, **options: Any) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    net = Small()
    for name, numbers in net.state_dict().items():
        if "bn." in name and numbers.dim():
            numbers.copy_(torch.rand(numbers.shape) + 0.5)
    net.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (torch.rand(1, 3, 8, 8),), str(file), verbose=False, **options)
    return net.state_dict()


def folded(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The state with the normalisation folded into the convolution before it."""
    scale = state["stem.bn.weight"] / torch.sqrt(state["stem.bn.running_var"] + 1e-5)
    kept = {name: numbers for name, numbers in state.items() if ".bn." not in name}
    kept["stem.conv.weight"] = state["stem.conv.weight"] * scale[:, None, None, None]
    shifted = state["stem.conv.bias"] - state["stem.bn.running_mean"]
    kept["stem.conv.bias"] = shifted * scale + state["stem.bn.bias"]
    return kept


@pytest.mark.parametrize("folding", [False, True])
@pytest.mark.parametrize("dynamo", [False, True])
def test_what_torch_exports_has_the_names_of_its_modules(
    file: Path, dynamo: bool, folding: bool
) -> None:
    if dynamo and importlib.util.find_spec("onnxscript") is None:
        pytest.skip("onnxscript, which the newer exporter takes, is not installed")
    options: dict[str, Any] = {"dynamo": dynamo}
    if dynamo:
        options["optimize"] = folding
    elif not folding:
        options |= {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    state = exported(file, **options)
    wanted = folded(state) if folding else state
    found = entries(file)
    for name, numbers in wanted.items():
        if name.endswith("num_batches_tracked"):
            continue
        read = found[name].read()
        np.testing.assert_allclose(read, numbers.numpy(), rtol=2e-6, atol=2e-6, err_msg=name)
        assert folding or (read == numbers.numpy()).all()
    assert is_one(file.read_bytes()[:64])


def test_generated_names_give_way_and_matrices_are_turned(file: Path) -> None:
    file.write_bytes(network().SerializeToString())
    found = entries(file)
    assert list(found) == [
        *("stem.conv.weight", "stem.conv.bias", "scale", "b", "m", "v"),
        *("head.fc.weight", "head.fc.bias"),
    ]
    numbers = np.arange(10.0).reshape(2, 5).T
    np.testing.assert_array_equal(found["head.fc.weight"].read(), numbers)
    np.testing.assert_array_equal(found["scale"].read(), [0.5, 2])


def matrix(name: str) -> Any:
    return numpy_helper.from_array(np.arange(6, dtype="f4").reshape(2, 3), name)


@pytest.mark.parametrize(
    ("name", "nodes", "wanted"),
    [
        ("a.weight", [("Gemm", ["x", "a.weight"], {"transB": 0})], ("a.weight", (3, 2))),
        ("a.weight", [("Gemm", ["x", "a.weight"], {"transB": 1})], ("a.weight", (2, 3))),
        ("a.weight", [("MatMul", ["x", "a.weight"], {})], ("a.weight", (3, 2))),
        ("a.weight", [("MatMul", ["a.weight", "x"], {})], ("a.weight", (2, 3))),
        ("table", [("MatMul", ["x", "table"], {})], ("table", (2, 3))),
        (
            "a.weight",
            [("MatMul", ["x", "a.weight"], {}), ("Gather", ["a.weight", "i"], {})],
            ("a.weight", (2, 3)),
        ),
        ("12", [("Gather", ["12", "i"], {})], ("layer.part.weight", (2, 3))),
        ("12", [("Relu", ["12"], {})], ("12", (2, 3))),
    ],
)
def test_which_matrices_are_turned(file: Path, name: str, nodes: Any, wanted: Any) -> None:
    made = [
        helper.make_node(kind, inputs, [f"y{at}"], f"/layer/part/{kind}", **options)
        for at, (kind, inputs, options) in enumerate(nodes)
    ]
    file.write_bytes(of(matrix(name), nodes=tuple(made)))
    assert [(key, entry.shape) for key, entry in entries(file).items()] == [wanted]


def test_constants_and_second_names(file: Path) -> None:
    value = numpy_helper.from_array(np.ones((2, 3, 1), "f4"))
    nodes = (
        helper.make_node("Constant", [], ["c"], "/Constant", value=value),
        helper.make_node("Constant", [], ["unused"], "/Constant_1", value=value),
        helper.make_node("Identity", ["bn.bias"], ["bn2.bias"], "Identity_1"),
        helper.make_node("Conv", ["x", "c"], ["y"], "/stem/Conv"),
    )
    bias = numpy_helper.from_array(np.ones(3, "f4"), "bn.bias")
    axes = numpy_helper.from_array(np.ones(3, "i8"), "val_3")
    file.write_bytes(of(bias, axes, nodes=nodes))
    shapes = {name: entry.shape for name, entry in entries(file).items()}
    assert shapes == {"bn.bias": (3,), "bn2.bias": (3,), "c": (2, 3, 1)}


KINDS = [
    *("FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "BOOL", "FLOAT16", "DOUBLE"),
    *("UINT32", "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E5M2"),
]


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_dtype_is_read_as_onnx_reads_it(file: Path, kind: str, raw: bool) -> None:
    signed = not kind.startswith(("UINT", "BOOL"))
    given = [1, 0, 1] if kind == "BOOL" else [-3 if signed else 200, 0, 2]
    tensor = helper.make_tensor("w", getattr(TensorProto, kind), [3, 1], given)
    if raw:
        tensor = numpy_helper.from_array(numpy_helper.to_array(tensor), "w")
    file.write_bytes(of(tensor))
    wanted, found = numpy_helper.to_array(tensor), entries(file)["w"].read()
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


def test_numbers_beside_the_file(file: Path) -> None:
    onnx.save_model(
        network(),
        str(file),
        save_as_external_data=True,
        location="net.data",
        size_threshold=0,
    )
    (file.parent / "alone").mkdir()
    alone = file.parent / "alone" / "net.onnx"
    alone.write_bytes(file.read_bytes())
    assert code(alone)[0] == "E0601"
    found = entries(file)
    np.testing.assert_array_equal(found["head.fc.bias"].read(), np.arange(5))
    (file.parent / "net.data").write_bytes(b"")
    with pytest.raises(WeightsError):
        found["head.fc.bias"].read()
    assert code(file)[0] == "E0603"


def outside(location: str, **more: str) -> bytes:
    tensor = TensorProto(name="w", dims=[4], data_type=TensorProto.FLOAT, data_location=1)
    for key, value in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=value)
    return of(tensor)


@pytest.mark.parametrize(
    ("location", "more", "wanted"),
    [
        ("/etc/passwd", {}, "E0602"),
        ("../secret", {}, "E0602"),
        ("a/../../secret", {}, "E0602"),
        ("..\\secret", {}, "E0602"),
        ("C:/secret", {}, "E0602"),
        ("", {}, "E0602"),
        ("a\0b", {}, "E0602"),
        ("link", {}, "E0602"),
        ("folder/secret", {}, "E0602"),
        ("pipe", {}, "E0602"),
        ("inside", {}, "E0602"),
        ("missing", {}, "E0601"),
        ("data", {"offset": "-4"}, "E0601"),
        ("data", {"offset": "4"}, "E0603"),
        ("data", {"offset": "9" * 19}, "E0603"),
        ("data", {"offset": "9" * 400}, "E0601"),
        ("data", {"length": "12"}, "E0603"),
    ],
)
def test_numbers_elsewhere_are_refused(
    tmp_path: Path, location: str, more: dict[str, str], wanted: str
) -> None:
    folder = tmp_path / "net"
    (folder / "inside").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(bytes(16))
    (folder / "data").write_bytes(bytes(16))
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "folder").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    path = folder / "net.onnx"
    path.write_bytes(outside("data"))
    assert entries(path)["w"].shape == (4,)
    path.write_bytes(outside(location, **more))
    assert code(path)[0] == wanted


def test_one_file_is_claimed_twice_at_most(file: Path) -> None:
    (file.parent / "data").write_bytes(bytes(16))
    tensors = [onnx.load_from_string(outside("data")).graph.initializer[0] for _ in range(3)]
    for at, tensor in enumerate(tensors):
        tensor.name = f"w{at}"
    file.write_bytes(of(*tensors))
    assert code(file)[0] == "E0603"


def lies(**fields: Any) -> Callable[[], bytes]:
    given = {"name": "w", "dims": [2], "data_type": 1, **fields}
    return lambda: of(TensorProto(**given))


BAD: dict[str, tuple[str, Callable[[], bytes]]] = {
    "more than there is": ("E0603", lies(dims=[1 << 40], raw_data=b"1234")),
    "less than there is": ("E0603", lies(raw_data=b"1234")),
    "dims that overflow": ("E0603", lies(dims=[1 << 62, 1 << 62, 0], raw_data=b"")),
    "a negative dim": ("E0601", lies(dims=[-1], raw_data=b"")),
    "many dims": ("E0601", lies(dims=[1] * 1000, raw_data=b"1234")),
    "no numbers": ("E0603", lies()),
    "floats": ("E0603", lies(float_data=[1.0])),
    "integers": ("E0603", lies(data_type=7, int64_data=[1])),
    "floats that are integers": ("E0603", lies(data_type=7, float_data=[1.0] * 4)),
    "two kinds": ("E0601", lies(float_data=[1.0, 2], int64_data=[1])),
    "an unknown dtype": ("E0601", lies(data_type=99, raw_data=b"12345678")),
    "four bits": ("E0601", lies(data_type=22, raw_data=b"1")),
    "two of one name": ("E0601", lambda: of(matrix("a"), matrix("a"))),
    "nothing": ("E0601", lambda: b""),
    "no graph": ("E0601", lambda: b"\x08\x07"),
    "fields without end": ("E0603", lambda: b"\x08\x00" * 2_000_001),
    "nodes without end": ("E0603", lambda: b"\x3a\x84\x92\xf4\x01" + b"\x0a\x00" * 2_000_002),
    "a length of 30 GB": ("E0601", lambda: b"\x3a\x80\x80\x80\x80\x78abc"),
    "a number without end": ("E0601", lambda: b"\xff" * 100),
    "groups": ("E0601", lambda: b"\x0b\x0c"),
    "a field without number": ("E0601", lambda: b"\x00\x00"),
    "a name that is none": ("E0601", lambda: b"\x3a\x06\x0a\x04\x1a\x02\xff\xfe"),
}


@pytest.mark.parametrize("name", BAD)
def test_lies_are_refused(file: Path, name: str) -> None:
    wanted, data = BAD[name]
    file.write_bytes(data())
    assert code(file)[0] == wanted


def test_sparse_tensors_are_refused(file: Path) -> None:
    model = network()
    model.graph.sparse_initializer.add()
    file.write_bytes(model.SerializeToString())
    assert code(file)[0] == "E0601"


def test_a_file_cut_anywhere_is_refused(file: Path) -> None:
    whole = network().SerializeToString()
    wanted = list(entries_of(file, whole))
    for end in range(len(whole)):
        file.write_bytes(whole[:end])
        try:
            found = entries(file)
        except WeightsError:
            continue
        assert list(found) == wanted
    assert FORMAT.suffixes == (".onnx",)


def entries_of(file: Path, data: bytes) -> dict[str, Entry]:
    file.write_bytes(data)
    return entries(file)
