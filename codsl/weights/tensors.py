"""The tensors of a checkpoint, by flat names, each read when it is asked for."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from codsl.weights.entry import Array, Entry
from codsl.weights.formats.table import format_of
from codsl.weights.given import check_text
from codsl.weights.numbers import BESIDES_NUMPY, address, as_numpy, numpy_dtype
from codsl.weights.refusal import refusal
from codsl.weights.unwrap import DEEPEST, Flat, unwrap

FLOATS = frozenset({"float16", "float32", "float64", "complex64", "complex128"})
"""The floats of NumPy's own that torch has too; others depend on the machine."""

Checkpoint = str | os.PathLike[str] | Mapping[str, Any]
"""A file, or a mapping in memory, nested or flat, of arrays and tensors."""


class Tensors(Mapping[str, Array]):
    """Arrays by flat names, in the order of the file.

    `entries` have their shapes and dtypes, and need no reading; `origin` names the file, `format`
    its kind; `opened` are the envelopes that were opened, `stripped` what was taken off the names.
    """

    def __init__(self, flat: Flat, origin: str, format: str) -> None:
        self.entries = flat.entries
        self.opened = flat.opened
        self.stripped = flat.stripped
        self.origin = origin
        self.format = format

    def __getitem__(self, name: str) -> Array:
        return self.entries[name].read()

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __repr__(self) -> str:
        return f"Tensors({self.origin!r}: {len(self)} tensors, {self.format})"


def read(checkpoint: Checkpoint, *, envelope: str | None = None, strip: bool = True) -> Tensors:
    """The tensors of a checkpoint; no network is needed, and no code of the file is run.

    Files are safetensors (`.safetensors`, and the `.index.json` of several), numpy's (`.npz`,
    `.npy`), torch's (`.pt`, `.pth`, `.pyth`, `.ckpt`), MegEngine's (`.pkl`, `.mge`), Keras's
    (`.h5`, `.keras`), Flax's (`.msgpack`) and ONNX's (`.onnx`). What they nest is made flat with
    dots. The usual envelopes are opened in the order of `codsl.weights.ENVELOPES`, unless
    `envelope` says which; with `strip` the names lose `_orig_mod.`, and `module.` where all begin
    with it. Arrays are numpy's; bfloat16 and the 8-bit floats have the dtypes of `ml_dtypes`.

    Raises `WeightsError` for a file that cannot be trusted or read.
    """
    check_text(envelope, "envelope")
    if isinstance(checkpoint, Tensors):
        return _within(checkpoint, envelope)
    if isinstance(checkpoint, Mapping):
        origin, kind, tree = "<dict>", "dict", _in_memory(checkpoint, 0)
    elif not isinstance(checkpoint, str | os.PathLike):
        kind = type(checkpoint).__name__
        raise TypeError(f"a checkpoint is a path or a mapping, as of `state_dict()`, not {kind}")
    else:
        path = Path(checkpoint)
        form = format_of(path)
        origin, kind, tree = os.fspath(checkpoint), form.name, form.read(path)
    flat = unwrap(tree, origin, envelope, strip)
    if not flat.entries:
        raise refusal("E0601", f"`{origin}` holds no tensors")
    return Tensors(flat, origin, kind)


def _within(tensors: Tensors, envelope: str | None) -> Tensors:
    """Tensors that are read already, or those of them under a key."""
    keys = envelope.split(".") if envelope is not None else []
    opened = [*tensors.opened]
    if keys[: len(opened)] == opened:
        keys = keys[len(opened) :]
    if not keys or keys == opened:
        return tensors
    flat = unwrap(tensors.entries, tensors.origin, ".".join(keys), strip=False)
    flat = replace(flat, opened=(*opened, *keys), stripped=tensors.stripped)
    return Tensors(flat, tensors.origin, tensors.format)


def _in_memory(given: object, depth: int) -> Any:
    """The same with entries for what is a tensor or an array."""
    if depth > DEEPEST:
        raise refusal("E0603", "`<dict>` nests deeper than any checkpoint does")
    if isinstance(given, Mapping):
        return {key: _in_memory(value, depth + 1) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [_in_memory(value, depth + 1) for value in given]
    if isinstance(given, torch.Tensor):
        if given.is_meta or given.is_nested or given.layout != torch.strided:
            raise refusal("E0610", "a tensor that is sparse, nested or of `meta` is no array")
        try:
            dtype = numpy_dtype(given.dtype)
        except (TypeError, RuntimeError):
            raise refusal("E0610", f"a tensor of {given.dtype} has no plain numbers") from None
        return Entry(tuple(given.shape), dtype, lambda: as_numpy(given), address(given))
    if hasattr(given, "__array__") and hasattr(given, "dtype"):
        array = np.asarray(given)
        known = array.dtype.kind in "biu" or array.dtype.name in FLOATS
        if not known and array.dtype not in BESIDES_NUMPY:
            raise refusal("E0610", f"an array of `{array.dtype}` holds no numbers of torch's")
        return replace(Entry.of(array), memory=address(array))
    return given
