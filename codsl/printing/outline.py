"""YAML before it is laid out: mappings, lists and scalars, and the parts of a tree they are of."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import final


class Style(Enum):
    """How a collection is laid out."""

    FIT = auto()
    """In brackets where there is room, else an entry a line."""
    FLOW = auto()
    """In brackets."""
    BLOCK = auto()
    """An entry a line."""


class Space(Enum):
    """Whether a blank line stands above an entry of its own line."""

    NEVER = auto()
    TIGHT = auto()
    """Only between it and what is said above it."""
    KEPT = auto()
    """Where there was one, but for the first."""
    FREE = auto()
    """Where there was one."""
    APART = auto()
    """Always."""


@final
@dataclass(frozen=True)
class Leaf:
    """A scalar as it is spelled outside of brackets and inside; `below` it are lines of a text."""

    block: str
    flow: str
    below: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class Entry:
    """An entry of a mapping, or an item of a list, which has no key.

    `at` is where the part of the tree starts that it stands for, if it does.
    """

    key: Leaf | None
    value: "Outline"
    at: int | None = None
    space: Space = Space.NEVER


@final
@dataclass(frozen=True)
class Group:
    """A mapping or a list."""

    entries: tuple[Entry, ...]
    is_mapping: bool
    style: Style = Style.FIT

    def all(self) -> Iterator[Entry]:
        """The entries, and those in them."""
        for entry in self.entries:
            yield entry
            if isinstance(entry.value, Group):
                yield from entry.value.all()


Outline = Leaf | Group


def holds_mapping(node: Outline) -> bool:
    """Whether a mapping is anywhere in something."""
    if isinstance(node, Leaf):
        return False
    return node.is_mapping or any(holds_mapping(each.value) for each in node.entries)


def flow(node: Outline) -> str:
    """Something on one line, in brackets where it is a collection."""
    if isinstance(node, Leaf):
        return node.flow
    inner = ", ".join(map(flow_entry, node.entries))
    return f"{{{inner}}}" if node.is_mapping else f"[{inner}]"


def flow_entry(entry: Entry) -> str:
    """An entry on one line."""
    return f"{entry.key.flow}: {flow(entry.value)}" if entry.key else flow(entry.value)
