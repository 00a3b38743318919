"""What tells the streams of one network from another's: a digest of all that decides a state."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
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
    match value:
        case bool() | str() | bytes() | None:
            return repr(value)
        case Integral():
            return repr(int(value))
        case Real():
            return repr(float(value))
        case Mapping():
            return _row("{}", sorted(f"{key}:{written(each)}" for key, each in value.items()))
        case list() | tuple():
            return _row("()", map(written, value))
        case set() | frozenset():
            return _row("{}", sorted(map(written, value)))
        case Callable():
            return f"{value.__module__}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    name = type(value).__qualname__
    return f"{name}{_row('()', _own(value))}" if is_dataclass(value) else name


def _row(brackets: str, entries: Any) -> str:
    return f"{brackets[0]}{','.join(entries)}{brackets[1]}"


def _own(value: Any) -> Iterator[str]:
    """The fields of a dataclass that are not as by default."""
    for field in fields(value):
        text = written(getattr(value, field.name))
        if text != _default(field):
            yield f"{field.name}={text}"


def _default(field: Field[Any]) -> str | None:
    if field.default is not MISSING:
        return written(field.default)
    return None if field.default_factory is MISSING else written(field.default_factory())
