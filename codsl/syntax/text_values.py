"""From the parser's trees of the text form to ours: names, values and expressions."""

import re
from typing import Any, Protocol

from lark import Token, Tree
from lark.tree import Meta

from codsl.diagnostics import Findings
from codsl.source import Span
from codsl.syntax import tree
from codsl.syntax.numbers import scalar


class Place(Protocol):
    """Where a text that is parsed stands: a source, or what a scalar of YAML says."""

    def span(self, start: int, end: int) -> Span:
        """Where a stretch of the text stands."""


def span_of(place: Place, meta: Meta) -> Span:
    """Where a tree of the parser stands, whose text stands at a place."""
    return place.span(0, 0) if meta.empty else place.span(meta.start_pos, meta.end_pos)


class Values:
    """Builds what stands for a value, bottom up, of a text that stands at a place: for each rule of
    the grammar a method, which is given where it stands and what its parts became."""

    def __init__(self, place: Place, findings: Findings) -> None:
        self._place = place
        self._findings = findings

    def of(self, parsed: Tree[Token]) -> Any:
        """What a parse stands for."""
        made: dict[int, Any] = {}
        for node in parsed.iter_subtrees():
            parts = [made[id(each)] if isinstance(each, Tree) else each for each in node.children]
            made[id(node)] = getattr(self, node.data)(node.meta, parts)
        return made[id(parsed)]

    def _at(self, meta: Meta) -> Span:
        return span_of(self._place, meta)

    def name(self, meta: Meta, parts: list[Any]) -> tree.Name:
        return tree.Name(str(parts[0]), self._at(meta))

    alias = name

    def _text(self, token: Token) -> tree.Literal:
        return tree.Literal(unquote(token), self._of(token))

    def _of(self, token: Token) -> Span:
        start = token.start_pos or 0
        return self._place.span(start, start + len(token))

    def arguments(self, meta: Meta, parts: list[Any]) -> tuple[tree.Argument, ...]:
        return tuple(part for part in parts if part is not None)

    def argument(self, meta: Meta, parts: list[Any]) -> tree.Argument:
        return tree.Argument(parts[0], parts[1])

    def expression(self, meta: Meta, parts: list[Any]) -> tree.Expression:
        return parts[0]  # type: ignore[no-any-return]

    def choice(self, meta: Meta, parts: list[Any]) -> tree.Choice:
        yes, test, no = parts
        return tree.Choice(test, yes, no, self._at(meta))

    def element(self, meta: Meta, parts: list[Any]) -> tree.Element:
        return tree.Element(parts[0], parts[1], self._at(meta))

    def either(self, meta: Meta, parts: list[Any]) -> tree.Binary:
        return tree.Binary("or", parts[0], parts[1], self._at(meta))

    def both(self, meta: Meta, parts: list[Any]) -> tree.Binary:
        return tree.Binary("and", parts[0], parts[1], self._at(meta))

    def negation(self, meta: Meta, parts: list[Any]) -> tree.Unary:
        return tree.Unary(str(parts[0]), parts[1], self._at(meta))

    def _binary(self, meta: Meta, parts: list[Any]) -> tree.Binary:
        left, operator, right = parts
        return tree.Binary(str(operator), left, right, self._at(meta))

    def sign(self, meta: Meta, parts: list[Any]) -> tree.Unary | tree.Literal:
        """A signed number is one literal, as it is in YAML."""
        sign, operand = parts
        value = operand.value if isinstance(operand, tree.Literal) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return tree.Literal(-value if sign == "-" else value, self._at(meta))
        return tree.Unary(str(sign), operand, self._at(meta))

    comparison = sum = product = power = _binary

    def number(self, meta: Meta, parts: list[Any]) -> tree.Literal:
        return tree.Literal(scalar(str(parts[0])), self._at(meta))

    def string(self, meta: Meta, parts: list[Any]) -> tree.Literal:
        return tree.Literal(unquote(parts[0]), self._at(meta))

    def constant(self, meta: Meta, parts: list[Any]) -> tree.Literal:
        value = {"true": True, "false": False, "none": None}[str(parts[0])]
        return tree.Literal(value, self._at(meta))

    def reference(self, meta: Meta, parts: list[Any]) -> tree.Reference:
        return tree.Reference(parts[0].text, self._at(meta))

    def call(self, meta: Meta, parts: list[Any]) -> tree.Call:
        return tree.Call(parts[0], parts[1], self._at(meta))

    def tuple(self, meta: Meta, parts: list[Any]) -> tree.Tuple:
        return tree.Tuple(tuple(part for part in parts if part is not None), self._at(meta))


def unquote(token: Token) -> str:
    """The text that stands in quotes."""
    escapes = {"n": "\n", "t": "\t"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[1]), str(token)[1:-1])
