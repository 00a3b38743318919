"""How a file is laid out, in both surfaces alike: what stays on one line, and where remarks go."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import final

from codsl.printing import flat
from codsl.printing.anchors import Item, arguments, body, inside, start, value
from codsl.printing.expressions import Writer
from codsl.printing.lines import INDENT, Line, fits
from codsl.printing.margins import Margins, Remark
from codsl.syntax import tree

INPUTS = -2
"""Where several inputs together are taken to start, for what is said above them."""


def _at(item: Item | tree.Name) -> int:
    return item.span.start if isinstance(item, tree.Name) else start(item)


def _holds_layer(node: tree.Expression) -> bool:
    """Whether a value is a layer with arguments, or has one in it."""
    if isinstance(node, tree.Tuple):
        return any(map(_holds_layer, node.items))
    return isinstance(node, tree.Call)


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
            chained = flat.chain(node)
            return bool(node.body) or (_holds(chained) if chained else bool(node.otherwise))
        case tree.Block() | tree.PerFrame() | tree.Branch():
            return bool(node.body)
    return False


@final
class Layout:
    """What of a document stands on one line, and its margins, where all has found its place.

    A construct stays on one line if it was, nothing is said inside it, and the text form has room.
    What is said at the end of something that may take several lines goes above it. `headline` is
    said on the line that the network begins with.
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
            self._checkpoint(checkpoint)
        for variant in document.variants:
            self._variant(variant)
        self._file(document)
        self.headline = ""
        if document.inputs:
            self._inputs(document, start(document.inputs[0]))
        self._parameters(document.parameters)
        self._body(document.body, INDENT)

    def is_flat(self, item: tree.Statement | tree.Branch | tree.Variant) -> bool:
        """Whether a construct, a branch or a variant stands on one line."""
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
        at = _at(item)
        if at in self.margins.beside:
            self.margins.above[at].append(Remark(self.margins.beside.pop(at)))

    def _file(self, document: tree.Document) -> None:
        """Find the places of what is said between the parts of a file."""
        if document.name:
            self._lift(document.name)
        within: list[Item] = [*document.inputs, *document.outputs[:1], *document.body[:1]]
        self._row(within)
        inside: list[Item | tree.Name] = [*document.parameters, *within]
        network = [document.name] if document.name else inside[:1]
        parts: list[Item | tree.Name] = [*document.imports, *document.templates, *network]
        parts += [*document.variants, *document.checkpoints]
        self._row(parts)
        if parts:
            self.margins.end[:0] = self.margins.below.pop(_at(parts[-1]), [])

    def _inputs(self, document: tree.Document, first: int) -> None:
        """Find the places of what is said where a network begins."""
        above, headline = self.margins.above, self.margins.opening.pop(first, "")
        if document.name:
            self.headline = headline
        elif headline:
            above[first].insert(0, Remark(headline))
        if document.inputs[0].name:
            above[INPUTS] = above.pop(first, [])

    def _row(self, items: Sequence[Item | tree.Name], spaced: bool = True) -> None:
        """Say above each part what is said below the one before it."""
        above, below = self.margins.above, self.margins.below
        for one, other in pairwise(map(_at, items)):
            said = below.pop(one, [])
            above[other][:0] = said if spaced else [Remark(each.text) for each in said]

    def _variant(self, node: tree.Variant) -> None:
        self._arguments(node.values)
        quiet = self.margins.quiet(arguments(node.values))
        if quiet and fits(0, flat.variant(node, self._writer)):
            self._flat.add(start(node))
        else:
            self._lift(node)

    def _checkpoint(self, node: tree.Checkpoint) -> None:
        """Let remarks be of the parts that come to stand beside them."""
        self._lift(node)
        self._arguments(node.settings)
        parts: list[Item] = [*node.settings, *node.rules, *node.adapters]
        self._row(parts)
        starts = [start(each) for each in parts]
        if headline := self.margins.headline(starts):
            self.margins.opening = {
                at: text for at, text in self.margins.opening.items() if at not in starts
            } | {starts[0]: headline}
        firsts: list[Item] = [*node.settings[:1], *node.rules[:1], *node.adapters[:1]]
        self.margins.spaced -= {at for at in map(start, firsts) if not self.margins.above.get(at)}

    def _body(self, statements: Sequence[tree.Statement], indent: int) -> None:
        self._row(statements)
        for each in statements:
            self._statement(each, indent)

    def _statement(self, node: tree.Statement, indent: int) -> None:
        made = node.statement if isinstance(node, tree.Repeat) else node
        match made:
            case tree.Layer() | tree.Join():
                self._arguments(made.arguments)
            case tree.Let(bindings):
                self._row(bindings, spaced=False)
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
                self._construct_head(node.arguments, (*node.body, *node.shortcut))
                self._body(node.body, deeper)
                self._body(node.shortcut, deeper)
            case tree.Parallel():
                self._construct_head(node.arguments, node.branches)
                self._row(node.branches)
                for branch in node.branches:
                    self._branch(branch, deeper)
            case tree.When():
                self._body(node.body, deeper)
                if (chained := self.chained(node)) is not None:
                    self._construct(chained, indent)
                else:
                    self._body(node.otherwise, deeper)

    def _construct_head(self, arguments: Sequence[tree.Argument], inside: Sequence[Item]) -> None:
        """What is said where a construct begins goes to where its body does."""
        self._arguments(arguments)
        self._row([*arguments[-1:], *inside[:1]])
        for each in arguments if inside else ():
            if headline := self.margins.opening.pop(start(each), ""):
                self.margins.say_opening(start(inside[0]), headline)

    def _branch(self, node: tree.Branch, indent: int) -> None:
        was = start(node) in self.margins.flat or not _holds(node)
        written = flat.branch(node, self._writer)
        if was and fits(indent, written) and self.margins.quiet(body(node.body)):
            self._flat.add(start(node))
        else:
            self._lift(node)
            self._body(node.body, indent + INDENT)

    def _parameters(self, items: Sequence[tree.Parameter]) -> None:
        self._row(items)
        for each in items:
            if each.default is not None:
                self._value(each, each.default)

    def _arguments(self, items: Sequence[tree.Argument]) -> None:
        self._row(items, spaced=False)
        for each in items:
            self._value(each, each.value)

    def _value(self, item: Item, given: tree.Expression) -> None:
        if _holds_layer(given) or not self.margins.quiet(value(given)):
            self._lift(item)
        if isinstance(given, tree.Tuple):
            self._row(given.items, spaced=False)
            for each in given.items:
                self._value(each, each)
        elif isinstance(given, tree.Call):
            self._arguments(given.arguments)
