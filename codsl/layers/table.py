"""The table: every row that exists, by its name in the language."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from typing import Any

import codsl.layers
from codsl.layers import plugins
from codsl.layers.row import Layer, type_name

Function = Callable[..., Any]

FUNCTIONS: dict[tuple[str, str], Function | str] = {}
"""The functions given with registered rows, by the row's name and the name that its recipes call
them; a text, `module:function`, is one that is still to be imported."""

_registered: dict[str, type[Layer]] = {}
_reserved: set[str] = set()
_asked: set[str] = set()
"""The groups of entry points that were loaded, or are being."""


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
    """The rows of codsl's own layers, of installed distributions and of the registered ones.

    Raises `PluginError` where an installed distribution's cannot be had.
    """
    _load_plugins()
    return {**_own(), **_registered}


def _load_plugins() -> None:
    """Register what installed distributions have, once; a plugin that asks for the table meanwhile
    gets what there is."""
    if plugins.GROUP in _asked:
        return
    _asked.add(plugins.GROUP)
    try:
        plugins.load(register)
    except plugins.PluginError:
        _asked.clear()
        raise


def reserve(words: Iterable[str]) -> None:
    """Keep words of the language from being names of layers."""
    _reserved.update(words)


def register(row: type[Layer], *functions: Function | str) -> type[Layer]:
    """Add a layer to the language; usable as a decorator.

    `functions` compute what the row's recipe calls by their names, for this row alone: functions,
    or texts `module:function`, which are imported once a network is built. Raises `TypeError` for
    what is no row or no function, and `ValueError` where the name is taken, or the row lacks
    something. The same class, defined anew in its module, takes the place of the old one.
    """
    if not (isinstance(row, type) and issubclass(row, Layer)):
        raise TypeError(f"a row is a class that derives from Layer, not {row!r}")
    name = type_name(row)
    _check_name(name, row)
    lacking = sorted(row.__abstractmethods__) if isabstract(row) else []
    lacking += [each for each in ("rank", "examples") if not hasattr(row, each)]
    if lacking:
        raise ValueError(f"`{name}` lacks {', '.join(lacking)}")
    named = {(name, _called(each)): each for each in functions}
    for key in [key for key in FUNCTIONS if key[0] == name]:
        del FUNCTIONS[key]
    _registered[name] = row
    FUNCTIONS.update(named)
    return row


def _check_name(name: str, row: type[Layer]) -> None:
    if name in _reserved:
        raise ValueError(f"`{name}` is a word of the language")
    if name in _own():
        raise ValueError(f"`{name}` is a layer already")
    before = _registered.get(name)
    if before is not None and _place(before) != _place(row):
        raise ValueError(f"`{name}` is a layer already, registered by `{before.__module__}`")


def _place(row: type[Layer]) -> tuple[str, str]:
    return row.__module__, row.__qualname__


def _called(function: Function | str) -> str:
    """The name by which recipes call a function."""
    if isinstance(function, str):
        module, _, name = function.partition(":")
        if all(each.isidentifier() for each in (*module.split("."), name)):
            return name
        raise TypeError(f"a function is given as itself or as `module:function`, not `{function}`")
    name = getattr(function, "__name__", "")
    if not callable(function) or not name.isidentifier():
        raise TypeError(f"a recipe calls a function by its name, and {function!r} has none")
    return str(name)


def function_of(row: str, name: str) -> Function | None:
    """The function that was registered with a row under this name.

    Raises `ValueError` where it is to be imported and cannot be.
    """
    given = FUNCTIONS.get((row, name))
    if not isinstance(given, str):
        return given
    module, _, _ = given.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"the function `{given}` of `{row}` cannot be had: {error}") from error
    if not callable(found):
        raise ValueError(f"the function `{given}` of `{row}` is none: {found!r}")
    FUNCTIONS[row, name] = found
    return found  # type: ignore[no-any-return]


def load_functions(row: str) -> None:
    """Import the functions of a row that are still to be imported."""
    for owner, name in list(FUNCTIONS):
        if owner == row:
            function_of(owner, name)


@contextmanager
def registrations() -> Iterator[None]:
    """What is registered within is forgotten after."""
    _load_plugins()
    rows, functions = dict(_registered), dict(FUNCTIONS)
    try:
        yield
    finally:
        _registered.clear()
        _registered.update(rows)
        FUNCTIONS.clear()
        FUNCTIONS.update(functions)
