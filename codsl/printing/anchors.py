"""The parts of a tree that comments and blank lines belong to, each known by where it starts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import final

from codsl.source import Span
from codsl.syntax import tree

Binding = tuple[tree.Name, tree.Expression]
Item = (
    tree.Statement
    | tree.Branch
    | tree.Parameter
    | tree.Argument
    | tree.Expression
    | tree.Template
    | tree.Import
    | tree.Variant
    | tree.Checkpoint
    | tree.Pair
    | tree.Input
    | tree.Selector
    | Binding
)


@final
@dataclass(frozen=True)
class Anchor:
    """A part that comments may belong to.

    `spaced`: blank lines above it stay. `headed`: what it begins has a line of its own, on which a
    comment may stand. `item`: in YAML it is an item of a list, and has a mapping of its own. `led`:
    a word stands before it. `chained`: the condition behind whose `else` it may stand. `whole`: the
    statement of one line that it is a part of; `ends`: the one that ends with it. `inner`: what it
    begins with itself, where it has no name.
    """

    at: int
    spaced: bool = False
    headed: bool = False
    item: bool = False
    led: bool = False
    chained: int | None = None
    whole: int | None = None
    ends: int | None = None
    inner: int | None = None


def start(item: Item) -> int:
    """Where a part starts: what it is known by."""
    match item:
        case tree.Pair(left, _):
            return left.span.start
        case tree.Argument(name, given):
            return (name or given).span.start
        case tree.Import(name, path):
            return min(name.span.start, path.span.start)
        case (tree.Name() as name, _):
            return name.span.start
    spans = [getattr(part, "span", None) for part in (item, getattr(item, "name", None))]
    return min(each.start for each in spans if isinstance(each, Span))


def anchors(document: tree.Document) -> Iterator[Anchor]:
    """The anchors of a document; comments in parts that have none belong to what is around."""
    if document.name:
        yield Anchor(document.name.span.start, spaced=True, led=True)
    yield from (_led(each) for each in document.imports)
    for variant in document.variants:
        yield _led(variant)
        yield from arguments(variant.values)
    for template in document.templates:
        yield _led(template)
        yield from parameters(template.parameters)
        yield from body(template.body)
    for checkpoint in document.checkpoints:
        yield _led(checkpoint)
        for anchor in arguments(checkpoint.settings):
            yield replace(anchor, spaced=True)
        for pair in (*checkpoint.rules, *checkpoint.adapters):
            yield Anchor(start(pair), spaced=True, headed=True)
    yield from parameters(document.parameters)
    for each in document.inputs:
        yield _led(each) if each is document.inputs[0] else Anchor(start(each))
    yield from (_led(each) for each in document.outputs[:1])
    yield from body(document.body, headed=False)


def _led(item: Item) -> Anchor:
    return Anchor(start(item), spaced=True, led=True)


def parameters(items: Sequence[tree.Parameter]) -> Iterator[Anchor]:
    """The anchors of what can be given."""
    for each in items:
        yield Anchor(start(each), spaced=True, headed=True)
        if each.default is not None:
            yield from value(each.default)


def arguments(items: Sequence[tree.Argument], whole: int | None = None) -> Iterator[Anchor]:
    """The anchors of what is given, to the statement `whole` if it is one of one line."""
    for each in items:
        yield Anchor(start(each), headed=True, whole=whole)
        yield from value(each.value)


def value(node: tree.Expression) -> Iterator[Anchor]:
    """The anchors of a value: of a tuple, and of a layer whose arguments all have names."""
    if isinstance(node, tree.Tuple):
        for each in node.items:
            inner = start(each.items[0]) if isinstance(each, tree.Tuple) and each.items else None
            yield Anchor(start(each), headed=True, inner=inner)
            yield from value(each)
    elif isinstance(node, tree.Call) and all(each.name for each in node.arguments):
        yield from arguments(node.arguments)


def body(statements: Sequence[tree.Statement], headed: bool = True) -> Iterator[Anchor]:
    """The anchors of statements; `headed` is false for those of the network itself."""
    for each in statements:
        yield Anchor(start(each), spaced=True, headed=headed, item=True)
        yield from inside(each)


def inside(statement: tree.Statement, at: int | None = None) -> Iterator[Anchor]:
    """The anchors in a statement, which starts `at` if not where it is known by."""
    at = start(statement) if at is None else at
    match statement:
        case tree.Repeat():
            yield from inside(statement.statement, at)
        case tree.Layer() | tree.Join():
            yield from arguments(statement.arguments, at)
        case tree.Let(bindings):
            for each in bindings:
                last = at if each is bindings[-1] else None
                yield Anchor(start(each), headed=True, whole=at, ends=last)
                yield from value(each[1])
        case tree.Block() | tree.PerFrame():
            yield from body(statement.body)
        case tree.Residual():
            yield from arguments(statement.arguments)
            yield from body(statement.body)
            yield from body(statement.shortcut)
        case tree.Parallel():
            yield from arguments(statement.arguments)
            for branch in statement.branches:
                first = start(branch.body[0]) if branch.body and not branch.name else None
                yield Anchor(start(branch), spaced=True, headed=True, inner=first)
                yield from body(branch.body)
        case tree.When():
            yield from body(statement.body)
            for anchor in body(statement.otherwise):
                first = anchor.at == start(statement.otherwise[0])
                yield replace(anchor, chained=at) if first else anchor
