"""The text form as `codsl fmt` writes it: from a tree and its layout to lines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import final

from codsl.printing import flat
from codsl.printing.anchors import Item, inside, start
from codsl.printing.expressions import Writer, string
from codsl.printing.layout import INPUTS, Layout
from codsl.printing.lines import INDENT, Line, filled, fits
from codsl.printing.lists import Entry, Lists
from codsl.syntax import tree

Body = Sequence[tree.Statement]


def text_lines(
    document: tree.Document, layout: Layout, writer: Writer, places: Mapping[str, int]
) -> list[Line]:
    """The lines of a document in the text form; `places` are those of `codsl` and `doc`."""
    return _Printer(layout, writer).document(document, places)


@final
class _Printer:
    def __init__(self, layout: Layout, writer: Writer) -> None:
        self._layout = layout
        self._writer = writer
        self._margins = layout.margins
        self._lists = Lists(writer, layout)

    def document(self, document: tree.Document, places: Mapping[str, int]) -> list[Line]:
        """All lines: imports and templates before the network, what is about it behind it."""
        lines = self._section(places["codsl"], [Line(0, f"codsl {document.version}")])
        if document.doc is not None:
            written = [Line(0, f"doc {string(document.doc)}")]
            lines += [Line(), *self._section(places["doc"], written)]
        lines += self._group(document.imports, [_import(each) for each in document.imports])
        for template in document.templates:
            lines += [Line(), *self._section(start(template), self._template(template))]
        if document.has_network:
            at = document.name.span.start if document.name else -1
            lines += [Line(), *self._section(at, self._network(document))]
        lines += self._group(document.variants, [self._variant(each) for each in document.variants])
        for checkpoint in document.checkpoints:
            lines += [Line(), *self._section(start(checkpoint), self._checkpoint(checkpoint))]
        for remark in self._margins.end:
            lines += [*[Line()] * remark.blank, Line(0, remark.text)]
        return lines

    def _section(self, at: int, lines: list[Line]) -> list[Line]:
        return self._layout.dressed(at, lines, first=True)

    def _group(self, items: Sequence[Item], written: Sequence[list[Line]]) -> list[Line]:
        """Parts with a blank line above the first, and above others where there was one."""
        lines = [Line()] if items else []
        for item, each in zip(items, written, strict=True):
            lines += self._layout.dressed(start(item), each, first=item is items[0])
        return lines

    def _template(self, node: tree.Template) -> list[Line]:
        head = f"template {node.name.text}"
        return self._braced(self._lists.parameters(head, node.parameters, " {", 0), node.body)

    def _network(self, node: tree.Document) -> list[Line]:
        head = f"network {node.name.text}" if node.name else "network"
        lines = self._lists.parameters(head, node.parameters, " {", 0)
        inner: list[Line] = []
        starts = [start(each) for each in node.inputs[:1]]
        if node.inputs:
            at = INPUTS if node.inputs[0].name else starts[0]
            inner += self._section(at, self._inputs(node.inputs))
        if node.outputs:
            written = _hung([Line(INDENT)], "outputs ", node.outputs)
            inner += self._section(start(node.outputs[0]), written)
        inner += self._body(node.body, INDENT, first=not inner)
        closed = self._closed(lines, inner, ())
        closed[len(lines) - 1] = replace(closed[len(lines) - 1], comment=self._layout.headline)
        return closed

    def _inputs(self, inputs: Sequence[tree.Input]) -> list[Line]:
        written = [_input(each, self._writer) for each in inputs]
        line = f"inputs {', '.join(written)}" if inputs[0].name else f"input {written[0]}"
        quiet = not any(self._margins.says(start(each), but_opening=True) for each in inputs)
        if not inputs[0].name or (quiet and fits(INDENT, line)):
            return [Line(INDENT, line)]
        lines = [Line(INDENT, "inputs")]
        for each, code in zip(inputs, written, strict=True):
            entry = [Line(2 * INDENT, f"{code}{'' if each is inputs[-1] else ','}")]
            lines += self._layout.dressed(start(each), entry, spaced=False)
        return lines

    def _variant(self, node: tree.Variant) -> list[Line]:
        if self._layout.is_flat(node):
            return [Line(0, flat.variant(node, self._writer))]
        lines: list[Line] = []
        for each in node.values:
            written = self._lists.value(flat.key(each), each.value, "", INDENT)
            lines += self._layout.dressed(start(each), written, spaced=False)
        head = Line(0, f"variant {node.name.text} {{")
        return self._closed([head], lines, map(start, node.values))

    def _checkpoint(self, node: tree.Checkpoint) -> list[Line]:
        lines: list[Line] = []
        for each in node.settings:
            written = self._lists.value(flat.key(each), each.value, "", INDENT)
            lines += self._layout.dressed(start(each), written, each is node.settings[0])
        for pairs, sign in ((node.rules, "->"), (node.adapters, "=")):
            for pair in pairs:
                lines += self._layout.dressed(start(pair), _pair(pair, sign), pair is pairs[0])
        parts: list[Item] = [*node.settings, *node.rules, *node.adapters]
        head = Line(0, f"weights {string(node.name.text)} {{")
        return self._closed([head], lines, map(start, parts))

    def _body(self, statements: Body, indent: int, first: bool = True) -> list[Line]:
        lines: list[Line] = []
        for each in statements:
            written = self._statement(each, indent)
            lines += self._layout.dressed(start(each), written, first=first and not lines)
        return lines

    def _statement(self, node: tree.Statement, indent: int) -> list[Line]:
        if self._layout.is_flat(node):
            return [Line(indent, flat.statement(node, self._writer))]
        if isinstance(node, tree.Repeat):
            return self._made(node.statement, flat.heading(node, self._writer), indent)
        return self._made(node, "", indent)

    def _made(self, node: tree.Statement, before: str, indent: int) -> list[Line]:
        """A statement that takes several lines, or may."""
        head = f"{before}{flat.name(node)}"
        match node:
            case tree.Layer(kind):
                lines = self._given(f"{head}{kind.text}", kind.text, node.arguments, "", indent)
            case tree.Join():
                lines = self._given(f"{head}join", "join", node.arguments, "", indent)
            case tree.Block():
                lines = self._braced([Line(indent, f"{head}{{")], node.body)
            case tree.PerFrame():
                lines = self._braced([Line(indent, f"{head}per_frame {{")], node.body)
            case tree.Residual():
                lines = self._given(f"{head}residual", "residual", node.arguments, " {", indent)
                lines = self._braced(lines, node.body)
                if node.shortcut:
                    lines = self._braced(_further(lines, " shortcut {"), node.shortcut)
            case tree.Parallel():
                lines = self._given(f"{head}parallel", "parallel", node.arguments, " {", indent)
                lines = self._branches(lines, node.branches)
            case tree.When():
                test = self._writer.expression(node.test)
                return self._when([Line(indent, f"when {test} {{")], node)
            case tree.Let():
                return self._let(node, indent)
            case _:
                raise ValueError("a repetition is of a layer or a block")
        return _hung(lines, " from ", node.sources) if node.sources else lines

    def _given(
        self, head: str, kind: str, given: Sequence[tree.Argument], tail: str, indent: int
    ) -> list[Line]:
        return self._lists.arguments(head, kind, given, tail, indent)

    def _when(self, lines: list[Line], node: tree.When) -> list[Line]:
        lines = self._braced(lines, node.body)
        if (chained := self._layout.chained(node)) is not None:
            test = self._writer.expression(chained.test)
            return self._when(_further(lines, f" else when {test} {{"), chained)
        return self._braced(_further(lines, " else {"), node.otherwise) if node.otherwise else lines

    def _branches(self, lines: list[Line], branches: Sequence[tree.Branch]) -> list[Line]:
        inner: list[Line] = []
        for each in branches:
            written = self._branch(each, lines[-1].indent + INDENT)
            inner += self._layout.dressed(start(each), written, first=not inner)
        return self._closed(lines, inner, map(start, branches))

    def _branch(self, node: tree.Branch, indent: int) -> list[Line]:
        if self._layout.is_flat(node):
            return [Line(indent, flat.branch(node, self._writer))]
        head = f"{node.name.text} {{" if node.name else "{"
        return self._braced([Line(indent, head)], node.body)

    def _braced(self, lines: list[Line], statements: Body) -> list[Line]:
        """Statements behind lines that end with a brace."""
        inner = self._body(statements, lines[-1].indent + INDENT)
        return self._closed(lines, inner, map(start, statements))

    def _closed(self, lines: list[Line], inner: list[Line], parts: Iterable[int]) -> list[Line]:
        """Lines inside of braces, behind lines that end with one; `parts` may head them."""
        if not inner:
            return _further(lines, "}")
        opening = replace(lines[-1], comment=self._margins.headline(parts))
        return [*lines[:-1], opening, *inner, Line(opening.indent, "}")]

    def _let(self, node: tree.Let, indent: int) -> list[Line]:
        line = flat.statement(node, self._writer)
        if fits(indent, line) and self._margins.quiet(inside(node)):
            return [Line(indent, line)]
        entries = [
            Entry(f"{name.text} = ", given, name.span.start) for name, given in node.bindings
        ]
        if len(entries) == 1 and not self._margins.says(entries[0].at):
            return self._lists.value(f"let {entries[0].before}", entries[0].value, "", indent)
        opening = self._margins.headline(each.at for each in entries)
        return [Line(indent, "let", opening), *self._lists.entries(entries, indent + INDENT)]


def _further(lines: Sequence[Line], code: str) -> list[Line]:
    """Lines of which the last goes on."""
    return [*lines[:-1], replace(lines[-1], code=f"{lines[-1].code}{code}")]


def _hung(lines: Sequence[Line], word: str, selectors: Sequence[tree.Selector]) -> list[Line]:
    """Lines that go on with selectors, of which those that have no room fill further ones."""
    indent, names = lines[-1].indent, [each.text for each in selectors]
    taken, used = f"{lines[-1].code}{word}{names[0]}", 1
    while used < len(names) and fits(indent, f"{taken}, {names[used]},"):
        taken += f", {names[used]}"
        used += 1
    comma = "," if used < len(names) else ""
    last = replace(lines[-1], code=f"{taken}{comma}")
    return [*lines[:-1], last, *filled(names[used:], indent + INDENT)]


def _import(node: tree.Import) -> list[Line]:
    return [Line(0, f"import {string(str(node.path.value))} as {node.name.text}")]


def _input(node: tree.Input, writer: Writer) -> str:
    """An input with its name, its sizes and its rate."""
    name = f"{node.name.text} " if node.name else ""
    sizes = ", ".join(map(writer.expression, node.sizes))
    rate = f" rate {writer.expression(node.rate)}" if node.rate is not None else ""
    return f"{name}({sizes}){rate}"


def _pair(node: tree.Pair, sign: str) -> list[Line]:
    """A rule of a checkpoint, on two lines where it is too long for one."""
    left, right = string(str(node.left.value)), string(str(node.right.value))
    line = f"{left} {sign} {right}"
    if fits(INDENT, line):
        return [Line(INDENT, line)]
    return [Line(INDENT, f"{left} {sign}"), Line(2 * INDENT, right)]
