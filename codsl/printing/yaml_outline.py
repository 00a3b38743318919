"""From the tree to the outline of a YAML file: the way back of reading one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import final

from codsl.printing.anchors import Binding, start
from codsl.printing.expressions import Writer
from codsl.printing.layout import INPUTS, Layout
from codsl.printing.outline import Entry, Group, Leaf, Outline, Space, Style, holds_mapping
from codsl.printing.yaml_scalars import plain, quoted, text_block, valued
from codsl.source import Span
from codsl.syntax import tree
from codsl.syntax.words import TYPES


class Unsayable(Exception):
    """Something that the other surface has no way to say; the message says what, `span` where."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


def outline(
    document: tree.Document, layout: Layout, writer: Writer, places: Mapping[str, int]
) -> Group:
    """The outline of a document; `places` are those of `codsl` and `doc`.

    Raises `Unsayable` for arguments by position of layers that are not known.
    """
    outliner = _Outliner(layout, writer)
    entries = [_entry("codsl", _same(str(document.version)), places["codsl"], Space.TIGHT)]
    if document.name:
        name = _scalar(document.name.text)
        entries.append(_entry("name", name, document.name.span.start, Space.TIGHT))
    if document.doc is not None:
        entries.append(_entry("doc", _doc(document.doc), places["doc"], Space.TIGHT))
    entries += outliner.head(document)
    for key, group in outliner.sections(document):
        if group.entries or (key == "layers" and document.has_network):
            entries.append(_entry(key, group, space=Space.APART))
    return _mapping(entries, Style.BLOCK)


