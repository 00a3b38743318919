"""What a word that is no layer may have been meant as."""

import re
from collections.abc import Collection, Mapping

from codsl.diagnostics import LONGEST, suggest
from codsl.layers.joining import AGGREGATIONS
from codsl.layers.row import Layer, kin_of, type_name

MOST = 3
"""Layers that are offered at most."""
_JOINS = {
    "cat": "concat",
    "concatenate": "concat",
    "plus": "sum",
    "multiply": "mul",
    "average": "mean",
}
_NUMBER = re.compile(r"\d+d?$")


def near_layers(
    kind: str, rows: Mapping[str, type[Layer]], templates: Collection[str], rank: int | None
) -> list[str]:
    """The layers and templates that `kind` may mean, whatever its case, its underscores, its number
    and its file: those that go by this name elsewhere, or the one that looks most like it.

    `rank` is the number of dimensions that a layer here is to take, where it is known.
    """
    if len(kind) > LONGEST:
        return []
    letters, plain = _letters(kind), _plain(kind)
    same = [name for name in [*templates, *rows] if _letters(name) == letters]
    if same or _imported(kind, templates):
        return same[:1] or _imported(kind, templates)
    found = [name for name, row in rows.items() if plain in map(_plain, row.also)]
    found += [name for name in rows if _plain(name) == plain]
    found = found or near_names(kind, [*templates, *rows])
    fitting = (
        type_name(kin_of(rows[each], rank)) if each in rows and rank else each for each in found
    )
    return list(dict.fromkeys(fitting))[:MOST]


def near_names(kind: str, names: Collection[str]) -> list[str]:
    """The name that looks most like `kind`, whatever its case, its underscores and its file."""
    by_letters = {_letters(name): name for name in names}
    near = suggest(_letters(kind), by_letters)
    return _imported(kind, names) or [by_letters[each] for each in near[:1]]


def of_module(kind: str, rows: Collection[str]) -> bool:
    """Whether a name with a dot in it is that of a layer behind a module's, as in Python."""
    _, dot, name = kind.rpartition(".")
    return bool(dot) and _letters(name) in map(_letters, rows)


def joining(kind: str) -> str | None:
    """How values are joined that `kind` is to join, if it is."""
    word = _JOINS.get(kind.lower(), kind.lower())
    return word if word in AGGREGATIONS else None


def _imported(kind: str, names: Collection[str]) -> list[str]:
    return [name for name in names if name.partition(".")[2] == kind][:1]


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def _plain(name: str) -> str:
    """A name without what tells relatives apart."""
    return _NUMBER.sub("", _letters(name))
