"""Where the input of a statement comes from."""

from collections.abc import Sequence

from codsl.diagnostics import Applicability, Findings, Help
from codsl.source import Span
from codsl.spec.mend import reading_from
from codsl.spec.names import HOLE, Flow
from codsl.spec.place import Place
from codsl.syntax import tree


def reads(body: Sequence[tree.Statement]) -> bool:
    """Whether the first layer in a block surely takes what comes into the block."""
    for statement in body:
        match statement:
            case tree.Let():
                continue
            case tree.Layer(sources=()):
                return True
            case tree.Block(body=inner, sources=()) | tree.PerFrame(body=inner, sources=()):
                return reads(inner)
            case _:
                return False
    return False


class Sources:
    """What statements may read: the value before them, one named earlier, or an input."""

    def __init__(self, inputs: Sequence[tree.Input], findings: Findings) -> None:
        self._inputs = list(dict.fromkeys(each.name.text for each in inputs if each.name))
        self._findings = findings

    def source(self, selectors: tuple[tree.Selector, ...], place: Place, flow: Flow) -> Flow:
        """The one value that a statement reads; `flow` is that before it."""
        if not selectors:
            return flow
        found = [
            flow for selector in selectors for _, flow in place.names.find(selector, self._findings)
        ]
        if len(found) > 1:
            self._findings.add(
                "E0309",
                "this takes one input",
                selectors[-1].span,
                helps=("join several first: `join from a, b`",),
            )
            return HOLE
        return found[0]

    def taken(self, flow: Flow, at: Span) -> Flow:
        """A value that is needed here; reports where none of several inputs is chosen yet."""
        if flow.begun:
            return flow
        self._findings.add(
            "E0315",
            "several inputs enter, and this does not say which it takes",
            at,
            notes=("the inputs are " + ", ".join(f"`{name}`" for name in self._inputs),),
            helps=(
                Help(
                    f"write `from {self._inputs[0]}`, in YAML `from: {self._inputs[0]}`",
                    reading_from(at, self._inputs[0]),
                    Applicability.CHOICE,
                ),
            ),
        )
        return HOLE
