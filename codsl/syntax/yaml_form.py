"""The YAML form: from a composed YAML document to the tree."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import yaml
from jsonschema import Draft202012Validator

from codsl.diagnostics import Findings
from codsl.source import Source, Span
from codsl.syntax import tree
from codsl.syntax.text_form import read_expression
from codsl.syntax.validate import validate
from codsl.syntax.words import CONSTRUCTS, TYPES, VERSION
from codsl.syntax.yaml_nodes import Plain, compose, entry, scalar_of, span_of

Keyed = tuple[yaml.ScalarNode, yaml.Node]


def read_yaml(
    source: Source, findings: Findings, validator: Draft202012Validator
) -> tree.Document | None:
    """The tree of a source in YAML, or None where it is no YAML or not of this version.

    `validator` holds the structure of a file. A violation of a part whose meaning a later stage
    checks (`x-later`) is left to that stage.
    """
    try:
        root = compose(source, findings)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = min(mark.index, len(source.text)) if mark else 0
        findings.add("E0101", f"this is no YAML: {error.problem}", source.span(at, at + 1))
        return None
    if root is None:
        return None
    data = Plain(source, findings).read(root)
    if not isinstance(data, dict):
        findings.add(
            "E0201", "a spec is a mapping that starts with `codsl: 1`", span_of(source, root)
        )
        return None
    version = data.get("codsl")
    if isinstance(version, int) and version > VERSION:
        findings.add(
            "E0104",
            f"this is version {version} of the language; this codsl reads version {VERSION}",
            span_of(source, entry(root, "codsl")[1]),
            helps=("install a newer codsl",),
        )
        return None
    bad = validate(source, root, data, validator, findings)
    return _Reader(source, findings, bad).document(root)


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
        return span_of(self._source, node)

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
            return tree.Parameter(
                name, self._name(parts["type"]) if "type" in parts else None, default
            )
        plain = value if isinstance(value, yaml.ScalarNode) and not value.style else None
        if plain and plain.value in TYPES:
            return tree.Parameter(name, self._name(value), None)
        if plain and scalar_of(plain) is None:
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
            isinstance(value, yaml.ScalarNode) and scalar_of(value) is None
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
                self._findings.add(
                    "E0309",
                    f"`{node.value}` names no value",
                    at,
                    helps=("names are joined by dots: `stage2.block1`",),
                )
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

    _constructs: ClassVar[dict[str, Callable[["_Reader", Any, Any], tree.Statement | None]]] = {
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
            return tree.Literal(scalar_of(node), at)
        pairs = list(self._pairs(node))
        if len(pairs) != 1:
            self._findings.add(
                "E0201", "a value is a scalar, a list, or one layer with its arguments", at
            )
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
        self._findings.add(
            "E0101",
            f"`{node.value}` is neither `$name` nor `$(expression)`",
            at,
            helps=(f"write `$({text.strip('{}()')})`",),
        )
        return tree.Literal(None, at)
