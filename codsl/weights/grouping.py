"""Many names in few words: those that differ in numbers alone are one, `block{1..4}.weight`."""

import re
from collections.abc import Iterable, Sequence
from math import prod

_NUMBER = re.compile(r"(\d+)")


def grouped(names: Iterable[str]) -> list[str]:
    """The names in order, those alike as one where they have all combinations of their numbers."""
    groups: dict[str, list[list[str]]] = {}
    for name in names:
        parts = _NUMBER.split(name)
        groups.setdefault("\0".join(parts[::2]), []).append(parts)
    return [text for group in groups.values() for text in _said(group)]


def _said(group: Sequence[list[str]]) -> list[str]:
    found = [list(dict.fromkeys(each)) for each in zip(*group, strict=True)]
    if prod(map(len, found)) == len(group):
        return ["".join(_one(values) for values in found)]
    place = next(at for at, values in enumerate(found) if len(values) > 1)
    apart: dict[str, list[list[str]]] = {value: [] for value in found[place]}
    for parts in group:
        apart[parts[place]].append(parts)
    return [text for each in apart.values() for text in _said(each)]


def _one(values: list[str]) -> str:
    if len(values) == 1:
        return values[0]
    numbers = [int(value) for value in values]
    if numbers == list(range(numbers[0], numbers[0] + len(numbers))) and len(numbers) > 2:
        return f"{{{values[0]}..{values[-1]}}}"
    return f"{{{', '.join(values)}}}"


def listed(names: Iterable[str], most: int = 8) -> str:
    """The names, grouped, in one line; so many groups at most."""
    groups = grouped(names)
    more = f", and {len(groups) - most} more" if len(groups) > most else ""
    return ", ".join(f"`{group}`" for group in groups[:most]) + more
