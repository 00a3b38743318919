"""The YAML form: from a composed YAML document to the tree."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from codsl.diagnostics import Edit, Findings, Help, suggest
from codsl.source import Source, Span
from codsl.syntax import tree
from codsl.syntax.numbers import scalar
from codsl.syntax.text_form import read_expression
from codsl.syntax.words import CONSTRUCTS, TYPES, VERSION

DEEPEST = 240
"""Levels of YAML at most; a block of the language takes three."""
MOST_NODES = 400_000
"""Nodes of a file at most."""
MOST_ALIASED = 20_000
"""Nodes at most in a file with aliases, each counted as often as it is named."""
MOST_MISTAKES = 100
"""Violations of the structure that are reported at once."""

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Keyed = tuple[yaml.ScalarNode, yaml.Node]


def read_yaml(
    source: Source, findings: Findings, validator: Draft202012Validator
) -> tree.Document | None:
    """The tree of a source in YAML, or None where it is no YAML or not of this version.

    `validator` holds the structure of a file. A violation of a part whose meaning a later stage
    checks (`x-later`) is left to that stage.
    """
    try:
        root = _compose(source, findings)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = min(mark.index, len(source.text)) if mark else 0
        findings.add("E0101", f"this is no YAML: {error.problem}", source.span(at, at + 1))
        return None
    if root is None:
        return None
    data = _Plain(source, findings).read(root)
    if not isinstance(data, dict):
        findings.add("E0201", "a spec is a mapping that starts with `codsl: 1`", _span(source, root))
        return None
    version = data.get("codsl")
    if isinstance(version, int) and version > VERSION:
        findings.add("E0104", f"this is version {version} of the language; this codsl reads "
                     f"version {VERSION}", _span(source, _entry(root, "codsl")[1]),
                     helps=("install a newer codsl",))  # fmt: skip
        return None
    bad = _validate(source, root, data, validator, findings)
    return _Reader(source, findings, bad).document(root)


def _compose(source: Source, findings: Findings) -> yaml.Node | None:
    """The nodes of the file, once it is known to be of a bounded size and depth."""
    depth = nodes = aliases = 0
    for event in yaml.parse(source.text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        nodes += isinstance(event, yaml.NodeEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        at = source.span(event.start_mark.index, event.end_mark.index)
        if depth > DEEPEST:
            findings.add("E0106", "this is nested too deeply to be read", at)
            return None
        if nodes > MOST_NODES:
            findings.add("E0106", f"a file has at most {MOST_NODES} values", at)
            return None
        tag = None if isinstance(event, yaml.AliasEvent) else getattr(event, "tag", None)
        if tag is not None:
            findings.add("E0105", f"tags such as `{tag}` are not read", at,
                         notes=("a spec is data: nothing in it names or runs code",))  # fmt: skip
            return None
    root = yaml.compose(source.text, Loader=Loader)
    if root is None:
        findings.add("E0201", "the file is empty", source.span(0, 0),
                     helps=("start it with `codsl: 1`",))  # fmt: skip
        return None
    if aliases and not _bounded(root, source, findings):
        return None
    return root  # type: ignore[no-any-return]


def _bounded(root: yaml.Node, source: Source, findings: Findings) -> bool:
    """Whether aliases neither loop nor multiply beyond all use."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in open_nodes:
            raise RecursionError
        if id(node) not in sizes:
            open_nodes.add(id(node))
            sizes[id(node)] = 1 + sum(size(child) for child in _children(node))
            open_nodes.discard(id(node))
        return sizes[id(node)]

    try:
        total = size(root)
    except RecursionError:
        findings.add("E0106", "an alias contains itself", _span(source, root))
        return False
    if total > MOST_ALIASED:
        findings.add("E0106", f"the aliases expand to {total} values, more than {MOST_ALIASED}",
                     _span(source, root), helps=("use a template or `repeat`",))  # fmt: skip
        return False
    return True


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _span(source: Source, node: yaml.Node) -> Span:
    """Where a node stands; a block of many lines is shown by its first."""
    start, end = node.start_mark.index, node.end_mark.index
    if not isinstance(node, yaml.ScalarNode) and node.end_mark.line != node.start_mark.line:
        line, column = source.position(start)
        end = start + max(1, len(source.line(line).rstrip()) - column + 1)
    return source.span(start, max(end, start))


def _entry(node: yaml.Node, key: object) -> tuple[yaml.Node, yaml.Node]:
    """The key and the value of a mapping's entry, as nodes."""
    for known, value in node.value:
        if isinstance(known, yaml.ScalarNode) and (known.value == key or _scalar(known) == key):
            return known, value
    return node, node


def _scalar(node: yaml.ScalarNode) -> int | float | bool | str | None:
    return scalar(node.value) if not node.style else str(node.value)


