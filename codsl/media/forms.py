"""How outputs are written: as an `.npy`, an `.npz`, or as JSON, a line for each."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import IO, Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from codsl.media.classes import Classes

EVERY: Callable[[int], int] = lambda index: index  # noqa: E731


@dataclass(frozen=True)
class Stamps:
    """With which frame each output is `due`, counted from the first that is streamed; how many of
    these there are a second, where that is known; and what the channels stand for."""

    due: Callable[[int], int] = EVERY
    rate: float | None = None
    classes: Classes | None = None

    def second(self, index: int) -> float | None:
        """When an output is due, in seconds from the first frame on."""
        return None if self.rate is None else self.due(index) / self.rate


def as_npy(file: IO[bytes], items: NDArray[Any], stamps: Stamps) -> None:
    """Items `(T, C, *S)` as an array `(C, T, *S)`."""
    header = np.lib.format.header_data_from_array_1_0(items)
    shape = (items.shape[1], len(items), *items.shape[2:])
    np.lib.format.write_array_header_1_0(file, {**header, "shape": shape})
    for channel in range(items.shape[1]):
        file.write(np.ascontiguousarray(items[:, channel]).tobytes())


def as_npz(file: IO[bytes], items: NDArray[Any], stamps: Stamps) -> None:
    """`outputs` `(C, T, *S)`, `frames` `(T,)` with which they are due, and `seconds` `(T,)`, where
    there is a rate."""
    frames = np.array([stamps.due(index) for index in range(len(items))], np.int64)
    with ZipFile(file, "w") as archive:
        with archive.open("outputs.npy", "w", force_zip64=True) as entry:
            as_npy(entry, items, stamps)
        with archive.open("frames.npy", "w") as entry:
            np.lib.format.write_array(entry, frames)
        if stamps.rate is not None:
            with archive.open("seconds.npy", "w") as entry:
                np.lib.format.write_array(entry, frames / stamps.rate)


def as_jsonl(file: IO[bytes], items: NDArray[Any], stamps: Stamps) -> None:
    """A line for each output."""
    for index, item in enumerate(items):
        file.write(line(index, item, stamps))


def line(index: int, item: NDArray[Any], stamps: Stamps) -> bytes:
    """An output as JSON: its number, the frame and the second at which it is due, and its numbers,
    or the highest of them; null where a number is none."""
    told: dict[str, Any] = {"output": index, "frame": stamps.due(index)}
    second = stamps.second(index)
    told |= {} if second is None else {"seconds": round(second, 6)}
    if stamps.classes is None:
        told["values"] = _plain(item.tolist())
    else:
        told["top"] = [_told(each) for each in stamps.classes.best(item)]
    text = json.dumps(told, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace") + b"\n"


def _told(best: Any) -> dict[str, Any]:
    label = {} if best.label is None else {"label": best.label}
    return {"index": best.index, **label, "score": _plain(best.score)}


def _plain(value: Any) -> Any:
    """Numbers as JSON has them."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isfinite(value) else None


FORMS: Mapping[str, Callable[[IO[bytes], NDArray[Any], Stamps], None]] = {
    ".npy": as_npy,
    ".npz": as_npz,
    ".jsonl": as_jsonl,
}
"""The forms by the ending of a file's name."""
