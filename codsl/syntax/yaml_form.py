"""The YAML form: from a composed YAML document to the tree."""

from contextlib import suppress
from typing import final

import yaml

from codsl.diagnostics import Findings, Label, SpecError, near
from codsl.source import Source
from codsl.syntax import tree
from codsl.syntax.no_yaml import report
from codsl.syntax.structure import OF_A_NETWORK, TOP
from codsl.syntax.validate import validate
from codsl.syntax.validator import Validator
from codsl.syntax.version import foreign
from codsl.syntax.words import TYPES, VERSION
from codsl.syntax.yaml_nodes import Plain, compose, entry, scalar_of, span_of
from codsl.syntax.yaml_statements import Statements


def read_yaml(source: Source, findings: Findings, validator: Validator) -> tree.Document | None:
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
    return _File(source, findings, bad | plain.bad).document(root)


def _violations(text: str, validator: Validator) -> int | None:
    """How much stands in a text where it should not; None where it cannot be composed."""
    source, findings = Source("", text), Findings()
    with suppress(SpecError):
        try:
            root = compose(source, findings)
        except yaml.YAMLError:
            return None
        if root is not None:
            data = Plain(source, findings).read(root)
            validate(source, root, data, validator, findings)
    return len(findings.diagnostics)


@final
class _File(Statements):
    """Reads the sections of a file."""

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
