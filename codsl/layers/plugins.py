"""Layers of other distributions: the entries of group `codsl.layers` of what is installed."""

import sys
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from codsl.layers.row import Layer

GROUP = "codsl.layers"
METADATA = (".dist-info", ".egg-info")


class PluginError(Exception):
    """An installed distribution says that it has layers, but they cannot be had; the message names
    it and the entry."""


def load(register: Callable[[type[Layer]], object]) -> None:
    """Register the rows of every entry; one that is a function is called, and registers its own.

    Raises `PluginError` for the first that cannot be used.
    """
    for entry in _entries():
        try:
            found = entry.load()
            if isinstance(found, type) and issubclass(found, Layer):
                register(found)
            elif isinstance(found, type) or not callable(found):
                raise TypeError(f"`{entry.value}` is neither a row nor a function that registers")
            else:
                found()
        except Exception as error:
            said = " ".join(str(error).split())
            owner = entry.dist.name if entry.dist else "an unknown distribution"
            raise PluginError(
                f"the entry `{entry.name}` of `{owner}` in the group `{GROUP}` cannot be used: "
                f"{type(error).__name__}: {said}; mend or remove that distribution"
            ) from error


def _entries() -> Iterator[Any]:
    """The entries, in the order of their names; nothing heavy is loaded where there are none."""
    if any(map(_declares, sys.path)) or any(map(_finds, sys.meta_path)):
        from importlib.metadata import entry_points

        yield from sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))


def _declares(place: str) -> bool:
    """Whether what is installed in a place of the search path may have entries."""
    folder = Path(place)
    if not folder.is_dir():
        return folder.is_file()
    try:
        found = [each for each in folder.iterdir() if each.suffix in METADATA]
    except OSError:
        return False
    return any(_names_group(each / "entry_points.txt") for each in found)


def _names_group(file: Path) -> bool:
    try:
        return GROUP.encode() in file.read_bytes()
    except OSError:
        return False


def _finds(finder: Any) -> bool:
    """Whether an import hook has distributions of its own."""
    return finder is not PathFinder and hasattr(finder, "find_distributions")
