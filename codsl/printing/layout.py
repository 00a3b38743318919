"""How a file is laid out, in both surfaces alike: what stays on one line, and where remarks go."""

from collections.abc import Sequence
from dataclasses import replace
from typing import final

from codsl.printing import flat
from codsl.printing.anchors import Item, body, inside, start, value
from codsl.printing.expressions import Writer
from codsl.printing.lines import INDENT, Line, fits
from codsl.printing.margins import Margins, Remark
from codsl.syntax import tree

INPUTS = -2
"""Where several inputs together are taken to start, for what is said above them."""


def _holds(node: tree.Statement | tree.Branch) -> bool:
    """Whether there is any statement inside."""
    match node:
        case tree.Repeat():
            return _holds(node.statement)
        case tree.Residual():
            return bool(node.body or node.shortcut)
        case tree.Parallel():
            return any(map(_holds, node.branches))
        case tree.When():
            return bool(node.body or node.otherwise)
        case tree.Block() | tree.PerFrame() | tree.Branch():
            return bool(node.body)
    return False


@final
class Layout:
    """What of a document stands on one line, and its margins, where all has found its place.

    A construct stays on one line if it was, nothing is said inside it, and the text form has room.
    What is said at the end of something that may take several lines goes above it.
    """

    def __init__(self, document: tree.Document, margins: Margins, writer: Writer) -> None:
        self.margins = margins
        self._writer = writer
        self._flat: set[int] = set()
        for template in document.templates:
            self._lift(template)
            self._parameters(template.parameters)
            self._body(template.body, INDENT)
        for checkpoint in document.checkpoints:
            self._lift(checkpoint)
            self._arguments(checkpoint.settings)
        for variant in document.variants:
            self._arguments(variant.values)
        if document.name:
            self._lift(document.name)
        if document.inputs and document.inputs[0].name:
            margins.above[INPUTS] = margins.above.pop(start(document.inputs[0]), [])
        self._parameters(document.parameters)
        self._body(document.body, INDENT)

    def is_flat(self, item: tree.Statement | tree.Branch) -> bool:
        """Whether a construct or a branch stands on one line."""
        return start(item) in self._flat

    def chained(self, node: tree.When) -> tree.When | None:
        """The condition on the line of this one's `else`, unless something is said around it."""
        inner = flat.chain(node)
        if inner is None:
            return None
        said = self.margins.says(start(inner))
        return None if said else inner

    def dressed(
        self, at: int, lines: Sequence[Line], first: bool = False, spaced: bool = True
    ) -> list[Line]:
        """The lines of a part with its remarks; there is no blank line above the `first` of all."""
        margins, indent = self.margins, lines[0].indent
        dressed: list[Line] = []
        for remark in margins.above.get(at, ()):
            dressed += [Line()] * (remark.blank and not (first and not dressed))
            dressed.append(Line(indent, remark.text))
        blank = spaced and at in margins.spaced and not (first and not dressed)
        said = [lines[-1].comment, margins.beside.get(at, "")]
        last = replace(lines[-1], comment="  ".join(filter(None, said)))
        dressed += [*[Line()] * blank, *lines[:-1], last]
        for remark in margins.below.get(at, ()):
            dressed += [*[Line()] * remark.blank, Line(indent, remark.text)]
        return dressed

    def _lift(self, item: Item | tree.Name) -> None:
        """Say above something what is said at its end."""
        at = item.span.start if isinstance(item, tree.Name) else start(item)
        if at in self.margins.beside:
            self.margins.above[at].append(Remark(self.margins.beside.pop(at)))

    def _body(self, statements: Sequence[tree.Statement], indent: int) -> None:
        for each in statements:
            self._statement(each, indent)

    def _statement(self, node: tree.Statement, indent: int) -> None:
        made = node.statement if isinstance(node, tree.Repeat) else node
        match made:
            case tree.Layer() | tree.Join():
                self._arguments(made.arguments)
            case tree.Let(bindings):
                for each in bindings:
                    self._value(each, each[1])
            case _ if self._stays(node, flat.statement(node, self._writer), indent):
                self._flat.add(start(node))
            case _:
                self._lift(node)
                self._construct(made, indent)

    def _stays(self, node: tree.Statement, written: str, indent: int) -> bool:
        was = start(node) in self.margins.flat or not _holds(node)
        return was and fits(indent, written) and self.margins.quiet(inside(node))

    def _construct(self, node: tree.Statement, indent: int) -> None:
        """Lay out what is inside a construct of several lines."""
        deeper = indent + INDENT
        match node:
            case tree.Block() | tree.PerFrame():
                self._body(node.body, deeper)
            case tree.Residual():
                self._arguments(node.arguments)
                self._body(node.body, deeper)
                self._body(node.shortcut, deeper)
            case tree.Parallel():
                self._arguments(node.arguments)
                for branch in node.branches:
                    self._branch(branch, deeper)
            case tree.When():
                self._body(node.body, deeper)
                if (chained := self.chained(node)) is not None:
                    self._construct(chained, indent)
                else:
                    self._body(node.otherwise, deeper)

    def _branch(self, node: tree.Branch, indent: int) -> None:
        was = start(node) in self.margins.flat or not _holds(node)
        written = flat.branch(node, self._writer)
        if was and fits(indent, written) and self.margins.quiet(body(node.body)):
            self._flat.add(start(node))
        else:
            self._lift(node)
            self._body(node.body, indent + INDENT)

    def _parameters(self, items: Sequence[tree.Parameter]) -> None:
        for each in items:
            if each.default is not None:
                self._value(each, each.default)

    def _arguments(self, items: Sequence[tree.Argument]) -> None:
        for each in items:
            self._value(each, each.value)

    def _value(self, item: Item, given: tree.Expression) -> None:
        if isinstance(given, tree.Call) or not self.margins.quiet(value(given)):
            self._lift(item)
        if isinstance(given, tree.Tuple):
            for each in given.items:
                self._value(each, each)
        elif isinstance(given, tree.Call):
            self._arguments(given.arguments)
