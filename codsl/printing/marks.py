"""What a tree does not hold of its source: where comments stand, and which brackets are around."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final


@final
@dataclass(frozen=True)
class Comment:
    """A comment with its sign; `alone` on its line, or behind something."""

    start: int
    text: str
    alone: bool


@final
@dataclass(frozen=True)
class Enclosure:
    """Brackets, or in YAML a collection; what it holds lies behind `start` and before `end`.

    It is `flat` where it is on one line, in YAML where it is in brackets.
    """

    start: int
    end: int
    flat: bool

    def holds(self, offset: int) -> bool:
        """Whether a place is inside."""
        return self.start < offset < self.end


@final
@dataclass(frozen=True, eq=False)
class Marks:
    """The comments of a source in their order, its enclosures, and places that no node knows.

    `places` are those of the words `codsl` and `doc`; `keys` those of the keys of a YAML file that
    hold more, each with where that ends. `values` are those of keys of YAML, on a line or in
    brackets, by their last character: where the key starts, and the value.
    """

    text: str
    comments: tuple[Comment, ...]
    enclosures: tuple[Enclosure, ...]
    places: Mapping[str, int]
    is_yaml: bool = False
    keys: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    values: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    _parents: dict[int, int] = field(init=False, default_factory=dict)
    _starts: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        above: list[int] = []
        for at, each in enumerate(self.enclosures):
            while above and self.enclosures[above[-1]].end <= each.start:
                above.pop()
            self._parents[at] = above[-1] if above else -1
            above.append(at)
            self._starts.append(each.start)

    def around(self, offset: int) -> Enclosure:
        """The innermost enclosure of a place; the whole source where there is none."""
        at = bisect_right(self._starts, offset) - 1
        while at >= 0 and not self.enclosures[at].holds(offset):
            at = self._parents[at]
        return self.enclosures[at] if at >= 0 else Enclosure(-1, len(self.text) + 1, False)

    @property
    def root(self) -> Enclosure:
        """The enclosure of all that the file says."""
        return self.around(self.places["codsl"])

    def within(self, outer: Enclosure, start: int, end: int) -> list[Enclosure]:
        """The enclosures directly in `outer` that begin from `start` on and before `end`."""
        first, last = (bisect_right(self._starts, each - 1) for each in (start, end))
        found: list[Enclosure] = []
        for each in self.enclosures[first:last]:
            inner = found and each.start < found[-1].end
            if each is not outer and not inner and each.end <= outer.end:
                found.append(each)
        return found

    def blank_above(self, offset: int) -> bool:
        """Whether the line above that of a place is blank."""
        line = self.text.rfind("\n", 0, offset)
        above = self.text.rfind("\n", 0, max(line, 0))
        return line > 0 and not self.text[above + 1 : line].strip()

    def behind_dash(self, offset: int) -> bool:
        """Whether the line above that says anything is the dash of an item of YAML."""
        end = self.text.rfind("\n", 0, offset)
        while end > 0:
            start = self.text.rfind("\n", 0, end) + 1
            line = self.text[start:end].strip()
            if line and not line.startswith("#"):
                return self.is_yaml and re.fullmatch(r"(- )*-(\s+#.*)?", line) is not None
            end = start - 1
        return False

    def before(self, offset: int) -> int:
        """Where the last character stands that is before a place on its line; -1 for none."""
        start = self.text.rfind("\n", 0, offset) + 1
        return start + len(self.text[start:offset].rstrip()) - 1 if start < offset else -1


def ordered(enclosures: Iterable[Enclosure]) -> tuple[Enclosure, ...]:
    """Enclosures as `Marks` has them, the outer before the inner."""
    return tuple(sorted(enclosures, key=lambda each: (each.start, -each.end)))


def is_alone(text: str, offset: int) -> bool:
    """Whether nothing stands before a place on its line."""
    return not text[text.rfind("\n", 0, offset) + 1 : offset].strip()


def comments_of(text: str, starts: Sequence[tuple[int, int]]) -> tuple[Comment, ...]:
    """The comments that stand from each start up to each end."""
    return tuple(
        Comment(start, text[start:end].rstrip(), is_alone(text, start)) for start, end in starts
    )
