"""Checkpoints in several files that lie side by side, and the index that says what is where."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from codsl.weights.entry import Tree
from codsl.weights.formats import safetensors, torch
from codsl.weights.formats.file import File, check_name
from codsl.weights.formats.format import Format
from codsl.weights.refusal import oversized, unreadable, unsafe

BEGINNING = re.compile(rb'\s*\{\s*"(metadata|weight_map)"\s*:')
READERS: dict[str, Callable[[Path], Tree]] = {
    suffix: format.read
    for format in (safetensors.FORMAT, torch.FORMAT)
    for suffix in format.suffixes
}


def read(path: Path) -> Tree:
    """Flat names and their tensors, each from the file that the index names for it.

    E0602 where a shard does not lie beside the index, E0601 where one lacks what it should hold.
    """
    file = File.at(path)
    if file.size > safetensors.LONGEST:
        raise oversized(path, f"an index of {file.size} bytes, more than {safetensors.LONGEST}")
    places = _places(path, safetensors.strict_json(path, file.slice(0, file.size)))
    shards = {shard: _shard(path, shard) for shard in dict.fromkeys(places.values())}
    for name, shard in places.items():
        if name not in shards[shard]:
            raise unreadable(path, f"tensor `{name}` is not in `{shard}`")
    return {name: shards[shard][name] for name, shard in places.items()}


def is_one(head: bytes) -> bool:
    """Whether a file begins like an index."""
    return BEGINNING.match(head) is not None


def _places(path: Path, index: dict[str, Any]) -> dict[str, str]:
    places = index.get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(v, str) for v in places.values()):
        raise unreadable(path, "it has no `weight_map` from names to files")
    for name in places:
        check_name(path, name)
    return places


def _shard(path: Path, name: str) -> Mapping[str, Any]:
    """What a shard holds; it lies beside the index, or where links lead both to one folder."""
    if name in ("", ".", "..") or re.search(r"[/\\:\0]", name) or not name.isprintable():
        raise unsafe(path, f"it names the file {name[:80]!a}, which is not beside it")
    place = path.parent / name
    try:
        beside = {path.parent.resolve(), path.resolve().parent}
        outside = place.resolve().parent not in beside
    except (OSError, RuntimeError) as error:
        raise unreadable(place, "its links lead nowhere") from error
    if outside:
        raise unsafe(
            path, f"`{name}` is a link out of the folder", "copy the files into one folder"
        )
    reader = next((READERS[s] for s in READERS if name.lower().endswith(s)), None)
    if reader is None:
        raise unreadable(path, f"`{name}` is of no kind that a shard can be: {', '.join(READERS)}")
    held = reader(place)
    if not isinstance(held, Mapping):
        raise unreadable(place, "it holds no named tensors")
    return held


FORMAT = Format("shards", (".safetensors.index.json", ".bin.index.json"), is_one, read)
