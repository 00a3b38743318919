"""Wires lead from what is read to what reads it, whatever is folded."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from drawn import LARGE, made_up, report_of, row

from codsl.graph.report import Report
from codsl.report.tree import Entry, tree
from codsl.report.view import Views
from codsl.report.wires import Line, Wiring, wiring

NAMES = ["small", "two", "inception", "two_rate", "movinet", *LARGE]


def drawn(report: Report) -> Wiring:
    return wiring(Views(report), tree(report.nodes))


def every(wires: Wiring) -> list[tuple[int, int]]:
    pairs = [(wire.source, wire.target) for wire in wires.neighbours.values()]
    return pairs + [(wire.source, wire.target) for each in wires.bundles for wire in each.wires]


@pytest.mark.parametrize("name", NAMES)
def test_every_edge_of_the_graph_is_a_path_of_wires(name: str) -> None:
    report = report_of(name)
    wires, views = drawn(report), Views(report)
    heads = {line.number for line in wires.lines if line.entry.folds}
    at = {each: number for number, each in enumerate(views.inputs)}
    at |= {
        report.nodes[line.entry.nodes[0]].path: line.number
        for line in wires.lines
        if line.number not in heads
    }
    into: dict[int, set[int]] = {}
    for source, target in every(wires):
        into.setdefault(target, set()).add(source)

    def origins(line: int) -> set[int]:
        found = set()
        for source in into.get(line, set()):
            found |= origins(source) if source in heads else {source}
        return found

    for each in report.nodes:
        assert origins(at[each.path]) == {at[name] for name in each.inputs}, each.path


def folded(lines: Sequence[Line], depth: int) -> list[tuple[int, int]]:
    """The lines that each row stands for where blocks of this depth are folded."""
    rows, hidden = [], -1
    for line in lines:
        if line.number > hidden:
            opened = line.entry.folds and line.depth < depth
            rows.append((line.number, line.number if opened else line.last))
            hidden = line.number if opened else line.last
    return rows


@pytest.mark.parametrize("depth", range(5))
@pytest.mark.parametrize("name", NAMES)
def test_lanes_go_on_from_row_to_row(name: str, depth: int) -> None:
    report = report_of(name)
    wires = drawn(report)
    inputs = [(number, number) for number in range(len(Views(report).inputs))]
    rows = [wires.crossings(*row) for row in inputs + folded(wires.lines, depth)]
    for above, below in pairwise([[], *rows, []]):
        down = {each.lane for each in above if each.off or each.by}
        up = {each.lane for each in below if each.to or each.by}
        assert down == up
    for crossings in rows:
        assert len({(each.lane, each.to, each.off, each.by) for each in crossings}) == len(
            crossings
        )


@pytest.mark.parametrize("name", NAMES)
def test_bundles_of_one_lane_do_not_overlap(name: str) -> None:
    lanes: dict[int, list[tuple[int, int]]] = {}
    for bundle in drawn(report_of(name)).bundles:
        reach = min(w.source for w in bundle.wires), max(w.target for w in bundle.wires)
        lanes.setdefault(bundle.lane, []).append(reach)
    for reaches in lanes.values():
        assert all(one[1] <= two[0] for one, two in pairwise(sorted(reaches)))


def test_a_residual_that_is_folded_has_no_wire_beside_it() -> None:
    wires = drawn(report_of("small"))
    (block,) = (line for line in wires.lines if line.entry.folds)
    assert wires.crossings(block.number, block.last) == []
    assert [(each.lane, each.off) for each in wires.crossings(block.number, block.number)] == [
        (1, True)
    ]


def test_what_enters_a_block_in_a_block_enters_both_heads() -> None:
    inside = [row("stem"), row("a.b.x", inputs=("stem",)), row("a.b.y", inputs=("stem",))]
    wires = drawn(made_up("n", *inside))
    assert sorted(each for each in every(wires) if each != (0, 1)) == [
        (1, 2),
        (2, 3),
        (3, 4),
        (3, 5),
    ]


def names(entries: Sequence[Entry]) -> list[str]:
    return [entry.name for entry in entries]


def test_a_long_repetition_is_one_entry_beside_others() -> None:
    units = [row(f"unit{number}.relu") for number in range(1, 9)]
    assert names(tree([row("stem"), *units])) == ["stem", "unit1 \u2026 unit8"]
    assert len(tree(units)) == 8
    assert names(tree([row("stem"), *units[:5]]))[1:] == [f"unit{n}" for n in range(1, 6)]
    assert names(tree([row("stem"), *units], gather=False))[1:] == [f"unit{n}" for n in range(1, 9)]


def test_members_that_do_not_count_on_are_no_repetition() -> None:
    found = tree([row("stem"), *(row(f"unit{n}.relu") for n in (1, 2, 3, 5, 6, 7, 9))])
    assert len(found) == 8


@pytest.mark.parametrize("name", NAMES)
def test_the_tree_has_every_layer_once_and_in_order(name: str) -> None:
    rows = report_of(name).nodes
    top = tree(rows)

    def leaves(entries: Sequence[Entry]) -> list[int]:
        return [n for each in entries for n in (leaves(each.parts) if each.folds else each.nodes)]

    assert leaves(top) == list(range(len(rows)))
