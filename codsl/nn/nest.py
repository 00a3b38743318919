"""Tensors as users hand them over: one, a list of streams, or a dict by name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

Nest = int | list[Any] | dict[str, Any]
"""The numbers of tensors, in the shape in which they are handed over."""


def leaves(x: Any) -> Iterator[Any]:
    """What is in a nest, in order."""
    if isinstance(x, Mapping):
        for each in x.values():
            yield from leaves(each)
    elif isinstance(x, list | tuple):
        for each in x:
            yield from leaves(each)
    else:
        yield x


def number(x: Any) -> Nest:
    """The same nest, with its leaves counted from 0."""
    count = iter(range(sum(1 for _ in leaves(x))))

    def counted(each: Any) -> Nest:
        if isinstance(each, Mapping):
            return {str(name): counted(value) for name, value in each.items()}
        if isinstance(each, list | tuple):
            return [counted(value) for value in each]
        return next(count)

    return counted(x)


def rebuild(nest: Nest, values: Sequence[T]) -> Any:
    """A nest with values in the place of their numbers."""
    if isinstance(nest, dict):
        return {name: rebuild(each, values) for name, each in nest.items()}
    if isinstance(nest, list):
        return [rebuild(each, values) for each in nest]
    return values[nest]


def key(nest: Nest) -> Any:
    """A nest as something that can be a key."""
    if isinstance(nest, dict):
        return tuple((name, key(each)) for name, each in nest.items())
    return tuple(map(key, nest)) if isinstance(nest, list) else nest
