"""From nodes of YAML to the tree: names, values, and layers with their arguments."""

from collections.abc import Iterator

import yaml

from codsl.diagnostics import Findings
from codsl.source import Source, Span
from codsl.syntax import tree
from codsl.syntax.cut import round_tuple
from codsl.syntax.dollar import not_a_value
from codsl.syntax.scalars import behind
from codsl.syntax.text_form import read_expression
from codsl.syntax.yaml_nodes import scalar_of, span_of

Keyed = tuple[yaml.ScalarNode, yaml.Node]


class Values:
    """Reads what stands for a value; where the structure is wrong, at a node of `bad`, the tree is
    broken, and says so."""

    def __init__(self, source: Source, findings: Findings, bad: set[int]) -> None:
        self._source = source
        self._findings = findings
        self._bad = bad

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

    def _literal(self, node: yaml.Node) -> tree.Literal:
        return tree.Literal(str(node.value), self._at(node))

    def _text(self, node: yaml.Node) -> tree.Expression:
        """A text or a list of them: names with `$` or brackets in them are no expressions."""
        if id(node) in self._bad:
            return self._broken(node)
        if isinstance(node, yaml.SequenceNode):
            return tree.Tuple(tuple(self._text(item) for item in node.value), self._at(node))
        return self._literal(node)

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
        """`$name` or `$(...)`; places inside it are those of what is written."""
        text = node.value[1:]
        if text.startswith("(") and text.endswith(")"):
            parsed = read_expression(text, behind(node, at, 1), self._findings)
            return parsed if parsed is not None else self._broken(node)
        if text.isidentifier() and text.isascii():
            return tree.Reference(text, at)
        not_a_value(node.value, at, self._findings)
        return self._broken(node)