@final
class _Outliner:
    def __init__(self, layout: Layout, writer: Writer) -> None:
        self._layout = layout
        self._writer = writer

    def head(self, document: tree.Document) -> Iterator[Entry]:
        """What a network is given, and what it gives."""
        if document.parameters:
            yield _entry("params", self._parameters(document.parameters))
        if document.variants:
            variants = (
                _entry(each.name.text, self._variant(each), start(each), Space.KEPT)
                for each in document.variants
            )
            yield _entry("variants", _mapping(variants, Style.BLOCK))
        inputs = document.inputs
        if inputs and not inputs[0].name:
            yield _entry("input", self._input(inputs[0]), start(inputs[0]), Space.TIGHT)
        elif inputs:
            named = (_entry(_word(each.name), self._input(each), start(each)) for each in inputs)
            yield _entry("inputs", _mapping(named), INPUTS, Space.TIGHT)
        if document.outputs:
            selectors = _list(_scalar(each.text) for each in document.outputs)
            yield _entry("outputs", selectors, start(document.outputs[0]), Space.TIGHT)

    def sections(self, document: tree.Document) -> Iterator[tuple[str, Group]]:
        """What a file holds besides, and the layers."""
        imports = (
            _entry(each.name.text, _scalar(str(each.path.value)), start(each), Space.KEPT)
            for each in document.imports
        )
        yield "import", _mapping(imports, Style.BLOCK)
        templates = (
            _entry(each.name.text, self._template(each), start(each), Space.APART)
            for each in document.templates
        )
        yield "templates", _mapping(templates, Style.BLOCK)
        body = self._body(document.body)
        first = (replace(each, space=Space.FREE) for each in body.entries[:1])
        yield "layers", replace(body, entries=(*first, *body.entries[1:]))
        checkpoints = (
            _entry(each.name.text, self._checkpoint(each), start(each), Space.APART)
            for each in document.checkpoints
        )
        yield "weights", _mapping(checkpoints, Style.BLOCK)

    def _variant(self, node: tree.Variant) -> Group:
        said = start(node) in self._layout.margins.beside
        return replace(self._arguments(node.values), style=Style.FLOW if said else Style.FIT)

    def _parameters(self, parameters: Sequence[tree.Parameter]) -> Group:
        entries = [
            _entry(each.name.text, self._parameter(each), start(each), Space.KEPT)
            for each in parameters
        ]
        nested = any(holds_mapping(each.value) for each in entries)
        return _mapping(entries, Style.BLOCK if nested else Style.FIT)

    def _parameter(self, node: tree.Parameter) -> Outline:
        if node.default is None:
            return _same(node.type.text if node.type else "null")
        default = self._value(node.default)
        kind = [_entry("type", _same(node.type.text))] if node.type else []
        null = isinstance(node.default, tree.Literal) and node.default.value is None
        if kind or null or isinstance(node.default, tree.Call):
            return _mapping([*kind, _entry("default", default)])
        if isinstance(node.default, tree.Literal) and node.default.value in TYPES:
            return _same(quoted(str(node.default.value)))
        return default

    def _input(self, node: tree.Input) -> Outline:
        shape = _list(self._size(each) for each in node.sizes)
        if node.rate is None:
            return shape
        return _mapping([_entry("shape", shape), _entry("rate", self._value(node.rate))])

    def _size(self, node: tree.Expression) -> Outline:
        time = isinstance(node, tree.Reference) and node.name == "T"
        return _same("T") if time else self._value(node)

    def _template(self, node: tree.Template) -> Group:
        parameters = [_entry("params", self._parameters(node.parameters))]
        body = _entry("layers", self._body(node.body))
        return _mapping([*parameters[: len(node.parameters)], body], Style.BLOCK)

    def _checkpoint(self, node: tree.Checkpoint) -> Group:
        entries = [
            _entry(_word(each.name), self._told(each.value), start(each), Space.KEPT)
            for each in node.settings
        ]
        if node.rules:
            entries.append(_entry("rename", _mapping(map(_pair, node.rules), Style.BLOCK)))
        if node.adapters:
            entries.append(_entry("adapt", _mapping(map(_pair, node.adapters))))
        return _mapping(entries, Style.BLOCK)

    def _told(self, node: tree.Expression) -> Outline:
        """A setting of a checkpoint, whose texts are never worked out."""
        match node:
            case tree.Tuple(items):
                entries = (Entry(None, self._told(each), start(each)) for each in items)
                return Group(tuple(entries), False)
            case tree.Literal(str(text)):
                return _scalar(text)
        return self._value(node)

    def _arguments(self, arguments: Sequence[tree.Argument]) -> Group:
        return _mapping(self._given(arguments))

    def _given(self, arguments: Sequence[tree.Argument]) -> list[Entry]:
        for each in arguments:
            if each.name is None:
                message = "in YAML arguments have names, and this one's is not known here"
                raise Unsayable(message, each.value.span)
        return [
            _entry(_word(each.name), self._value(each.value), start(each)) for each in arguments
        ]

    def _value(self, node: tree.Expression) -> Outline:
        match node:
            case tree.Tuple(items):
                entries = (Entry(None, self._value(each), start(each)) for each in items)
                return Group(tuple(entries), False)
            case tree.Call(function, arguments) if all(each.name for each in arguments):
                return _mapping([_entry(function.text, self._arguments(arguments))])
        outside, inside = (valued(node, self._writer, flow) for flow in (False, True))
        return Leaf(outside, inside)

    def _body(self, statements: Sequence[tree.Statement], style: Style = Style.BLOCK) -> Group:
        entries = (
            Entry(None, self._whole(each, style), start(each), Space.KEPT) for each in statements
        )
        return Group(tuple(entries), False, style)

    def _whole(self, node: tree.Statement, style: Style) -> Outline:
        """A statement, with what is said of an argument that stands behind its type alone."""
        made = node.statement if isinstance(node, tree.Repeat) else node
        if (only := _alone(made)) is not None:
            self._layout.margins.hand_on(start(only), start(node))
        return self._statement(node, style)

    def _statement(self, node: tree.Statement, style: Style) -> Outline:
        if isinstance(node, tree.Layer) and not (node.name or node.arguments or node.sources):
            return _scalar(_kind(node))
        key, inner = self._made(node, Style.FLOW if self._layout.is_flat(node) else style)
        return _mapping([_entry(key, inner)], style)

    def _made(self, node: tree.Statement, style: Style) -> tuple[str, Outline]:
        """The key of a statement, and what stands behind it."""
        before = _name(node)
        after = _sources(node)
        match node:
            case tree.Layer() if (only := _alone(node)) is not None:
                return _kind(node), self._value(only.value)
            case tree.Layer():
                _check_names(node.arguments)
                return _kind(node), _mapping([*before, *self._given(node.arguments), *after])
            case tree.Join():
                return "join", _mapping([*before, *self._given(node.arguments), *after])
            case tree.Let(bindings):
                return "let", _mapping(map(self._binding, bindings))
            case tree.Repeat():
                return "repeat", self._repeat(node, style)
            case tree.When():
                test = [_entry("test", self._value(node.test))]
                bodies = ("layers", node.body), ("else", node.otherwise)
                return "when", _mapping([*test, *self._bodies(bodies, style)], style)
            case tree.Residual():
                before += [*self._given(node.arguments), *after]
                bodies = ("layers", node.body), ("shortcut", node.shortcut)
                return "residual", _mapping([*before, *self._bodies(bodies, style)], style)
            case tree.Parallel():
                before += [*self._given(node.arguments), *after]
                branches = _entry("branches", self._branches(node.branches, style))
                return "parallel", _mapping([*before, branches], style)
            case tree.Block() | tree.PerFrame():
                key = "sequential" if isinstance(node, tree.Block) else "per_frame"
                body = self._bodies([("layers", node.body)], style)
                return key, _mapping([*before, *after, *body], style)
        raise ValueError("what could not be read cannot be written")

    def _binding(self, binding: Binding) -> Entry:
        name, value = binding
        return _entry(name.text, self._value(value), name.span.start)

    def _bodies(
        self, bodies: Iterable[tuple[str, Sequence[tree.Statement]]], style: Style
    ) -> list[Entry]:
        return [_entry(key, self._body(body, style)) for key, body in bodies if body]

    def _branches(self, branches: Sequence[tree.Branch], style: Style) -> Group:
        names = [each.name for each in branches]
        if any(names) and not all(names):
            message = "in YAML either all branches have names or none has"
            raise Unsayable(message, branches[names.index(None)].span)
        entries = []
        for each in branches:
            flat = Style.FLOW if self._layout.is_flat(each) else style
            key = _scalar(each.name.text) if each.name else None
            entries.append(Entry(key, self._body(each.body, flat), start(each), Space.KEPT))
        return Group(tuple(entries), bool(names and names[0]), style)

    def _repeat(self, node: tree.Repeat, style: Style) -> Group:
        entries = _name(node)
        if node.index:
            entries.append(_entry("index", _scalar(node.index.text)))
        steps = [node.first, node.last, *([] if node.step is None else [node.step])]
        leaf = isinstance(node.statement, tree.Layer | tree.Join)
        inner = self._statement(node.statement, Style.FIT if leaf else style)
        entries += [_entry("range", _list(map(self._value, steps))), _entry("layer", inner)]
        return _mapping(entries, Style.FIT if leaf else style)


