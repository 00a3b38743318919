"""Files of Keras: `.keras` and legacy `.h5` by the user's names, `.weights.h5` by its own."""

import json
from pathlib import Path

from codsl.weights.entry import Entry, Tree
from codsl.weights.formats import hdf5, zipped
from codsl.weights.formats.doubt import Broken, guarded, refusing
from codsl.weights.formats.format import Format
from codsl.weights.formats.hdf5_objects import SIGNATURE
from codsl.weights.formats.keras_names import legacy, names
from codsl.weights.formats.mapped import mapped

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
LARGEST = 1 << 25
"""Bytes of a `config.json` at most."""
SKIPPED = ("optimizer", "optimizer_weights")

TROUBLES = (*hdf5.TROUBLES, *zipped.TROUBLES)

Key = tuple[str, ...]


def read(path: Path) -> Tree:
    """Weights by name: `stem.kernel`, of a net in a net `body.stem.kernel`; no optimizer's.

    `.weights.h5` has no names of the user's: its own paths, `layers.conv3d.vars.0`; so do layers
    of a class that is not known. The seeds of random layers are left out. Raises `WeightsError`.
    """
    with refusing(path, *TROUBLES):
        data = mapped(path)
        found = _archive(data) if bytes(data[:2]) == b"PK" else _plain(data)
        return {name: guarded(path, entry, *TROUBLES) for name, entry in found.items()}


def _archive(data: memoryview) -> dict[str, Entry]:
    members = zipped.members(data)
    if CONFIG not in members or WEIGHTS not in members:
        raise Broken(f"its archive lacks `{CONFIG}` or `{WEIGHTS}`, which Keras writes")
    config = json.loads(str(zipped.member(data, members[CONFIG], LARGEST), "utf-8"))
    if not isinstance(config, dict):
        raise Broken(f"its `{CONFIG}` describes no net")
    search = hdf5.search(zipped.member(data, members[WEIGHTS]), SKIPPED)
    return _renamed(search.found, names(config, search.found))


def _plain(data: memoryview) -> dict[str, Entry]:
    search = hdf5.search(data, SKIPPED)
    found = search.found
    models = {key[1:]: each for key, each in found.items() if key[0] == "model_weights"}
    if models or search.legacy:
        found = models or found
        return _renamed(found, legacy(list(found)))
    return _renamed(found, {})


def _renamed(found: dict[Key, Entry], named: dict[Key, str]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for key, entry in found.items():
        name = named.get(key, ".".join(key))
        if "seed_generator" in key:
            continue
        if name in entries:
            raise Broken(f"it has two weights of the name `{name}`")
        entries[name] = entry
    return entries


def is_one(head: bytes) -> bool:
    """Whether it begins as an HDF5 file, or as an archive that Keras writes."""
    first = head[30:50]
    return head.startswith(SIGNATURE) or (
        head.startswith(b"PK\3\4") and first.startswith((b"metadata.json", b"config.json"))
    )


FORMAT = Format("keras", (".keras", ".h5", ".hdf5"), is_one, read)
