"""Checkpoints of `torch.save`: looked through first, then loaded with `weights_only`."""

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch.serialization import get_safe_globals

from codsl.weights.entry import Array, Entry, Tree
from codsl.weights.formats import pickled
from codsl.weights.formats.archive import MAGIC as ZIP
from codsl.weights.formats.archive import Archive
from codsl.weights.formats.dtypes import DTYPES, NARROW
from codsl.weights.formats.file import DEPTH, NODES, File, check_name, measure, native
from codsl.weights.formats.format import Format
from codsl.weights.formats.pickled import KNOWN, LONGEST, Demands, Suspect, scan
from codsl.weights.refusal import WeightsError, oversized, unreadable, unsafe

LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
"""How files of torch before 1.6 begin: a number, pickled."""
EXPANSION = 16
"""How many times the size of the file its tensors may take, where they share numbers."""
SAFE_WAY = (
    "where you trust its author, load it with torch and save the tensors alone: "
    "`safetensors.torch.save_file(model.state_dict(), 'model.safetensors')`"
)


def read(path: Path) -> Tree:
    """What `torch.load(weights_only=True)` gives, with entries for tensors; the rest is kept.

    The numbers of files since torch 1.6 stay in the file, which is mapped into memory. Before
    torch is asked, the pickle is gone through with stand-ins: E0602 names what it would import,
    E0603 a storage that is larger than its record, E0601 tensors that are no plain arrays.
    """
    file = File.at(path)
    head = file.slice(0, len(LEGACY))
    if head.startswith(ZIP):
        _check_archive(file)
    elif head == LEGACY:
        _check_legacy(file)
    else:
        raise unreadable(path, "it is no checkpoint of `torch.save`, or cut short", SAFE_WAY)
    return _Tree(file).of(_load(file, mmap=head.startswith(ZIP)))


def is_one(head: bytes) -> bool:
    """Whether a file begins like a checkpoint: an older one, or an archive."""
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return head.startswith(LEGACY) or (head.startswith(ZIP) and name.endswith(b"/data.pkl"))


def _load(file: File, mmap: bool) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(file.path, map_location="cpu", weights_only=True, mmap=mmap)
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise unreadable(file.path, f"torch refuses it ({reason[-1][:200]})", SAFE_WAY) from error


def _check_archive(file: File) -> None:
    archive = Archive.of(file)
    root = next(iter(archive.members), "").split("/")[0]
    if f"{root}/constants.pkl" in archive.members:
        raise unsafe(file.path, "it is a program of TorchScript", "save its `state_dict()`")
    if f"{root}/data.pkl" not in archive.members:
        raise unreadable(file.path, "the archive is no checkpoint of `torch.save`")
    for name in archive.members:
        if not archive.stored(name):
            raise oversized(file.path, f"its record `{name}` is compressed, as torch writes none")
    if archive.members[f"{root}/data.pkl"].file_size > LONGEST:
        raise oversized(file.path, f"its pickle takes more than {LONGEST} bytes")
    with archive.member(f"{root}/data.pkl") as stream:
        _, demands = _scan(file, io.BytesIO(stream.read(LONGEST)))
    for key, nbytes in demands.storages.items():
        record = archive.members.get(f"{root}/data/{key}")
        if record is None or record.file_size != nbytes:
            there = "no record of it is" if record is None else f"{record.file_size} are"
            raise oversized(
                file.path, f"storage `{key[:60]}` takes {nbytes} bytes, and {there} there"
            )


def _check_legacy(file: File) -> None:
    """Five pickles (magic, version, machine, tensors, keys), then the storages that they name."""
    with file.opened() as stream:
        values = [_scan(file, stream) for _ in range(5)]
        rest = file.size - stream.tell()
    demands, keys = values[3][1], values[4][0]
    keys = [pickled.text(key) for key in keys] if isinstance(keys, list) else []
    if len(keys) != len(demands.storages) or set(map(str, keys)) != set(demands.storages):
        raise unreadable(file.path, "it lists other storages than its tensors have")
    claimed = sum(demands.storages.values()) + 8 * len(keys)
    if claimed != rest:
        fault = f"storages of {claimed} bytes, and {rest} are there: it is cut short, or lies"
        raise (oversized if claimed > rest else unreadable)(file.path, fault)


def _scan(file: File, stream: Any) -> tuple[Any, Demands]:
    try:
        value, demands = scan(stream, KNOWN | _trusted())
    except Suspect as error:
        raise unsafe(file.path, str(error), SAFE_WAY) from error
    except Exception as error:
        reason = f"its pickle is broken ({str(error)[:120] or type(error).__name__})"
        raise unreadable(file.path, reason) from error
    if demands.strange:
        raise _strange(file, sorted(demands.strange))
    return value, demands


