"""Checkpoints of torch: what is read, and what is refused."""

import argparse
import io
import pickle
import struct
import warnings
import zipfile
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

import hostility
import numpy as np
import pytest
import torch
from hostility import archive, members, saved, with_pickle
from readings import refused, written

from codsl.weights.entry import Entry
from codsl.weights.formats import torch as reader
from codsl.weights.refusal import WeightsError

FORMS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])


def opened(folder: Path, content: bytes, name: str = "a.pt") -> Any:
    return reader.read(written(folder, content, name))


@FORMS
def test_a_state_dict(tmp_path: Path, zipped: bool) -> None:
    state = hostility.state()
    tree = opened(tmp_path, saved(state, _use_new_zipfile_serialization=zipped))
    assert list(tree) == list(state)
    for name, tensor in state.items():
        array = tree[name].read()
        assert array.dtype == tree[name].dtype
        assert array.dtype.name == str(tensor.dtype).removeprefix("torch.")
        assert array.shape == tree[name].shape == tuple(tensor.shape)
        np.testing.assert_array_equal(array.astype(float), tensor.double().numpy())


@FORMS
def test_what_is_no_tensor_is_kept(tmp_path: Path, zipped: bool) -> None:
    whole = hostility.checkpoint()
    tree = opened(tmp_path, saved(whole, _use_new_zipfile_serialization=zipped))
    assert (tree["epoch"], tree["other"]) == (3, whole["other"])
    assert tree["optimizer"] == whole["optimizer"]
    assert tree["weight"].read().shape == (1, 2)
    assert isinstance(tree["state_dict"]["conv.weight"], Entry)


DTYPES = ["float64", "float16", "bfloat16", "uint16", "uint32", "uint64", "complex64"]
DTYPES += ["int8", "uint8", "int16", "int32", "bool", "float8_e4m3fn", "float8_e5m2", "complex128"]
DTYPES += ["float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"]


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype(tmp_path: Path, name: str) -> None:
    tensor = torch.tensor([0.5, 1.0, 2.0, 4.0]).to(getattr(torch, name))
    entry = opened(tmp_path, saved(tensor))
    assert entry.dtype.name == name
    assert entry.read().tobytes() == bytes(tensor.view(torch.uint8).tolist())


def test_conjugates_and_negatives_are_worked_out(tmp_path: Path) -> None:
    turned = torch.tensor([1 + 2j, 3 - 1j]).conj()
    tree = {
        "a": opened(tmp_path, saved(turned)),
        "b": opened(tmp_path, saved(torch._neg_view(torch.tensor([2.0, -1.0]))), "b.pt"),
    }
    assert tree["a"].read().tolist() == [1 - 2j, 3 + 1j]
    assert tree["b"].read().tolist() == [-2, 1]


def test_what_is_read_does_not_write_back(tmp_path: Path) -> None:
    content = saved({"a": torch.ones(3)})
    entry = opened(tmp_path, content)["a"]
    array = entry.read()
    array[:] = 7
    assert (tmp_path / "a.pt").read_bytes() == content


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    entry = opened(tmp_path, saved({"a": torch.ones(3)}))["a"]
    path = written(tmp_path, b"", "a.pt")
    code, message = refused(lambda _: entry.read(), path)
    assert (code, "changed" in message) == ("E0601", True)


def test_classes_that_the_user_trusts_are_read(tmp_path: Path) -> None:
    content = saved({"arguments": argparse.Namespace(rate=1), "a": torch.ones(1)})
    with torch.serialization.safe_globals([argparse.Namespace]):
        assert opened(tmp_path, content)["arguments"].rate == 1
    code, message = refused(reader.read, tmp_path / "a.pt")
    assert (code, "`argparse.Namespace`" in message) == ("E0602", True)


def global_call(module: str, name: str, arguments: bytes) -> bytes:
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + arguments + b"R."


FLOATS = "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0{key}X\x03\0\0\0cpuJ"


def float_storage(key: str, count: int) -> bytes:
    return FLOATS.format(key=key).encode() + struct.pack("<i", count) + b"tQ"


def rebuilt(key: str, count: int, size: int, stride: int, offset: int = 0) -> bytes:
    """A pickle of one tensor of so many numbers, in so large a storage."""
    numbers = (b"J" + struct.pack("<i", each) for each in (offset, size, stride))
    at, length, step = numbers
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + float_storage(key, count)
        + at
        + length
        + b"\x85"
        + step
        + b"\x85\x89ccollections\nOrderedDict\n)RtR"
    )


FOUR = saved({"a": torch.arange(4.0)})


def pickled(body: bytes) -> bytes:
    return with_pickle(FOUR, lambda _: b"\x80\x02" + body + b".")


