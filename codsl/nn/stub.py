"""How the classes that are made of rows look to type checkers and editors: the text of
`rows.pyi`."""

from collections.abc import Iterator
from inspect import Parameter, formatannotation, signature
from typing import Any

import codsl.nn
from codsl.layers.row import Layer as Row
from codsl.nn.classes import hand_class, torch_class
from codsl.nn.older import PLACES

HEAD = '''\
"""The classes that are made of the rows of the table; `make generated` writes this file."""

# mypy: disable-error-code="misc, override"

from collections.abc import Sequence
from typing import Any, Literal, Optional, Union

import torch
from torch import nn

from codsl.nn.layer import Layer

'''


def stub() -> str:
    """The text of `rows.pyi`: a class for each of codsl's own rows that has no other by hand."""
    rows = {
        name: row
        for name, row in sorted(codsl.nn.rows_by_hand().items())
        if row.__module__.startswith("codsl.layers.")
    }
    listed = "".join(f'    "{name}",\n' for name in rows)
    places = "".join(f"{name}: Any\n" for name in PLACES)
    classes = (_class(name, row) for name, row in rows.items())
    return f"{HEAD}__all__ = [\n{listed}]\n\n{places}\n" + "\n".join(classes)


def _class(name: str, row: type[Row]) -> str:
    """A class with torch's attributes, the row's arguments, and its manual."""
    made: Any = hand_class(row)
    held = torch_class(row)
    bases = "Layer" if held is None else f"Layer, nn.{held.__name__}"
    manual = f'    """{row.__doc__}"""'
    parameters = "".join(f"        {each},\n" for each in _parameters(made))
    return (
        f"class {name}({bases}):\n{manual}\n\n"
        f"    def __init__(\n        self,\n{parameters}    ) -> None: ...\n"
        "    @staticmethod\n"
        f"    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> {name}: ...\n"
    )


def _parameters(made: Any) -> Iterator[str]:
    """The parameters of a class as they are written."""
    named = False
    for each in signature(made).parameters.values():
        if each.kind is Parameter.KEYWORD_ONLY and not named:
            named = True
            yield "*"
        default = "" if each.default is Parameter.empty else f" = {_written(each.default)}"
        yield f"{each.name}: {_written(each.annotation)}{default}"


def _written(value: Any) -> str:
    """A type or a default as it is written."""
    plain = isinstance(value, int | float | str | tuple | None)
    text = repr(value) if plain else formatannotation(value)
    return text.replace("'", '"').replace("collections.abc.", "")
