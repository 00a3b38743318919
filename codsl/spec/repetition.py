"""Which indices a repetition counts."""

from codsl.diagnostics import Findings
from codsl.spec.room import Room
from codsl.spec.values import Evaluator, Hole, describe
from codsl.syntax import tree


def indices_of(node: tree.Repeat, evaluator: Evaluator, room: Room, findings: Findings) -> range:
    """The indices of a repetition; raises `Hole` once what is wrong is reported, and `Full` where
    there is no room for them."""
    if isinstance(node.statement, tree.Broken):
        raise Hole
    first, last = (_index(each, evaluator, findings) for each in (node.first, node.last))
    step = 1 if node.step is None else _step(node.step, evaluator, findings)
    if isinstance(node.statement, tree.Let | tree.When | tree.Repeat) or node.statement.name:
        findings.add(
            "E0201",
            "a repetition repeats one layer or block, and names it",
            node.statement.span,
            helps=("put it into a block: `{ ... }`, in YAML `sequential`",),
        )
        raise Hole
    indices = range(first, last + (1 if step > 0 else -1), step)
    room.check(len(indices), node.last.span)
    return indices


def _step(expression: tree.Expression, evaluator: Evaluator, findings: Findings) -> int:
    value = evaluator.value(expression)
    if isinstance(value, bool) or not isinstance(value, int) or value == 0:
        message = f"a step is an integer other than 0, found {describe(value)}"
        findings.add("E0305", message, expression.span)
        raise Hole
    return value


def _index(expression: tree.Expression, evaluator: Evaluator, findings: Findings) -> int:
    value = evaluator.value(expression)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        message = f"a repetition counts with integers from 0, found {describe(value)}"
        findings.add("E0305", message, expression.span)
        raise Hole
    return value
