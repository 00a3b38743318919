"""The table: every row that exists, by its name in the language."""

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from typing import Any

import codsl.layers
from codsl.layers.row import Layer, type_name

Function = Callable[..., Any]

_registered: dict[str, type[Layer]] = {}
FUNCTIONS: dict[str, Function] = {}
"""The functions given with registered rows, by the name that their recipes call them."""


@cache
def _own() -> dict[str, type[Layer]]:
    for module in iter_modules(codsl.layers.__path__):
        import_module(f"codsl.layers.{module.name}")
    rows = (row for row in _final(Layer) if row.__module__.startswith("codsl.layers."))
    return {type_name(row): row for row in sorted(rows, key=type_name)}


def _final(row: type[Any]) -> Iterator[type[Layer]]:
    """The rows below a class; one that states a rank is a row, and has none below it."""
    for child in row.__subclasses__():
        if hasattr(child, "rank"):
            yield child
        yield from _final(child)


def table() -> dict[str, type[Layer]]:
    """The rows of codsl's own layers and of the registered ones."""
    return {**_own(), **_registered}


def register(row: type[Layer], function: Function | None = None) -> type[Layer]:
    """Add a layer to the language; usable as a decorator.

    `function` computes what the row's recipe calls by that function's name, where torch has no
    such function. Raises `ValueError` where the name is taken or cannot be one.
    """
    name = type_name(row)
    if name in _own():
        raise ValueError(f"`{name}` is a layer already")
    if isabstract(row):
        raise ValueError(f"`{name}` lacks {', '.join(sorted(row.__abstractmethods__))}")
    _registered[name] = row
    if function is not None:
        FUNCTIONS[function.__name__] = function
    return row