class _Plain:
    """From nodes to plain data, as JSON has it; keys are texts and stand once."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self._source = source
        self._findings = findings

    def read(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item) for item in node.value]
        data: dict[str, Any] = {}
        first: dict[str, yaml.Node] = {}
        for key, value in node.value:
            at = _span(self._source, key)
            if not isinstance(key, yaml.ScalarNode):
                self._findings.add("E0201", "a key is a word", at)
                continue
            if key.value in first:
                self._findings.add("E0107", f"the key `{key.value}` stands here twice", at)
                continue
            first[key.value] = key
            data[key.value] = self.read(value)
        return data


KINDS = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "string": "a word",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return KINDS["boolean"]
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return KINDS[names.get(type(value), "null")]


def _validate(
    source: Source,
    root: yaml.Node,
    data: Any,
    validator: Draft202012Validator,
    findings: Findings,
) -> set[int]:
    """Report what stands where it should not; gives the nodes that are not to be read."""
    bad: set[int] = set()
    for error in islice(validator.iter_errors(data), MOST_MISTAKES):
        if _later(error):
            continue
        node = root
        for step in error.absolute_path:
            is_list = isinstance(node, yaml.SequenceNode)
            node = node.value[step] if is_list else _entry(node, step)[1]
        _violation(error, node, source, findings, bad)
    return bad


def _later(error: ValidationError) -> bool:
    """Whether a later stage finds the same in better words: what a layer is, and is given."""
    schema: Any = error.schema
    return error.validator in schema.get("x-later", ())


def _violation(
    error: ValidationError, node: yaml.Node, source: Source, findings: Findings, bad: set[int]
) -> None:
    schema: Any = error.schema
    words = schema.get("x-words", {}).get(error.validator)
    value: Any = error.instance
    at = _span(source, node)
    match error.validator:
        case "type":
            kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            wanted = " or ".join(KINDS[kind] for kind in kinds)
            bad.add(id(node))
            message = words or f"expected {wanted}"
            findings.add("E0201", f"{message}, found {_kind(value)}", at)
        case "additionalProperties":
            known = schema.get("properties", {})
            for key in value:
                if key not in known:
                    where = _span(source, _entry(node, key)[0])
                    findings.add("E0203", f"unknown key `{key}`", where,
                                 helps=_close(key, known, where))  # fmt: skip
        case "required":
            missing = [key for key in schema["required"] if key not in value]
            if error.message.startswith(repr(missing[0])):
                bad.add(id(node))
                keys = ", ".join(f"`{key}`" for key in missing)
                findings.add("E0202", f"{keys} must be given here", at)
        case "maxProperties":
            bad.add(id(node))
            split = next((key for key in value if _open(key) or _open(value[key])), None)
            if split is not None:
                findings.add("E0204", "YAML splits this expression at its comma", at,
                             helps=('put it in quotes: `"$(max(x, 2))"`',))  # fmt: skip
            else:
                keys = ", ".join(f"`{key}`" for key in value)
                findings.add("E0204", f"{words}; this one has {keys}", at,
                             helps=("start a line with `-` for each, and indent arguments",))  # fmt: skip
        case _:
            bad.add(id(node))
            findings.add("E0201", words or str(error.message), at)


def _open(value: object) -> bool:
    """Whether a text is the beginning of an expression that YAML has cut."""
    return isinstance(value, str) and value.startswith("$(") and value.count("(") != value.count(")")


def _close(word: str, known: Sequence[str], at: Span) -> list[Help]:
    return [
        Help(f"did you mean `{each}`?", (Edit(at, each),)) for each in suggest(word, known)[:1]
    ]


class _Reader:
    """From nodes of the right structure to the tree; what is bad or of another kind is left out."""

    def __init__(self, source: Source, findings: Findings, bad: set[int]) -> None:
        self._source = source
        self._findings = findings
        self._bad = bad

    def document(self, root: yaml.Node) -> tree.Document:
        parts = self._parts(root)
        name = parts.get("name")
        doc = parts.get("doc")
        return tree.Document(
            VERSION,
            self._name(name) if name else None,
            str(doc.value) if isinstance(doc, yaml.ScalarNode) else None,
            self._input(parts["input"]) if "input" in parts else None,
            self._parameters(parts.get("params")),
            tuple(
                tree.Variant(self._name(key), self._arguments(value))
                for key, value in self._pairs(parts.get("variants"))
            ),
            tuple(self._template(key, value) for key, value in self._pairs(parts.get("templates"))),
            self._statements(parts.get("layers")),
            self._source,
        )

    def _at(self, node: yaml.Node) -> Span:
        return _span(self._source, node)

    def _pairs(self, node: yaml.Node | None) -> Iterator[Keyed]:
        if not isinstance(node, yaml.MappingNode) or id(node) in self._bad:
            return
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value not in seen:
                seen.add(key.value)
                if id(value) not in self._bad:
                    yield key, value

    def _parts(self, node: yaml.Node | None) -> dict[str, yaml.Node]:
        return {str(key.value): value for key, value in self._pairs(node)}

    def _items(self, node: yaml.Node | None) -> Iterator[yaml.Node]:
        if isinstance(node, yaml.SequenceNode) and id(node) not in self._bad:
            yield from (item for item in node.value if id(item) not in self._bad)

    def _name(self, node: yaml.Node) -> tree.Name:
        return tree.Name(str(node.value), self._at(node))

    def _input(self, node: yaml.Node) -> tree.Input:
        parts = self._parts(node)
        shape = parts.get("shape") if parts else node
        sizes = tuple(
            tree.Reference("T", self._at(item))
            if isinstance(item, yaml.ScalarNode) and item.value == "T"
            else self._value(item)
            for item in self._items(shape)
        )
        rate = self._value(parts["rate"]) if "rate" in parts else None
        return tree.Input(sizes, rate, self._at(node))

    def _parameters(self, node: yaml.Node | None) -> tuple[tree.Parameter, ...]:
        return tuple(self._parameter(key, value) for key, value in self._pairs(node))

    def _parameter(self, key: yaml.Node, value: yaml.Node) -> tree.Parameter:
        name = self._name(key)
        if isinstance(value, yaml.MappingNode):
            parts = self._parts(value)
            default = self._value(parts["default"]) if "default" in parts else None
            return tree.Parameter(name, self._name(parts["type"]) if "type" in parts else None, default)
        plain = isinstance(value, yaml.ScalarNode) and not value.style
        if plain and value.value in TYPES:
            return tree.Parameter(name, self._name(value), None)
        if plain and _scalar(value) is None:
            return tree.Parameter(name, None, None)
        return tree.Parameter(name, None, self._value(value))

    def _template(self, key: yaml.Node, value: yaml.Node) -> tree.Template:
        parts = self._parts(value)
        name = self._name(key)
        body = self._statements(parts.get("layers"))
        return tree.Template(name, self._parameters(parts.get("params")), body, name.span)

    def _statements(self, node: yaml.Node | None) -> tuple[tree.Statement, ...]:
        statements = (self._statement(item) for item in self._items(node))
        return tuple(each for each in statements if each is not None)

    def _statement(self, node: yaml.Node) -> tree.Statement | None:
        if isinstance(node, yaml.ScalarNode):
            return self._layer(node, None)
        for key, value in self._pairs(node):
            if key.value in CONSTRUCTS:
                return self._constructs[key.value](self, key, value)
            return self._layer(key, value)
        return None

    def _layer(self, key: yaml.ScalarNode, value: yaml.Node | None) -> tree.Layer:
        local = key.value.startswith("$")
        at = self._at(key)
        if local:
            at = Span(self._source, at.start + 1, at.end)
        kind = tree.Name(key.value[1:] if local else str(key.value), at)
        name = sources = None
        arguments: tuple[tree.Argument, ...] = ()
        if isinstance(value, yaml.MappingNode):
            parts = self._parts(value)
            name = self._name(parts["name"]) if "name" in parts else None
            sources = self._sources(parts.get("from"))
            arguments = self._arguments(value, "name", "from")
        elif value is not None and not (
            isinstance(value, yaml.ScalarNode) and _scalar(value) is None
        ):
            arguments = (tree.Argument(None, self._value(value)),)
        return tree.Layer(kind, name, arguments, sources or (), local, self._at(key))

    def _arguments(self, node: yaml.Node, *but: str) -> tuple[tree.Argument, ...]:
        return tuple(
            tree.Argument(self._name(key), self._value(value))
            for key, value in self._pairs(node)
            if key.value not in but
        )

    def _sources(self, node: yaml.Node | None) -> tuple[tree.Selector, ...]:
        if node is None:
            return ()
        named = [node] if isinstance(node, yaml.ScalarNode) else list(self._items(node))
        selectors = (self._selector(each) for each in named)
        return tuple(each for each in selectors if each is not None)

    def _selector(self, node: yaml.Node) -> tree.Selector | None:
        at = self._at(node)
        steps = []
        for part in str(node.value).split("."):
            word = part.removesuffix("[*]")
            if not word.isidentifier():
                self._findings.add("E0309", f"`{node.value}` names no value", at,
                                   helps=("names are joined by dots: `stage2.block1`",))  # fmt: skip
                return None
            steps.append(tree.Step(tree.Name(word, at), part.endswith("[*]")))
        return tree.Selector(tuple(steps), at)

    def _sequential(self, key: yaml.Node, value: yaml.Node) -> tree.Block:
        parts = self._parts(value)
        return tree.Block(
            self._named(parts),
            self._statements(parts.get("layers")),
            self._sources(parts.get("from")),
            self._at(key),
        )

    def _named(self, parts: dict[str, yaml.Node]) -> tree.Name | None:
        return self._name(parts["name"]) if "name" in parts else None

    def _residual(self, key: yaml.Node, value: yaml.Node) -> tree.Residual:
        parts = self._parts(value)
        return tree.Residual(
            self._named(parts),
            self._arguments(value, "name", "from", "layers", "shortcut"),
            self._statements(parts.get("layers")),
            self._statements(parts.get("shortcut")),
            self._sources(parts.get("from")),
            self._at(key),
        )

    def _parallel(self, key: yaml.Node, value: yaml.Node) -> tree.Parallel:
        parts = self._parts(value)
        branches = parts.get("branches")
        listed = isinstance(branches, yaml.SequenceNode)
        arms = (
            [(None, item) for item in self._items(branches)]
            if listed
            else [(self._name(name), body) for name, body in self._pairs(branches)]
        )
        return tree.Parallel(
            self._named(parts),
            self._arguments(value, "name", "from", "branches"),
            tuple(
                tree.Branch(name, self._statements(body), name.span if name else self._at(body))
                for name, body in arms
            ),
            self._sources(parts.get("from")),
            self._at(key),
        )

    def _join(self, key: yaml.Node, value: yaml.Node) -> tree.Join:
        parts = self._parts(value)
        return tree.Join(
            self._named(parts),
            self._arguments(value, "name", "from"),
            self._sources(parts.get("from")),
            self._at(key),
        )

    def _let(self, key: yaml.Node, value: yaml.Node) -> tree.Let:
        bindings = ((self._name(name), self._value(each)) for name, each in self._pairs(value))
        return tree.Let(tuple(bindings), self._at(key))

    def _when(self, key: yaml.Node, value: yaml.Node) -> tree.When | None:
        parts = self._parts(value)
        if "test" not in parts:
            return None
        return tree.When(
            self._value(parts["test"]),
            self._statements(parts.get("layers")),
            self._statements(parts.get("else")),
            self._at(key),
        )

    def _repeat(self, key: yaml.Node, value: yaml.Node) -> tree.Repeat | None:
        parts = self._parts(value)
        ends = list(self._items(parts.get("range")))
        statement = self._statement(parts["layer"]) if "layer" in parts else None
        if len(ends) != 2 or statement is None or "name" not in parts:
            return None
        index = self._name(parts["index"]) if "index" in parts else None
        first, last = map(self._value, ends)
        return tree.Repeat(self._name(parts["name"]), index, first, last, statement, self._at(key))

    _constructs: dict[str, Callable[["_Reader", Any, Any], tree.Statement | None]] = {
        "sequential": _sequential,
        "residual": _residual,
        "parallel": _parallel,
        "join": _join,
        "let": _let,
        "when": _when,
        "repeat": _repeat,
    }

    def _value(self, node: yaml.Node) -> tree.Expression:
        at = self._at(node)
        if isinstance(node, yaml.SequenceNode):
            return tree.Tuple(tuple(self._value(item) for item in node.value), at)
        if isinstance(node, yaml.ScalarNode):
            if node.value.startswith("$"):
                return self._expression(node, at)
            return tree.Literal(_scalar(node), at)
        pairs = list(self._pairs(node))
        if len(pairs) != 1:
            self._findings.add("E0201", "a value is a scalar, a list, or one layer with its "
                               "arguments", at)  # fmt: skip
            return tree.Literal(None, at)
        key, value = pairs[0]
        layer = self._layer(key, value)
        return tree.Call(layer.type, layer.arguments, at)

    def _expression(self, node: yaml.ScalarNode, at: Span) -> tree.Expression:
        """`$name` or `$(...)`; places inside it are kept where the text stands as it is read."""
        written = self._source.text[at.start : at.end]
        text = node.value[1:]
        offset = at.start + written.find(text) if text in written else at.start
        if text.startswith("(") and text.endswith(")"):
            found = len(self._findings.diagnostics)
            parsed = read_expression(text, self._source, offset, self._findings)
            if parsed is None and len(self._findings.diagnostics) == found:
                self._findings.add("E0101", "this is no expression", at)
            return parsed if parsed is not None else tree.Literal(None, at)
        if text.isidentifier():
            return tree.Reference(text, at)
        self._findings.add("E0101", f"`{node.value}` is neither `$name` nor `$(expression)`", at,
                           helps=(f"write `$({text.strip('{}()')})`",))  # fmt: skip
        return tree.Literal(None, at)
