"""The table of formats, and which of them a file is."""

import os

from codsl.weights.formats import (
    flax,
    keras,
    npz,
    onnx,
    pickles,
    safetensors,
    sharded,
    torch,
)
from codsl.weights.formats.file import File
from codsl.weights.formats.format import Format
from codsl.weights.refusal import unreadable

HEAD = 4096
"""Bytes that a format is known by."""
FORMATS: tuple[Format, ...] = (
    safetensors.FORMAT,
    sharded.FORMAT,
    npz.FORMAT,
    torch.FORMAT,
    keras.FORMAT,
    flax.FORMAT,
    onnx.FORMAT,
    pickles.FORMAT,
)
"""Every format; the first that knows a file by its first bytes takes it."""


def format_of(path: str | os.PathLike[str]) -> Format:
    """By the first bytes, then by the suffix; E0601 where neither is known."""
    file = File.at(path)
    head = file.slice(0, HEAD)
    name = file.path.name.lower()
    by_suffix = [each for each in FORMATS if name.endswith(each.suffixes)]
    for format in (*(each for each in FORMATS if each.is_one(head)), *by_suffix):
        return format
    suffixes = ", ".join(suffix for format in FORMATS for suffix in format.suffixes)
    raise unreadable(path, "it is of no kind that is known", f"what can be read: {suffixes}")