def _alone(node: tree.Statement) -> tree.Argument | None:
    """The argument that stands behind the type of a layer, where it is all that is said of it."""
    match node:
        case tree.Layer(_, None, (tree.Argument(None) as only,), ()):
            return only
    return None


def _same(written: str) -> Leaf:
    """A scalar that is spelled so everywhere."""
    return Leaf(written, written)


def _scalar(text: str) -> Leaf:
    """A text as a scalar."""
    return Leaf(plain(text, flow=False), plain(text, flow=True))


def _doc(text: str) -> Leaf:
    """A text that may have several lines."""
    lines = text_block(text)
    if lines is None:
        return _scalar(text)
    return Leaf(lines[0], plain(text, flow=True), tuple(lines[1:]))


def _entry(key: str, value: Outline, at: int | None = None, space: Space = Space.NEVER) -> Entry:
    return Entry(_scalar(key), value, at, space)


def _mapping(entries: Iterable[Entry], style: Style = Style.FIT) -> Group:
    return Group(tuple(entries), True, style)


def _list(items: Iterable[Outline]) -> Group:
    return Group(tuple(Entry(None, each) for each in items), False)


def _word(name: tree.Name | None) -> str:
    return name.text if name else ""


def _name(node: tree.Statement) -> list[Entry]:
    """The name of a statement, if it has one."""
    found = getattr(node, "name", None)
    return [_entry("name", _scalar(found.text))] if isinstance(found, tree.Name) else []


def _sources(node: tree.Statement) -> list[Entry]:
    """Where a statement has its value from, if it says so."""
    names = [_scalar(each.text) for each in getattr(node, "sources", ())]
    return [_entry("from", names[0] if len(names) == 1 else _list(names))] if names else []


def _check_names(arguments: Sequence[tree.Argument]) -> None:
    """Refuse arguments that would be taken for what every layer has."""
    for each in arguments:
        if each.name and each.name.text in ("name", "from"):
            message = f"in YAML `{each.name.text}` is no argument: every layer may have one"
            raise Unsayable(message, each.name.span)


def _kind(node: tree.Layer) -> str:
    return f"{'$' * node.local}{node.type.text}"


def _pair(node: tree.Pair) -> Entry:
    """A rule of a checkpoint."""
    value = _scalar(str(node.right.value))
    return _entry(str(node.left.value), value, start(node), Space.KEPT)
