"""The manual of the layers, made from their rows: what each does, its arguments, an example."""

from collections.abc import Mapping
from dataclasses import MISSING
from inspect import cleandoc
from typing import Any

from codsl.layers.row import Argument, Layer, arguments, type_name

Rows = Mapping[str, type[Layer]]
HEAD = """# Layers

Made from the table of layers by `make generated`. Names and arguments are torch's, in snake case;
what can be inferred may be left out. Arguments before the `*` go by position too.
"""


def manual(rows: Rows) -> str:
    """The whole manual, in Markdown."""
    return "\n".join([HEAD, *(entry(row) for row in rows.values())])


def entry(row: type[Layer]) -> str:
    """The part of the manual on one layer."""
    name = type_name(row)
    lines = [
        f"## {name}",
        "",
        cleandoc(row.__doc__ or ""),
        *_elsewhere(row),
        "",
        f"    {name}({_signature(row)})",
        "",
    ]
    for given in row.examples:
        lines += [f"    {name}({_given(given)})"]
    return "\n".join([*lines, ""])


def _elsewhere(row: type[Layer]) -> list[str]:
    names = ", ".join(f"`{each}`" for each in row.also)
    return ["", f"Elsewhere called {names}."] if names else []


def _signature(row: type[Layer]) -> str:
    known = arguments(row)
    words = [_word(each) for each in known if each.positional]
    by_name = [_word(each) for each in known if not each.positional]
    return ", ".join(words + (["*", *by_name] if by_name else []))


def _word(argument: Argument) -> str:
    if argument.default is MISSING:
        return argument.name
    return f"{argument.name}={written(argument.default)}"


def _given(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={written(value)}" for name, value in values.items())


def written(value: Any) -> str:
    """A value as the text form has it."""
    match value:
        case None | True | False:
            return str(value).lower()
        case str():
            return f'"{value}"'
        case tuple():
            inner = ", ".join(map(written, value))
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        case _:
            return repr(value)
