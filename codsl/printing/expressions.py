"""Expressions as the text form has them, on one line; YAML has them so behind a `$`."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never, final

from codsl.printing.positions import Orders
from codsl.source import Span
from codsl.syntax import tree
from codsl.syntax.numbers import number

CHOICE, EITHER, BOTH, NOT, RELATION, SUM, PRODUCT, SIGN, POWER, MEMBER = range(10)
"""How tightly operators bind, from the loosest on; a member is what needs no brackets anywhere."""

_LEVELS = {
    **{"or": EITHER, "and": BOTH},
    **dict.fromkeys(("==", "!=", "<=", ">=", "<", ">"), RELATION),
    **{"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "**": POWER},
}
_SIDES = {
    EITHER: (EITHER, BOTH),
    BOTH: (BOTH, NOT),
    RELATION: (SUM, SUM),
    SUM: (SUM, PRODUCT),
    PRODUCT: (PRODUCT, SIGN),
    POWER: (MEMBER, SIGN),
}
"""How tightly the sides of an operator must bind to stand there without brackets."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|0x[0-9a-fA-F]+|0o[0-7]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_CONSTANTS = {None: "none", True: "true", False: "false"}


def constant(value: object) -> str:
    """A truth value or nothing."""
    return _CONSTANTS[value]  # type: ignore[index]


def string(text: str) -> str:
    """A text in quotes."""
    return '"' + "".join(_ESCAPES.get(char, char) for char in text) + '"'


def spelled(node: tree.Literal) -> str | None:
    """A number as it was written, where both surfaces read it so; None for what is no number."""
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    written = node.span.text.replace(" ", "")
    if math.isfinite(value) and _NUMBER.fullmatch(written):
        found = number(written)
        if type(found) is type(value) and found == value:
            return written
    return repr(value)


@final
@dataclass(frozen=True)
class Writer:
    """Writes expressions; the arguments of layers in `orders` stand by position where they may."""

    orders: Orders

    def expression(self, node: tree.Expression) -> str:
        """The expression on one line; brackets stand where they are needed or were written."""
        return self._at(node, CHOICE)

    def arguments(self, name: str, arguments: Sequence[tree.Argument]) -> list[str]:
        """The arguments of a layer or a function, each on one line."""
        return [f"{key}{self.expression(each.value)}" for key, each in self.keyed(name, arguments)]

    def keyed(
        self, name: str, arguments: Sequence[tree.Argument]
    ) -> list[tuple[str, tree.Argument]]:
        """The arguments with what stands before each: `name=`, or nothing by position."""
        order = self.orders.get(name)
        first = order.leading(arguments) if order else 0
        return [
            (f"{each.name.text}=" if each.name and at >= first else "", each)
            for at, each in enumerate(arguments)
        ]

    def _at(self, node: tree.Expression, level: int) -> str:
        """The expression where it must bind at least so tightly."""
        own, text = self._parts(node)
        return f"({text})" if own < level else text

    def _operand(self, node: tree.Expression, level: int) -> str:
        """A side of an operator; brackets that were put around an operation for clarity stay."""
        operation = isinstance(node, tree.Unary | tree.Binary | tree.Choice)
        return self._at(node, MEMBER if operation and _bracketed(node.span) else level)

    def _parts(self, node: tree.Expression) -> tuple[int, str]:
        """How tightly an expression binds, and its text."""
        match node:
            case tree.Literal():
                text = _literal(node)
                return (SIGN if text.startswith("-") else MEMBER), text
            case tree.Reference():
                return MEMBER, node.name
            case tree.Tuple(items):
                last = "," if len(items) == 1 else ""
                return MEMBER, f"({', '.join(map(self.expression, items))}{last})"
            case tree.Call(function, arguments):
                given = ", ".join(self.arguments(function.text, arguments))
                return MEMBER, f"{function.text}({given})"
            case tree.Element(whole, at):
                return MEMBER, f"{self._operand(whole, MEMBER)}[{self.expression(at)}]"
            case tree.Unary("not", operand):
                return NOT, f"not {self._operand(operand, NOT)}"
            case tree.Unary(sign, operand):
                return SIGN, f"{sign}{self._operand(operand, SIGN)}"
            case tree.Binary(operator, left, right):
                level = _LEVELS[operator]
                before, after = _SIDES[level]
                parts = self._operand(left, before), operator, self._operand(right, after)
                return level, " ".join(parts)
            case tree.Choice(test, yes, no):
                sides = (yes, EITHER), (test, EITHER), (no, CHOICE)
                return CHOICE, "{} if {} else {}".format(*(self._operand(*each) for each in sides))
            case tree.Broken():
                raise ValueError("what could not be read cannot be written")
            case _:
                assert_never(node)


def _literal(node: tree.Literal) -> str:
    if isinstance(node.value, str):
        return string(node.value)
    if (written := spelled(node)) is None:
        return constant(node.value)
    return written.replace("inf", "1e999")


def _bracketed(span: Span) -> bool:
    """Whether brackets stand directly around a place."""
    text, before, after = span.source.text, span.start - 1, span.end
    while text[before : before + 1].isspace():
        before -= 1
    while text[after : after + 1].isspace():
        after += 1
    return text[before : before + 1] == "(" and text[after : after + 1] == ")"
