"""Files of safetensors: a header of JSON, then the numbers."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from codsl.weights.entry import Entry, Tree
from codsl.weights.formats.dtypes import DTYPES
from codsl.weights.formats.file import NODES, File, check_name, measure, sizes
from codsl.weights.formats.format import Format
from codsl.weights.refusal import WeightsError, oversized, unreadable

PREFIX = 8
"""Bytes that say how long the header is."""
LONGEST = 100_000_000
"""Bytes of a header at most, as the safetensors library has it."""
METADATA = "__metadata__"

NAMES = {
    **{"BOOL": "bool", "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64"},
    **{"U8": "uint8", "U16": "uint16", "U32": "uint32", "U64": "uint64"},
    **{"F16": "float16", "F32": "float32", "F64": "float64", "C64": "complex64"},
    **{"BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"},
    **{"F8_E8M0": "float8_e8m0fnu", "F8_E4M3FNUZ": "float8_e4m3fnuz"},
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}
LITTLE = {short: DTYPES[name].newbyteorder("<") for short, name in NAMES.items()}


def read(path: Path) -> Tree:
    """Flat names and their tensors.

    The format is that of https://github.com/huggingface/safetensors: the tensors fill the rest of
    the file, in some order, without overlap or gap. E0603 where they take more than the file has,
    E0601 where anything else does not fit.
    """
    file = File.at(path)
    header, start = _header(file)
    spans: list[tuple[int, int, str]] = []
    tensors = {}
    for name, value in header.items():
        if name != METADATA:
            first, last, tensors[name] = _tensor(file, start, name, value)
            spans.append((first, last, name))
    _check_cover(file, sorted(spans), file.size - start)
    return tensors


def metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The strings that a file of safetensors carries beside its tensors."""
    header, _ = _header(File.at(path))
    return dict(header.get(METADATA, {}))


def is_one(head: bytes) -> bool:
    """Whether a file begins like a header of safetensors."""
    length = int.from_bytes(head[:PREFIX], "little")
    return head[PREFIX : PREFIX + 1] == b"{" and 2 <= length <= LONGEST


def strict_json(path: Path, text: bytes) -> dict[str, Any]:
    """An object of JSON; E0601 where a name is there twice, E0603 where it has too many values."""
    if sum(text.count(each) for each in (b",", b"[", b"{")) > 4 * NODES:
        raise oversized(path, f"its header has more than {4 * NODES} values")
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise unreadable(path, f"its header is no proper JSON ({str(error)[:120]})") from error
    if not isinstance(value, dict):
        raise unreadable(path, "its header is no object of JSON")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"{twice[:80]!a} is there twice")
    return found


def _header(file: File) -> tuple[dict[str, Any], int]:
    """What the header says, and where the numbers begin."""
    prefix = file.slice(0, PREFIX)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < PREFIX:
        raise unreadable(file.path, f"it is cut short: {len(prefix)} bytes are no safetensors")
    if length > file.size - PREFIX:
        raise oversized(file.path, f"a header of {length} bytes in a file of {file.size}")
    if length > LONGEST:
        raise oversized(file.path, f"a header of {length} bytes, more than {LONGEST}")
    text = file.slice(PREFIX, length)
    if not text.startswith(b"{"):
        raise unreadable(file.path, "it does not begin with a header of safetensors")
    header = strict_json(file.path, text)
    strings = header.get(METADATA, {})
    if not isinstance(strings, dict) or not all(isinstance(v, str) for v in strings.values()):
        raise unreadable(file.path, "its metadata are no strings")
    return header, PREFIX + length


def _tensor(file: File, start: int, name: str, value: Any) -> tuple[int, int, Entry]:
    check_name(file.path, name)
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise unreadable(
            file.path, f"tensor `{name}` is not said by `dtype`, `shape`, `data_offsets`"
        )
    known = isinstance(value["dtype"], str) and value["dtype"] in LITTLE
    if not known:
        raise unreadable(file.path, f"tensor `{name}` has the dtype {str(value['dtype'])[:40]!r}")
    dtype = LITTLE[value["dtype"]]
    shape = sizes(file.path, name, value["shape"])
    offsets = sizes(file.path, name, value["data_offsets"])
    nbytes = measure(file.path, name, shape, dtype)
    if len(offsets) != 2 or offsets[1] - offsets[0] != nbytes:
        raise _misfit(file, name, nbytes, offsets)
    return offsets[0], offsets[1], file.entry(start + offsets[0], shape, dtype)


def _misfit(file: File, name: str, nbytes: int, offsets: tuple[int, ...]) -> WeightsError:
    if nbytes > file.size:
        return oversized(file.path, f"tensor `{name}` of {nbytes} bytes in a file of {file.size}")
    return unreadable(
        file.path, f"tensor `{name}` takes {nbytes} bytes, and is said to be at {list(offsets)[:4]}"
    )


def _check_cover(file: File, spans: list[tuple[int, int, str]], room: int) -> None:
    end = 0
    for first, last, name in spans:
        if first != end:
            fault = "overlaps another" if first < end else "leaves a gap before it"
            raise unreadable(file.path, f"tensor `{name}` {fault}")
        end = last
    if end > room:
        raise oversized(file.path, f"tensors of {end} bytes, and {room} are there: it is cut short")
    if end < room:
        raise unreadable(file.path, f"{room - end} bytes after the last tensor belong to none")


FORMAT = Format("safetensors", (".safetensors",), is_one, read)
