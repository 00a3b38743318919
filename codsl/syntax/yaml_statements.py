"""From nodes of YAML to the tree: layers, blocks and what else is an item of `layers`."""

from collections.abc import Callable
from typing import Any, ClassVar

import yaml

from codsl.syntax import tree
from codsl.syntax.words import CONSTRUCTS
from codsl.syntax.yaml_nodes import entry
from codsl.syntax.yaml_values import Values


class Statements(Values):
    """Reads statements."""

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

    def _words(self, node: yaml.Node, *known: str) -> tuple[tree.Argument, ...]:
        """The arguments of a construct; what it has not is reported already."""
        pairs = (pair for pair in self._pairs(node) if pair[0].value in known)
        return tuple(tree.Argument(self._name(key), self._value(value)) for key, value in pairs)

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

    _constructs: ClassVar[dict[str, Callable[["Statements", Any, Any], tree.Statement]]] = {
        "sequential": _sequential,
        "per_frame": _per_frame,
        "residual": _residual,
        "parallel": _parallel,
        "join": _join,
        "let": _let,
        "when": _when,
        "repeat": _repeat,
    }