def _trusted() -> frozenset[str]:
    """The globals that this program has told torch to be safe."""
    told = (each if isinstance(each, tuple) else (each, "") for each in get_safe_globals())
    return frozenset(name or f"{each.__module__}.{each.__qualname__}" for each, name in told)


def _strange(file: File, names: list[str]) -> WeightsError:
    shown = ", ".join(f"`{ascii(name[:80])[1:-1]}`" for name in names[:8])
    if all(name.startswith(("torch._utils._rebuild", "torch.Q", "torch.per_")) for name in names):
        return unreadable(
            file.path,
            f"it holds tensors that are no plain arrays: sparse, quantized, on no device ({shown})",
            "make them dense with `to_dense()` or `dequantize()`, and save it again",
        )
    return unsafe(
        file.path,
        f"it would import {shown}{' and more' if len(names) > 8 else ''}",
        SAFE_WAY,
        "or, where these are harmless, name them to torch before: "
        "`torch.serialization.add_safe_globals([...])`",
    )


@dataclass(frozen=True)
class _Part:
    """A part of the tree, and what it comes to when written out: values, levels, bytes."""

    value: Any
    count: int = 1
    levels: int = 0
    nbytes: int = 0


class _Tree:
    """Makes the tree of a checkpoint of its objects, each of them once."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.done: dict[int, _Part] = {}

    def of(self, value: Any) -> Tree:
        """The tree; E0603 for one that is too deep, too large, or in a circle."""
        return cast(Tree, self._of(value, 0).value)

    def _of(self, value: Any, depth: int) -> _Part:
        if isinstance(value, torch.Tensor):
            return self._checked(self._entry(value), 1, 0)
        if not isinstance(value, Mapping) and type(value) not in (list, tuple):
            return _Part(value)
        if depth > DEPTH:
            raise oversized(self.file.path, f"it is nested in more than {DEPTH} levels")
        if id(value) not in self.done:
            self.done[id(value)] = self._container(value, depth)
        return self.done[id(value)]

    def _container(self, value: Any, depth: int) -> _Part:
        items = value.values() if isinstance(value, Mapping) else value
        parts, count, nbytes, levels = [], 1, 0, 0
        for part in (self._of(item, depth + 1) for item in items):
            parts.append(part.value)
            count, nbytes = count + part.count, nbytes + part.nbytes
            levels = max(levels, part.levels + 1)
        if not isinstance(value, Mapping):
            return self._checked(type(value)(parts), count, nbytes, levels)
        mapping = dict(zip(value, parts, strict=True))
        for key, each in mapping.items():
            if isinstance(key, str) and isinstance(each, Entry | dict | list | tuple):
                check_name(self.file.path, key)
        return self._checked(mapping, count, nbytes, levels)

    def _checked(self, value: Any, count: int, nbytes: int, levels: int = 0) -> _Part:
        nbytes = value.nbytes if isinstance(value, Entry) else nbytes
        if count > NODES or levels > DEPTH:
            raise oversized(self.file.path, f"{count} values in {levels} levels when written out")
        if nbytes > EXPANSION * self.file.size:
            raise oversized(
                self.file.path,
                f"tensors of {nbytes} bytes and more in a file of {self.file.size}",
                "clone tensors that are expanded or shared before saving them",
            )
        return _Part(value, count, levels, nbytes)

    def _entry(self, tensor: torch.Tensor) -> Entry:
        name = str(tensor.dtype).removeprefix("torch.")
        plain = type(tensor) in (torch.Tensor, torch.nn.Parameter)
        if not plain or tensor.layout != torch.strided or tensor.device.type != "cpu":
            raise unreadable(self.file.path, "it holds a tensor that is no plain array")
        if name not in DTYPES:
            raise unreadable(self.file.path, f"it holds a tensor of the dtype `{name}`")
        shape = tuple(tensor.shape)
        measure(self.file.path, "of the checkpoint", shape, DTYPES[name])

        def read() -> Array:
            with self.file.opened():
                return _array(tensor, name)

        return Entry(shape, DTYPES[name], read)


def _array(tensor: torch.Tensor, name: str) -> Array:
    """The same numbers, in the same memory where that can be."""
    plain = tensor.detach().resolve_conj().resolve_neg()
    if name in NARROW:
        bits = torch.uint8 if plain.element_size() == 1 else torch.uint16
        return cast(Array, plain.view(bits).numpy().view(DTYPES[name]))
    return native(plain.numpy())


FORMAT = Format("PyTorch", (".pt", ".pth", ".pyth", ".ckpt", ".bin"), is_one, read)
