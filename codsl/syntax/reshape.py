"""What stands in YAML as another kind of thing than belongs there, written as what was meant."""

import re
from typing import Any

import yaml

from codsl.diagnostics import Applicability, Edit, Help
from codsl.source import Span

_SHAPE = re.compile(r"\d+(?: ?x ?(?:T|\d+))+")
"""Sizes as reports print them."""


def reshaped(schema: Any, node: yaml.Node, at: Span) -> list[Help]:
    """The remedy where a list is asked for and a word or a mapping stands there, or where a list
    stands for its only entry."""
    kinds = schema.get("type")
    if "array" not in (kinds if isinstance(kinds, list) else [kinds]):
        return _only(node, at) if isinstance(node, yaml.SequenceNode) else []
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        sign = at.source.span(at.start, at.start + 1)
        return [Help(f"leave out the `{node.style}`", (Edit(sign, ""),))]
    if isinstance(node, yaml.ScalarNode):
        return _listed(schema, node, at)
    if isinstance(node, yaml.MappingNode) and schema.get("items"):
        return _items(node, at) if not node.flow_style else _values(node, at)
    return []


def _only(node: yaml.SequenceNode, at: Span) -> list[Help]:
    """The only entry of a list behind a dash, without it."""
    dash = re.match(r"-[ ]+", at.text)
    if dash is None or len(node.value) > 1:
        return []
    edit = Edit(at.source.span(at.start, at.start + dash.end()), "")
    return [Help("one `-` is enough", (edit,), Applicability.SURE)]


def _listed(schema: Any, node: yaml.ScalarNode, at: Span) -> list[Help]:
    """A word as a list: of its parts between commas, or of itself behind ones."""
    least = schema.get("minItems", 1)
    between = "x" if _SHAPE.fullmatch(node.value) else ","
    parts = [each.strip() for each in node.value.strip("()[] ").split(between)]
    if len(parts) == 1:
        parts = ["1"] * (least - 1) + [node.value]
    whole = f"[{', '.join(parts)}]"
    if len(parts) < least or re.search(r"[\[\]{}#:]", "".join(parts)):
        return []
    return [Help(f"write `{whole}`", (Edit(at, whole),))]


def _items(node: yaml.MappingNode, at: Span) -> list[Help]:
    """A mapping in lines of its own, each key behind a dash."""
    source = at.source
    column = int(node.start_mark.column)
    edits = []
    for key, value in node.value:
        edits.append(Edit(source.span(int(key.start_mark.index), int(key.start_mark.index)), "- "))
        last = source.position(len(source.text[: int(value.end_mark.index)].rstrip()))[0]
        for number in range(int(key.start_mark.line) + 2, last + 1):
            start = source.start(number) + column
            edits.append(Edit(source.span(start, start), "  "))
    return [Help("start each with a `-`", tuple(edits))]


def _values(node: yaml.MappingNode, at: Span) -> list[Help]:
    """The words of a mapping without their keys."""
    words = [value.value for _, value in node.value if isinstance(value, yaml.ScalarNode)]
    if not words or len(words) < len(node.value):
        return []
    whole = f"[{', '.join(words)}]"
    return [Help(f"write `{whole}`", (Edit(at, whole),))]
