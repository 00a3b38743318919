"""The wires of a picture: which lines flow into which, and the lane that each runs in beside them.

A line is an input, a layer, or the head of a block. What a block reads first enters at its head, so
that its wires are the same whether it is folded or not.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codsl.report.tree import Entry
from codsl.report.view import Views


@dataclass(frozen=True)
class Line:
    """An entry at its place from the top, `last` being the last line inside it."""

    number: int
    last: int
    entry: Entry
    depth: int
    parent: int | None


@dataclass(frozen=True)
class Wire:
    """From one line to a later one; `holds` where what flows has to wait."""

    source: int
    target: int
    holds: bool = False


@dataclass(frozen=True)
class Bundle:
    """Wires that share a lane, since they begin or end together; lane 1 is next to the lines."""

    lane: int
    wires: tuple[Wire, ...]


@dataclass(frozen=True)
class Crossing:
    """What a row shows of a bundle: it comes `to` the row, leaves `off` it, or goes `by`."""

    lane: int
    to: bool
    off: bool
    by: bool
    holds: bool


@dataclass(frozen=True)
class Wiring:
    """All wires: those between neighbours by the line that they enter, the others in bundles."""

    lines: tuple[Line, ...]
    neighbours: dict[int, Wire]
    bundles: tuple[Bundle, ...]

    @property
    def lanes(self) -> int:
        """How many lanes there are."""
        return max((bundle.lane for bundle in self.bundles), default=0)

    def crossings(self, first: int, last: int) -> list[Crossing]:
        """What passes a row that stands for lines `first` to `last`."""
        found = []
        for bundle in self.bundles:
            to = off = by = holds = False
            for wire in bundle.wires:
                comes = wire.source < first <= wire.target <= last
                goes = first <= wire.source <= last < wire.target
                passes = wire.source < first and last < wire.target
                to, off, by = to or comes, off or goes, by or passes
                holds = holds or (wire.holds and (comes or goes or passes))
            if to or off or by:
                found.append(Crossing(bundle.lane, to, off, by, holds))
        return found


def lines(entries: Sequence[Entry], start: int) -> list[Line]:
    """The entries from top to bottom, each block above its parts, numbered from `start`."""
    found: list[Line] = []

    def add(entry: Entry, depth: int, parent: int | None) -> None:
        at, number = len(found), start + len(found)
        found.append(Line(number, number, entry, depth, parent))
        for part in entry.parts:
            add(part, depth + 1, number)
        found[at] = Line(number, start + len(found) - 1, entry, depth, parent)

    for entry in entries:
        add(entry, 0, None)
    return found


def wiring(views: Views, entries: Sequence[Entry]) -> Wiring:
    """The wires of a report whose layers stand in this tree, below the network's inputs."""
    below = lines(entries, len(views.inputs))
    wires: dict[tuple[int, int], Wire] = {}
    for wire in _wires(views, below):
        before = wires.get((wire.source, wire.target), wire)
        wires[wire.source, wire.target] = Wire(wire.source, wire.target, wire.holds or before.holds)
    near = {wire.target: wire for wire in wires.values() if wire.target == wire.source + 1}
    far = [wire for wire in wires.values() if wire.target > wire.source + 1]
    return Wiring(tuple(below), near, tuple(_in_lanes(_bundled(far))))


def _wires(views: Views, below: Sequence[Line]) -> Iterator[Wire]:
    """Every wire, cut where it enters a block by its head."""
    at = {name: number for number, name in enumerate(views.inputs)}
    at |= {
        views.report.nodes[line.entry.nodes[0]].path: line.number
        for line in below
        if not line.entry.folds
    }
    numbered = {line.number: line for line in below}
    entered = {line.number: views.reads(line.entry.nodes)[:1] for line in below if line.entry.folds}
    for line in below:
        if line.entry.folds:
            continue
        row = views.report.nodes[line.entry.nodes[0]]
        for name, hold in zip(row.inputs, row.holds, strict=True):
            source = at[name]
            for head in reversed(list(_around(line, numbered))):
                if head.number > source and entered[head.number] == [name]:
                    yield Wire(source, head.number)
                    source = head.number
            yield Wire(source, line.number, hold > 0)


def _around(line: Line, numbered: dict[int, Line]) -> Iterator[Line]:
    """The blocks around a line, the innermost first."""
    while line.parent is not None:
        line = numbered[line.parent]
        yield line


def _bundled(wires: Sequence[Wire]) -> list[tuple[Wire, ...]]:
    """The wires of a source that has several together, the others by their target."""
    sources: dict[int, list[Wire]] = defaultdict(list)
    for wire in wires:
        sources[wire.source].append(wire)
    targets: dict[int, list[Wire]] = defaultdict(list)
    bundles = []
    for found in sources.values():
        if len(found) > 1:
            bundles.append(tuple(found))
        else:
            targets[found[0].target] += found
    return bundles + [tuple(found) for found in targets.values()]


def _in_lanes(bundles: Sequence[tuple[Wire, ...]]) -> list[Bundle]:
    """Each bundle in the first lane that is free, the short ones first."""

    def reach(wires: tuple[Wire, ...]) -> tuple[int, int]:
        return min(wire.source for wire in wires), max(wire.target for wire in wires)

    taken: list[list[tuple[int, int]]] = []
    found = []
    for wires in sorted(bundles, key=lambda each: (reach(each)[1] - reach(each)[0], reach(each))):
        start, stop = reach(wires)
        lane = next(
            (
                number
                for number, others in enumerate(taken)
                if all(stop <= first or last <= start for first, last in others)
            ),
            len(taken),
        )
        taken[lane:lane] = [[]] if lane == len(taken) else []
        taken[lane].append((start, stop))
        found.append(Bundle(lane + 1, wires))
    return found