def stretched(call: str) -> bytes:
    """Something called with a tensor that claims 2^31 - 1 numbers and has one."""
    module, name = call.rsplit(".", 1)
    head = f"c{module}\n{name}\n".encode()
    return pickled(head + rebuilt("0", 4, (1 << 31) - 1, 0) + b"\x85R")


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def laughter(value: Any) -> Any:
    value = [value] * 9
    for _ in range(9):
        value = [value] * 9
    return value


def circle() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


def chained() -> Any:
    """Lists that are shallow one by one, and deep where each is written out in the next."""
    links, value = [], nested(1)
    for _ in range(9):
        for _ in range(30):
            value = [value]
        links.append(value)
    return links


def renamed(content: bytes, old: str, new: str) -> bytes:
    return archive({k.replace(old, new): v for k, v in members(content).items()})


def half_of_complex() -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return saved(torch.zeros(2, dtype=torch.complex32))


def quantized() -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8)


def old(value: Any) -> bytes:
    return saved(value, _use_new_zipfile_serialization=False)


def lying_old() -> bytes:
    """A file of the old form whose pickle says 2^28 numbers for the 77 of its storage."""
    content = old({"a": torch.arange(77.0)})
    return content.replace(b"K\x4dN", b"J\0\0\0\x10N", 1)


def lying_old_storage() -> bytes:
    content = old({"a": torch.arange(4.0)})
    place = len(content) - 16 - 8
    return content[:place] + struct.pack("<Q", 30 << 27) + content[place + 8 :]


def script() -> bytes:
    return archive(
        {"a/data.pkl": b"\x80\x02N.", "a/constants.pkl": b"\x80\x02).", "a/version": b"3"}
    )


