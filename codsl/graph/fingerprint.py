"""What tells the streams of one network from another's: a digest of all that decides a state."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from hashlib import sha256
from numbers import Integral, Real
from typing import Any

from codsl.algebra.ports import Inlet
from codsl.graph.align import Schedule
from codsl.graph.node import Node

SHORT = 8
"""Hexadecimal digits that stand for a part."""


@dataclass(frozen=True)
class Fingerprint:
    """A SHA-256 over what decides the state of a stream, and in short that of every part by name.

    It is the same in every process. Weights do not count, nor do the names of outputs.
    """

    digest: str
    parts: tuple[tuple[str, str], ...]

    def differences(self, other: "Fingerprint") -> Iterator[str]:
        """What parts this one has that `other` has not, or otherwise, and the reverse."""
        mine, others = dict(self.parts), dict(other.parts)
        for name, part in mine.items():
            if name not in others:
                yield f"`{name}` is not here"
            elif others[name] != part:
                yield f"`{name}` is another here"
        yield from (f"`{name}` is new here" for name in others if name not in mine)


def fingerprint(
    inputs: Sequence[Inlet], nodes: Sequence[Node], live: frozenset[int], schedule: Schedule
) -> Fingerprint:
    """The fingerprint of a graph: its inputs, what it computes, and what it keeps of each value."""
    base = len(inputs)
    values = [*range(base), *(base + index for index in sorted(live))]
    numbers = {value: number for number, value in enumerate(values)}
    texts = [(inlet.name or "input", written(inlet.frame)) for inlet in inputs]
    for index in sorted(live):
        node = nodes[index]
        edges = [(numbers[edge.source], edge.reach) for edge in node.edges]
        facts = (node.type, edges, node.frame, node.recipe, schedule.fires[base + index])
        texts.append((node.path, written(facts)))
    feeds = [
        (numbers[feed.value], feed.through is not None, feed.depth, feed.frame)
        for feed in schedule.feeds
    ]
    texts.append(("what is kept", written(feeds)))
    whole = _digest("\n".join(f"{name} {text}" for name, text in texts))
    return Fingerprint(whole, tuple((name, _digest(text)[:SHORT]) for name, text in texts))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def written(value: Any) -> str:
    """A value as text that depends on nothing else; what is as by default is left out."""
    kind: Any = type(value)
    return _way(kind)(value)


@cache
def _way(kind: type) -> Callable[[Any], str]:
    """How values of a class are written."""
    for kinds, way in _WAYS:
        if issubclass(kind, kinds):
            return way
    return _fields if is_dataclass(kind) else _class


def _mapping(value: Mapping[Any, Any]) -> str:
    return _row("{}", sorted(f"{key}:{written(each)}" for key, each in value.items()))


def _function(value: Any) -> str:
    return f"{value.__module__}.{getattr(value, '__qualname__', type(value).__qualname__)}"


def _class(value: Any) -> str:
    return type(value).__qualname__


def _fields(value: Any) -> str:
    """An instance of a dataclass, by those of its fields that are not as by default."""
    kind: Any = type(value)
    own = ((name, written(getattr(value, name)), default) for name, default in _kept(kind))
    given = (f"{name}={text}" for name, text, default in own if text != default)
    return f"{_class(value)}{_row('()', given)}"


@cache
def _kept(kind: Any) -> tuple[tuple[str, str | None], ...]:
    """The fields of a dataclass, and what each is by default."""
    return tuple((field.name, _default(field)) for field in fields(kind))


def _default(field: Field[Any]) -> str | None:
    if field.default is not MISSING:
        return written(field.default)
    return None if field.default_factory is MISSING else written(field.default_factory())


def _row(brackets: str, entries: Iterable[str]) -> str:
    return f"{brackets[0]}{','.join(entries)}{brackets[1]}"


_WAYS: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    ((bool, str, bytes, type(None)), repr),
    (Integral, lambda value: repr(int(value))),
    (Real, lambda value: repr(float(value))),
    (Mapping, _mapping),
    ((list, tuple), lambda value: _row("()", map(written, value))),
    ((set, frozenset), lambda value: _row("{}", sorted(map(written, value)))),
    (Callable, _function),
)
"""How values are written by the first of these that they are an instance of."""
