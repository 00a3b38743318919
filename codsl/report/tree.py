"""The layers of a report as a tree: blocks by their names, long repetitions gathered."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from codsl.graph.report import Row

GATHERED = 6
"""Members of a repetition from which on they are one entry beside others."""

_NUMBERED = re.compile(r"(?P<name>.*?\D)(?P<number>\d+)")


@dataclass(frozen=True)
class Entry:
    """A layer, or a block with its `parts`; `nodes` are the layers it stands for."""

    path: str
    name: str
    nodes: range
    parts: tuple["Entry", ...] = ()

    @property
    def folds(self) -> bool:
        """Whether it can be folded: a block, or a repetition."""
        return bool(self.parts)


def tree(rows: Sequence[Row], gather: bool = True) -> tuple[Entry, ...]:
    """The layers in order, each block above its own; what comes again stands again.

    With `gather`, members of a repetition that have others beside them become one entry.
    """
    return _level([row.path.split(".") for row in rows], range(len(rows)), 0, gather)


def _level(
    paths: Sequence[Sequence[str]], nodes: range, depth: int, gather: bool
) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for (name, inside), group in groupby(
        nodes, lambda node: (paths[node][depth], len(paths[node]) > depth + 1)
    ):
        found = list(group)
        path = ".".join(paths[found[0]][: depth + 1])
        if inside:
            own = range(found[0], found[-1] + 1)
            entries.append(Entry(path, name, own, _level(paths, own, depth + 1, gather)))
        else:
            entries += [Entry(path, name, range(node, node + 1)) for node in found]
    return _gathered(entries) if gather else tuple(entries)


def _gathered(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    runs = list(_runs(entries))
    if len(runs) == 1:
        return tuple(entries)
    return tuple(
        entry for run in runs for entry in ((_whole(run),) if len(run) >= GATHERED else run)
    )


def _runs(entries: Sequence[Entry]) -> Iterator[tuple[Entry, ...]]:
    """The entries, those together whose names count on: `block1`, `block2`, ..."""
    run: tuple[Entry, ...] = ()
    for entry in entries:
        if run and not _follows(run[-1], entry):
            yield run
            run = ()
        run = (*run, entry)
    if run:
        yield run


def _follows(one: Entry, two: Entry) -> bool:
    first, second = _NUMBERED.fullmatch(one.name), _NUMBERED.fullmatch(two.name)
    return (
        first is not None
        and second is not None
        and one.folds == two.folds
        and first["name"] == second["name"]
        and int(first["number"]) + 1 == int(second["number"])
    )


def _whole(run: Sequence[Entry]) -> Entry:
    nodes = range(run[0].nodes.start, run[-1].nodes.stop)
    to = f" \u2026 {run[-1].name}"
    return Entry(run[0].path + to, run[0].name + to, nodes, tuple(run))


def height(entries: Sequence[Entry], depth: int) -> int:
    """How many entries show where `depth` levels of blocks are unfolded."""
    return sum(1 + (height(entry.parts, depth - 1) if depth else 0) for entry in entries)


def levels(entries: Sequence[Entry]) -> int:
    """How many levels of blocks there are."""
    return max((1 + levels(entry.parts) for entry in entries if entry.folds), default=0)