WRONG: dict[str, tuple[str, str, Any]] = {
    "empty": ("E0601", "no checkpoint", lambda: b""),
    "a call": ("E0602", "import `posix.mkdir`", lambda: saved({"a": hostility.Calls()})),
    "a call, old": ("E0602", "import `posix.mkdir`", lambda: old({"a": hostility.Calls()})),
    "a bare pickle": ("E0601", "no checkpoint", lambda: pickle.dumps(hostility.Calls())),
    "a module": ("E0602", "torch.nn.modules.linear.Linear", lambda: saved(torch.nn.Linear(1, 1))),
    "a program": ("E0602", "TorchScript", script),
    "numpy": ("E0602", "scalar`, `numpy.dtype`", lambda: saved(np.float64(3))),
    "eval": (
        "E0602",
        "import `builtins.eval`",
        lambda: pickled(b"cbuiltins\neval\nX\x01\0\0\0a\x85R"),
    ),
    "30 GB of bytes": (
        "E0602",
        "import `builtins.bytearray`",
        lambda: pickled(b"cbuiltins\nbytearray\n\x8a\x05\0\0\0\x80\x07\x85R"),
    ),
    "a codec": (
        "E0602",
        "no bytes",
        lambda: pickled(b"c_codecs\nencode\nX\x01\0\0\0aX\x04\0\0\0idna\x86R"),
    ),
    **{
        f"{name} of a stretched tensor": (
            "E0602",
            "no plain value",
            lambda name=name: stretched(name),
        )
        for name in ("builtins.set", "collections.Counter", "torch.Size", "collections.OrderedDict")
    },
    "a call of a stretched tensor": (
        "E0602",
        "no function",
        lambda: pickled(rebuilt("0", 4, 2**31 - 1, 0) + b")R"),
    ),
    "an object of a stretched tensor": (
        "E0602",
        "makes an object",
        lambda: pickled(rebuilt("0", 4, 2**31 - 1, 0) + b")\x81"),
    ),
    "a state that is a stretched tensor": (
        "E0602",
        "gives a state",
        lambda: pickled(b"ccollections\nOrderedDict\n)R" + rebuilt("0", 4, 2**31 - 1, 0) + b"b"),
    ),
    "a state of a tensor": (
        "E0602",
        "gives a state",
        lambda: pickled(rebuilt("0", 4, 1, 1) + b")b"),
    ),
    "a tensor by itself": ("E0602", "by itself", lambda: stretched("torch.Tensor")),
    "a stretched tensor": (
        "E0603",
        "of 40000000000 bytes",
        lambda: saved(torch.ones(1).expand(10**10)),
    ),
    "a stretched tensor by hand": (
        "E0603",
        "bytes",
        lambda: pickled(rebuilt("0", 4, 2**31 - 1, 0)),
    ),
    "a tensor that is too large": (
        "E0601",
        "torch refuses",
        lambda: pickled(rebuilt("0", 4, 5, 1)),
    ),
    "a tensor before its storage": (
        "E0601",
        "torch refuses",
        lambda: pickled(rebuilt("0", 4, 1, 1, -1)),
    ),
    "a negative stride": ("E0601", "torch refuses", lambda: pickled(rebuilt("0", 4, 2, -1, 3))),
    "a storage that is too large": (
        "E0603",
        "takes 8589934588 bytes, and 16 are there",
        lambda: pickled(rebuilt("0", 2**31 - 1, 1, 1)),
    ),
    "a storage that is too small": ("E0603", "takes 12", lambda: pickled(rebuilt("0", 3, 1, 1))),
    "a negative storage": ("E0602", "kind", lambda: pickled(rebuilt("0", -1, 1, 1))),
    "a storage that is not there": ("E0603", "no record", lambda: pickled(rebuilt("7", 4, 1, 1))),
    "a storage of two sizes": (
        "E0602",
        "two sizes",
        lambda: pickled(rebuilt("0", 4, 1, 1) + rebuilt("0", 3, 1, 1) + b"\x86"),
    ),
    "a missing record": ("E0603", "no record", lambda: renamed(FOUR, "/data/0", "/data/9")),
    "an empty archive": ("E0601", "no checkpoint", lambda: archive({})),
    "no pickle": ("E0601", "no checkpoint", lambda: renamed(FOUR, "data.pkl", "other.pkl")),
    "compressed": ("E0603", "compressed", lambda: archive(members(FOUR), zipfile.ZIP_DEFLATED)),
    "a dict of another kind": (
        "E0602",
        "`collections.defaultdict`",
        lambda: saved(defaultdict(list, a=torch.ones(1))),
    ),
    "a list of another kind": (
        "E0602",
        "would import `collections.deque`",
        lambda: saved(deque([torch.ones(1), 2])),
    ),
    "sparse": ("E0601", "no plain arrays", lambda: saved(torch.zeros(3).to_sparse())),
    "quantized": ("E0601", "no plain arrays", lambda: saved(quantized())),
    "meta": ("E0601", "no plain arrays", lambda: saved(torch.zeros(3, device="meta"))),
    "half of complex": ("E0601", "dtype `complex32`", half_of_complex),
    "deep": ("E0603", "64 levels", lambda: saved(nested(70))),
    "deep by links": ("E0603", "levels", lambda: saved(chained())),
    "much of little": ("E0603", "values", lambda: saved(laughter(1))),
    "much of one tensor": ("E0603", "tensors of", lambda: saved(laughter(torch.ones(1)))),
    "a circle": ("E0603", "64 levels", lambda: saved(circle())),
    "an escape": ("E0601", "be shown", lambda: saved({"a\x1b": torch.ones(1)})),
    "half a letter": ("E0601", "be shown", lambda: saved({"a\ud800": torch.ones(1)})),
    "a protocol of later": ("E0601", "broken", lambda: saved({"a": 1}, pickle_protocol=4)),
    "a text of 4 GB": ("E0601", "broken", lambda: pickled(b"X\xff\xff\xff\xff")),
    "a text of 4 GB, old": (
        "E0601",
        "broken",
        lambda: reader.LEGACY + b"\x80\x02X\xff\xff\xff\xff",
    ),
    "a storage that is too large, old": ("E0603", "1073741832 bytes", lying_old),
    "a length that is too large, old": ("E0601", "torch refuses", lying_old_storage),
    "a folder that climbs": ("E0602", "leads out", lambda: archive({"../data.pkl": b"N."})),
    "a tape": ("E0601", "no checkpoint", lambda: b"pickle\0" + bytes(1017)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, words, make = WRONG[name]
    found, message = refused(reader.read, written(tmp_path, make(), "a.pt"))
    assert (found, words in message) == (code, True), message
    assert not (tmp_path / "canary").exists()


def test_the_way_out_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, saved(hostility.Calls()), "a.pt")
    with pytest.raises(WeightsError) as caught:
        reader.read(path)
    assert "safetensors.torch.save_file" in str(caught.value)
    assert "add_safe_globals" in str(caught.value)


def test_the_canary_would_sing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.load(io.BytesIO(saved(hostility.Calls())), weights_only=False)
    assert (tmp_path / "canary").exists()


def test_no_environment_makes_it_unsafe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    assert refused(reader.read, written(tmp_path, saved(hostility.Calls()), "a.pt"))[0] == "E0602"
    assert not (tmp_path / "canary").exists()


@FORMS
def test_every_part_of_a_file_is_refused(tmp_path: Path, zipped: bool) -> None:
    whole = saved({"a": torch.arange(4.0)}, _use_new_zipfile_serialization=zipped)
    for length in range(0, len(whole), 1 if len(whole) < 2000 else 7):
        path = written(tmp_path, whole[:length], "a.pt")
        assert refused(reader.read, path)[0] in ("E0601", "E0603")
