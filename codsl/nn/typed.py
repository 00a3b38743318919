"""What Python's types say of the arguments of a row."""

import re
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Literal

import torch

from codsl.layers.arguments import EXPRESSION, Kind

PLAIN = {"integer": int, "number": float, "boolean": bool, "null": None}
"""Types of JSON as Python has them."""
WORDS = re.compile(r"\^\(?([\w|]+)\)?\$$")
"""The end of a pattern, which lists words."""

KNOWN: Mapping[str, Any] = {
    "device": torch.device | str | int | None,
    "dtype": torch.dtype | None,
    "shape": Sequence[int] | None,
    "inplace": bool,
    "return_indices": bool,
    "batch_first": bool,
}
"""The types of arguments that are no row's."""


def type_of(kind: Kind, rank: int) -> Any:
    """The type of what a kind of argument takes, as its schema has it."""
    return _type(kind.schema(rank))


def _type(schema: Mapping[str, Any]) -> Any:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    found = [each for kind in kinds for each in _alternatives(kind, schema)]
    return reduce(or_, dict.fromkeys(found))


def _alternatives(kind: str, schema: Mapping[str, Any]) -> list[Any]:
    """What a type of JSON is in Python; expressions are the language's alone."""
    if kind in PLAIN:
        return [PLAIN[kind]]
    if kind == "array":
        return [_several(schema)]
    pattern = schema.get("pattern", "")
    words = WORDS.search(pattern)
    if words is not None:
        return [Literal.__getitem__(tuple(words[1].split("|")))]
    return [] if pattern == EXPRESSION else [str]


def _several(schema: Mapping[str, Any]) -> Any:
    """Entries: a tuple where it is known how many."""
    entry = _type(schema["items"])
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and least == most:
        return tuple.__class_getitem__((entry,) * least)
    return Sequence[entry]  # type: ignore[valid-type]
