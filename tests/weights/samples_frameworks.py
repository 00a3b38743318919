"""Small files of frameworks, each read without complaint, to be spoilt by tests."""

import io
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FILES = Path(__file__).parent / "files"
WRITTEN = (
    "megengine/net_state_dict_proto4.pkl",
    "megengine/tensor_dtypes.pkl",
    "haiku/net.pkl",
    "keras/net.keras",
    "keras/net.h5",
    "keras/net.weights.h5",
)
"""What the frameworks themselves wrote."""


def samples() -> dict[str, bytes]:
    """Valid files by a name whose suffix says what they are."""
    found = {name.split("/")[1]: (FILES / name).read_bytes() for name in WRITTEN}
    for protocol in range(6):
        found[f"protocol{protocol}.pkl"] = pickle.dumps(state(), protocol)
    for protocol in range(3):
        found[f"old{protocol}.pkl"] = old({"blobs": state()["state_dict"]}, protocol)
    found["named.pkl"] = pickle.dumps({"w": Tensor("param_0", np.arange(6.0))}, 2)
    found["compressed.h5"] = compressed()
    found["net.onnx"] = network().SerializeToString()
    return found


class Tensor:
    """A tensor as `paddle.save` writes it where it stands alone: a name and an array."""

    def __init__(self, name: str, held: np.ndarray[Any, Any]) -> None:
        self.pair = name, held

    def __reduce__(self) -> Any:
        return tuple, (self.pair,)


class Old(pickle._Pickler):  # type: ignore[name-defined]
    """Pickles as Python 2 does, whose texts are bytes."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_string(self, value: str | bytes) -> None:
        data = value.encode("latin-1") if isinstance(value, str) else value
        if not self.bin:
            self.write(b"S" + repr(data)[1:].encode() + b"\n")
        elif len(data) < 256:
            self.write(b"U" + bytes((len(data),)) + data)
        else:
            self.write(b"T" + struct.pack("<i", len(data)) + data)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_string


def old(value: Any, protocol: int = 2) -> bytes:
    stream = io.BytesIO()
    Old(stream, protocol).dump(value)
    return stream.getvalue().replace(b"numpy._core", b"numpy.core")


def state() -> dict[str, object]:
    """A checkpoint with an optimizer's numbers beside the net's."""
    weights = OrderedDict(
        {
            "conv.weight": np.arange(12, dtype="f4").reshape(3, 4),
            "conv.bias": np.arange(6.0).reshape(2, 3).T,
            "norm.weight": np.arange(4, dtype=">i2"),
            "empty": np.zeros((0, 3), "f2"),
            "flag": np.array(True),
        }
    )
    steps = [{"step": 3, "rate": 0.5, "names": {"a"}}, (np.float32(2), None, b"raw")]
    return {"state_dict": weights, "optimizer": steps, "epoch": 2**40}


def compressed() -> bytes:
    """An HDF5 file of layers whose numbers are in chunks, shuffled, deflated and checked."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        layer = file.create_group("model_weights/stem/stem")
        numbers = np.arange(70, dtype="f4").reshape(7, 10)
        kinds = {"chunks": (3, 4), "compression": "gzip", "shuffle": True, "fletcher32": True}
        layer.create_dataset("kernel:0", data=numbers, **kinds)
        layer.create_dataset("bias:0", data=np.arange(10, dtype=">f8"), chunks=(4,))
    return buffer.getvalue()


def network() -> onnx.ModelProto:
    """A convolution, a normalisation and a matrix, under the names that exporters give."""

    def tensor(name: str, *shape: int, dtype: str = "f4") -> TensorProto:
        numbers = np.arange(np.prod(shape, dtype=int), dtype=dtype).reshape(shape)
        return numpy_helper.from_array(numbers, name)

    scalars = helper.make_tensor("scale", TensorProto.FLOAT, [2], [0.5, 2.0])
    nodes = [
        helper.make_node("Conv", ["x", "onnx::Conv_1", "onnx::Conv_2"], ["a"], "/stem/conv/Conv"),
        helper.make_node(
            "BatchNormalization",
            ["a", "scale", "b", "m", "v"],
            ["c"],
            "/stem/bn/BatchNormalization",
        ),
        helper.make_node("MatMul", ["c", "onnx::MatMul_3"], ["d"], "/head/fc/MatMul"),
        helper.make_node("Add", ["head.fc.bias", "d"], ["y"], "/head/fc/Add"),
    ]
    weights = [
        tensor("onnx::Conv_1", 2, 3, 1, 1),
        tensor("onnx::Conv_2", 2),
        scalars,
        tensor("b", 2),
        tensor("m", 2),
        tensor("v", 2),
        tensor("onnx::MatMul_3", 2, 5),
        tensor("head.fc.bias", 5),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 1, 1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "net", [x], [y], weights)
    return helper.make_model(graph)
