"""The YAML form: from a composed YAML document to the tree."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, ClassVar

import yaml
from jsonschema import Draft202012Validator

from codsl.diagnostics import Findings, Label, SpecError, near
from codsl.source import Source, Span
from codsl.syntax import tree
from codsl.syntax.cut import round_tuple
from codsl.syntax.dollar import not_a_value
from codsl.syntax.no_yaml import report
from codsl.syntax.structure import OF_A_NETWORK, TOP
from codsl.syntax.text_form import read_expression
from codsl.syntax.validate import validate
from codsl.syntax.version import foreign
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
    except yaml.YAMLError as error:
        report(error, source, findings, lambda text: _violations(text, validator))
        return None
    if root is None:
        return None
    plain = Plain(source, findings)
    data = plain.read(root)
    if not isinstance(data, dict):
        findings.add(
            "E0201", "a spec is a mapping that starts with `codsl: 1`", span_of(source, root)
        )
        return None
    if "codsl" in data and repr(data["codsl"]) != repr(VERSION):
        at = span_of(source, entry(root, "codsl")[1])
        foreign(at.text, at, findings)
        return None
    bad = validate(source, root, data, validator, findings)
    return _Reader(source, findings, bad | plain.bad).document(root)


def _violations(text: str, validator: Draft202012Validator) -> int:
    """How much stands in a text where it should not."""
    source, findings = Source("", text), Findings()
    with suppress(SpecError):
        root = compose(source, findings)
        if root is not None:
            data = Plain(source, findings).read(root)
            validate(source, root, data, validator, findings)
    return len(findings.diagnostics)


class _Reader:
    """From nodes to the tree; where the structure is wrong, the tree is broken, and says so."""

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
            self._inputs(parts, root),
            self._sources(parts.get("outputs")),
            self._parameters(parts.get("params")),
            self._variants(parts),
            tuple(self._import(key, value) for key, value in self._pairs(parts.get("import"))),
            tuple(self._template(key, value) for key, value in self._pairs(parts.get("templates"))),
            tuple(self._checkpoint(key, value) for key, value in self._pairs(parts.get("weights"))),
            self._body(parts),
            self._source,
        )

    def _variants(self, parts: dict[str, yaml.Node]) -> tuple[tree.Variant, ...]:
        if self._misspelt(parts) is not None:
            return ()
        pairs = self._pairs(parts.get("variants"))
        return tuple(tree.Variant(self._name(key), self._arguments(value)) for key, value in pairs)

    def _body(self, parts: dict[str, yaml.Node]) -> tuple[tree.Statement, ...]:
        """The statements of the file, unless what they speak of could not be read."""
        for part in ("params", "import", "templates"):
            if part in parts and id(parts[part]) in self._bad:
                return (tree.Broken(None, self._at(parts[part])),)
        if (lost := self._misspelt(parts)) is not None:
            return (tree.Broken(None, self._at(lost)),)
        return self._statements(parts.get("layers"))

    def _misspelt(self, parts: dict[str, yaml.Node]) -> yaml.Node | None:
        """What stands under a key that is none, and may be what the layers speak of."""
        for key, value in parts.items():
            if key not in TOP and near(key, TOP) in ("params", "templates"):
                return value
        return None

    def _at(self, node: yaml.Node) -> Span:
        return span_of(self._source, node)

    def _pairs(self, node: yaml.Node | None) -> Iterator[Keyed]:
        if not isinstance(node, yaml.MappingNode) or id(node) in self._bad:
            return
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value not in seen:
                seen.add(key.value)
                yield key, value

    def _parts(self, node: yaml.Node | None) -> dict[str, yaml.Node]:
        return {str(key.value): value for key, value in self._pairs(node)}

    def _items(self, node: yaml.Node | None) -> Iterator[yaml.Node]:
        if isinstance(node, yaml.SequenceNode) and id(node) not in self._bad:
            yield from node.value

    def _name(self, node: yaml.Node) -> tree.Name:
        return tree.Name(str(node.value), self._at(node))

    def _broken(self, node: yaml.Node, name: tree.Name | None = None) -> tree.Broken:
        return tree.Broken(name, self._at(node))

    def _inputs(self, parts: dict[str, yaml.Node], root: yaml.Node) -> tuple[tree.Input, ...]:
        """The frames that enter; broken where the file lacks them, which is reported."""
        if "templates" in parts and OF_A_NETWORK.isdisjoint(parts):
            return ()
        if "inputs" not in parts and "input" not in parts:
            return (tree.Input(None, (self._broken(root),), None, self._at(root)),)
        if "inputs" not in parts:
            return (self._input(None, parts["input"]),)
        if "input" in parts:
            self._findings.add(
                "E0205",
                "`input` is for a network of one input, `inputs` for several with names",
                self._at(entry(root, "inputs")[0]),
                Label(self._at(entry(root, "input")[0]), "and this is the other"),
                helps=("leave out one of them",),
            )
        node = parts["inputs"]
        named = [self._input(self._name(key), value) for key, value in self._pairs(node)]
        return tuple(named) or (tree.Input(None, (self._broken(node),), None, self._at(node)),)

    def _input(self, name: tree.Name | None, node: yaml.Node) -> tree.Input:
        parts = self._parts(node)
        shape = parts.get("shape") if parts else node
        if id(node) in self._bad or shape is None or id(shape) in self._bad:
            return tree.Input(name, (self._broken(node),), None, self._at(node))
        sizes = tuple(
            tree.Reference("T", self._at(item))
            if isinstance(item, yaml.ScalarNode) and item.value == "T"
            else self._value(item)
            for item in self._items(shape)
        )
        rate = self._value(parts["rate"]) if "rate" in parts else None
        return tree.Input(name, sizes, rate, self._at(node))

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

    def _import(self, key: yaml.Node, value: yaml.Node) -> tree.Import:
        path = self._literal(value)
        if id(value) in self._bad:
            path = tree.Literal(None, path.span)
        return tree.Import(self._name(key), path)

    def _template(self, key: yaml.Node, value: yaml.Node) -> tree.Template:
        parts = self._parts(value)
        name = self._name(key)
        if id(value) in self._bad:
            return tree.Template(name, (), (self._broken(value),), name.span)
        body = self._statements(parts.get("layers"))
        return tree.Template(name, self._parameters(parts.get("params")), body, name.span)

    def _checkpoint(self, key: yaml.Node, value: yaml.Node) -> tree.Checkpoint:
        parts = self._parts(value)
        settings = tuple(
            tree.Argument(self._name(name), self._text(each))
            for name, each in self._pairs(value)
            if name.value not in ("rename", "adapt")
        )
        rules, adapters = (self._told(parts.get(word)) for word in ("rename", "adapt"))
        return tree.Checkpoint(self._name(key), settings, rules, adapters)

    def _told(self, node: yaml.Node | None) -> tuple[tree.Pair, ...]:
        pairs = self._pairs(node)
        return tuple(
            tree.Pair(self._literal(key), self._literal(each))
            for key, each in pairs
            if id(each) not in self._bad
        )

    def _text(self, node: yaml.Node) -> tree.Expression:
        """A text or a list of them: names with `$` or brackets in them are no expressions."""
        if id(node) in self._bad:
            return self._broken(node)
        if isinstance(node, yaml.SequenceNode):
            return tree.Tuple(tuple(self._text(item) for item in node.value), self._at(node))
        return self._literal(node)

    def _literal(self, node: yaml.Node) -> tree.Literal:
        return tree.Literal(str(node.value), self._at(node))

    def _statements(self, node: yaml.Node | None) -> tuple[tree.Statement, ...]:
        if node is not None and id(node) in self._bad:
            return (self._broken(node),)
        return tuple(self._statement(item) for item in self._items(node))

    def _statement(self, node: yaml.Node) -> tree.Statement:
        if id(node) in self._bad:
            return self._broken(node)
        if isinstance(node, yaml.ScalarNode):
            return self._layer(node, None)
        for key, value in self._pairs(node):
            if id(value) in self._bad:
                return self._broken(value, self._named_of(value))
            if key.value in CONSTRUCTS:
                return self._constructs[key.value](self, key, value)
            return self._layer(key, value)
        return self._broken(node)

    def _named_of(self, node: yaml.Node) -> tree.Name | None:
        """The name in a mapping that cannot be read otherwise."""
        name = entry(node, "name")[1] if isinstance(node, yaml.MappingNode) else node
        return self._name(name) if name is not node and id(name) not in self._bad else None

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

    def _words(self, node: yaml.Node, *known: str) -> tuple[tree.Argument, ...]:
        """The arguments of a construct; what it has not is reported already."""
        pairs = (pair for pair in self._pairs(node) if pair[0].value in known)
        return tuple(tree.Argument(self._name(key), self._value(value)) for key, value in pairs)

    def _sources(self, node: yaml.Node | None) -> tuple[tree.Selector, ...]:
        if node is None:
            return ()
        if id(node) in self._bad:
            return (tree.Selector((), self._at(node)),)
        named = [node] if isinstance(node, yaml.ScalarNode) else list(self._items(node))
        return tuple(map(self._selector, named))

    def _selector(self, node: yaml.Node) -> tree.Selector:
        at = self._at(node)
        if id(node) in self._bad:
            return tree.Selector((), at)
        written = at.text.find(str(node.value))
        start = at.start + written
        steps = []
        for part in str(node.value).split("."):
            word = part.removesuffix("[*]")
            here = Span(self._source, start, start + len(word)) if written >= 0 else at
            start += len(part) + 1
            if not (word.isidentifier() and word.isascii()):
                self._findings.add(
                    "E0309",
                    f"`{node.value}` names no value",
                    at,
                    helps=("names are joined by dots: `stage2.block1`",),
                )
                return tree.Selector((), at)
            steps.append(tree.Step(tree.Name(word, here), part.endswith("[*]")))
        return tree.Selector(tuple(steps), at)

    def _sequential(self, key: yaml.Node, value: yaml.Node) -> tree.Block:
        parts = self._parts(value)
        return tree.Block(
            self._named(parts),
            self._statements(parts.get("layers")),
            self._sources(parts.get("from")),
            self._at(key),
        )

    def _per_frame(self, key: yaml.Node, value: yaml.Node) -> tree.PerFrame:
        parts = self._parts(value)
        return tree.PerFrame(
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
            self._words(value, "aggregation", "shrink"),
            self._statements(parts.get("layers")),
            self._statements(parts.get("shortcut")),
            self._sources(parts.get("from")),
            self._at(key),
        )

    def _parallel(self, key: yaml.Node, value: yaml.Node) -> tree.Parallel | tree.Broken:
        parts = self._parts(value)
        branches = parts.get("branches")
        if branches is not None and id(branches) in self._bad:
            return self._broken(key, self._named(parts))
        listed = isinstance(branches, yaml.SequenceNode)
        arms = (
            [(None, item) for item in self._items(branches)]
            if listed
            else [(self._name(name), body) for name, body in self._pairs(branches)]
        )
        return tree.Parallel(
            self._named(parts),
            self._words(value, "aggregation"),
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
            self._words(value, "aggregation"),
            self._sources(parts.get("from")),
            self._at(key),
        )

    def _let(self, key: yaml.Node, value: yaml.Node) -> tree.Let:
        bindings = ((self._name(name), self._value(each)) for name, each in self._pairs(value))
        return tree.Let(tuple(bindings), self._at(key))

    def _when(self, key: yaml.Node, value: yaml.Node) -> tree.When | tree.Broken:
        parts = self._parts(value)
        if "test" not in parts:
            return self._broken(key)
        return tree.When(
            self._value(parts["test"]),
            self._statements(parts.get("layers")),
            self._statements(parts.get("else")),
            self._at(key),
        )

    def _repeat(self, key: yaml.Node, value: yaml.Node) -> tree.Repeat | tree.Broken:
        parts = self._parts(value)
        ends = list(self._items(parts.get("range")))
        statement = self._statement(parts["layer"]) if "layer" in parts else None
        if len(ends) not in (2, 3) or statement is None or "name" not in parts:
            return self._broken(key)
        index = self._name(parts["index"]) if "index" in parts else None
        first, last, *steps = map(self._value, ends)
        name, step = self._name(parts["name"]), steps[0] if steps else None
        return tree.Repeat(name, index, first, last, step, statement, self._at(key))

    _constructs: ClassVar[dict[str, Callable[["_Reader", Any, Any], tree.Statement]]] = {
        "sequential": _sequential,
        "per_frame": _per_frame,
        "residual": _residual,
        "parallel": _parallel,
        "join": _join,
        "let": _let,
        "when": _when,
        "repeat": _repeat,
    }

    def _value(self, node: yaml.Node) -> tree.Expression:
        at = self._at(node)
        if id(node) in self._bad:
            return self._broken(node)
        if isinstance(node, yaml.SequenceNode):
            return tree.Tuple(tuple(self._value(item) for item in node.value), at)
        if isinstance(node, yaml.ScalarNode):
            if node.value.startswith("$"):
                return self._expression(node, at)
            if node.value.startswith("(") and node.value.endswith(")") and not node.style:
                round_tuple(at, self._findings)
                return self._broken(node)
            return tree.Literal(scalar_of(node), at)
        pairs = list(self._pairs(node))
        if len(pairs) != 1:
            self._findings.add(
                "E0201",
                "a value is a number, a text, a list, or one layer with its arguments",
                at,
                helps=("a layer as a value: `{leaky_relu: {negative_slope: 0.1}}`",),
            )
            return self._broken(node)
        key, value = pairs[0]
        layer = self._layer(key, value)
        return tree.Call(layer.type, layer.arguments, at)

    def _expression(self, node: yaml.ScalarNode, at: Span) -> tree.Expression:
        """`$name` or `$(...)`; places inside it are kept where the text stands as it is read."""
        written = self._source.text[at.start : at.end]
        text = node.value[1:]
        offset = at.start + written.find(text) if text in written else at.start
        if text.startswith("(") and text.endswith(")"):
            parsed = read_expression(text, self._source, offset, self._findings)
            return parsed if parsed is not None else self._broken(node)
        if text.isidentifier() and text.isascii():
            return tree.Reference(text, at)
        not_a_value(node.value, at, self._findings)
        return self._broken(node)
