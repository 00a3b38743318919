"""Small files of every format that is read, honest ones and malicious ones, made in memory."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import safetensors.numpy
import torch

FILES = Path(__file__).parent / "files"


class Calls:
    """What makes a folder when it is unpickled by anything that runs what a file asks for."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("canary",)


def saved(value: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, **options)
    return stream.getvalue()


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return stream.getvalue()


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        return {name: source.read(name) for name in source.namelist()}


def with_pickle(content: bytes, edit: Callable[[bytes], bytes]) -> bytes:
    """A checkpoint whose pickle is another."""
    parts = members(content)
    return archive({k: edit(v) if k.endswith("/data.pkl") else v for k, v in parts.items()})


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def npz(compressed: bool = False, **arrays: Any) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


def claiming(header: str) -> bytes:
    """An array of NumPy with that header, and 24 bytes of numbers."""
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(24)


def tensors_of_json(header: Any, numbers: bytes = b"", length: int | None = None) -> bytes:
    """A file of safetensors with that header, written or to be written."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + numbers


def state() -> dict[str, torch.Tensor]:
    shared = torch.arange(6.0)
    return OrderedDict(
        {
            "conv.weight": torch.arange(24.0).reshape(2, 3, 4),
            "conv.bias": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
            "turned": torch.arange(6.0).reshape(2, 3).t(),
            "shared": shared,
            "part": shared[2:5],
            "count": torch.tensor(3),
            "flags": torch.tensor([True, False]),
            "empty": torch.zeros(0, 3),
        }
    )


def checkpoint() -> dict[str, Any]:
    net = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    return {
        "epoch": 3,
        "state_dict": state(),
        "weight": net.weight,
        "optimizer": optimizer.state_dict(),
        "other": [1.5, None, "text", b"bytes", {1, 2}, (True, 2**70, 1j)],
    }


ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b/c": np.float32(2.5), "d": np.arange(3, dtype=">i2")}
NARROW = {"n": np.array([1.5, -2], ml_dtypes.bfloat16), "m": np.arange(4, dtype=np.int64)}


def safetensors_files() -> list[bytes]:
    numbers = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([True, False])}
    return [safetensors.numpy.save({**numbers, **NARROW}, {"format": "np"})]


def numpy_files() -> list[bytes]:
    objects = npy(np.array([Calls()], object), allow_pickle=True)
    return [
        npz(**ARRAYS),
        npz(True, **ARRAYS, zeros=np.zeros(5000)),
        npz(f=np.asfortranarray(ARRAYS["a"]), words=np.array(["x"])),
        npy(np.asfortranarray(ARRAYS["a"])),
        objects,
        archive({"a.npy": objects}),
    ]


def torch_files() -> list[bytes]:
    old = saved(checkpoint(), _use_new_zipfile_serialization=False)
    return [
        saved(checkpoint()),
        saved(state()),
        old,
        saved({"a": Calls()}),
        saved({"a": Calls()}, _use_new_zipfile_serialization=False),
        with_pickle(saved(state()), lambda _: pickle.dumps(Calls(), 2)),
    ]


def flax_files() -> list[bytes]:
    return [(FILES / "tree.msgpack").read_bytes()]
