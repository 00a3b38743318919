"""Expressions: what they are worth, and that no value grows beyond use."""

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeGuard

from codsl.diagnostics import (
    Applicability,
    Edit,
    Findings,
    Help,
    did_you_mean,
    plural,
    surely_meant,
)
from codsl.source import Span
from codsl.spec.arithmetic import ARITHMETIC, FUNCTIONS, LARGEST, ORDER, TAKES
from codsl.syntax import tree

CONSTANTS = ("true", "false", "none")
"""The values that have names of their own."""


class Hole(Exception):
    """A value that is not known, for a reason that has been reported."""


_NO_LENGTH = "it is how many frames a clip has, and a stream has no last one"
_WINDOWS = {"a window over time of each frame by itself": "1", "a sliding one, of 16 say": "16"}


@dataclass(frozen=True)
class Given:
    """A value and where it was written; `root` is where it stands as a literal, `key` its name."""

    value: "Value"
    span: Span
    root: Span | None = None
    key: Span | None = None


@dataclass(frozen=True)
class LayerValue:
    """A layer as a value: its name and its arguments, those by position under None."""

    name: str
    arguments: tuple[tuple[str | None, Given], ...] = ()


Value = int | float | bool | str | None | LayerValue | tuple[Any, ...]


class Scope:
    """The names that stand for values here, those of the enclosing block included."""

    def __init__(
        self, values: Mapping[str, Value | type[Hole]], parent: "Scope | None" = None
    ) -> None:
        self._values = dict(values)
        self._roots: dict[str, Span | None] = {}
        self._parent = parent
        self._missed: set[str] = set()

    def child(self, values: Mapping[str, Value | type[Hole]] | None = None) -> "Scope":
        """A scope inside this one."""
        return Scope(values or {}, self)

    def set(self, name: str, value: Value | type[Hole], root: Span | None = None) -> None:
        """Let `name` stand for `value` from here on; `Hole` for one that is not known.

        `root` is where the value stands as a literal.
        """
        self._values[name] = value
        self._roots[name] = root
        self._missed.discard(name)

    def miss(self, name: str) -> None:
        """Let a name that was reported as not defined stand for what is not known from here on."""
        self._values[name] = Hole
        self._missed.add(name)

    def unknown(self) -> "Scope":
        """The same names, of none of which the value is known."""
        scope = Scope(dict.fromkeys(self.names(), Hole))
        scope._missed = set(self.names()) - set(self.defined())
        return scope

    def defined(self) -> list[str]:
        """The names that may have been meant by another one: those that are not missed."""
        inherited = self._parent.defined() if self._parent else ["in_channels"]
        return [*(each for each in self._values if each not in self._missed), *inherited]

    def names(self) -> list[str]:
        """All names that mean something here, or were reported as not defined."""
        inherited = self._parent.names() if self._parent else ["in_channels"]
        return [*self._values, *inherited]

    def root(self, name: str) -> Span | None:
        """Where the value of a name stands as a literal."""
        scope: Scope | None = self
        while scope is not None and name not in scope._values:
            scope = scope._parent
        return scope._roots.get(name) if scope else None

    def get(self, name: str) -> Value | type[Hole]:
        """What a name stands for; raises `KeyError` where it stands for nothing."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope._values:
                return scope._values[name]
            scope = scope._parent
        raise KeyError(name)


class Evaluator:
    """Works out expressions in one scope; `channels` are those of the value at this point, which
    is `begun` unless none of several inputs is chosen yet. `flows` tells the names that layers
    have here."""

    def __init__(
        self,
        scope: Scope,
        channels: int | None,
        findings: Findings,
        begun: bool = True,
        flows: Callable[[str], bool] = lambda name: False,
    ) -> None:
        self._scope = scope
        self._channels = channels
        self._findings = findings
        self._begun = begun
        self._flows = flows

    def value(self, expression: tree.Expression) -> Value:
        """What an expression is worth; raises `Hole` once the reason is reported."""
        match expression:
            case tree.Literal(value):
                return value
            case tree.Reference(name, span):
                return self._reference(name, span)
            case tree.Tuple(items):
                return self._each(self.value, items)
            case tree.Unary("not", operand):
                return not self._truth(operand)
            case tree.Unary(sign, operand, span):
                number = self._number(operand)
                return self._settled(-number if sign == "-" else number, span)
            case tree.Binary("and" | "or" as word, left, right):
                settled = self._first(left, right) == (word == "or")
                self._look(right if settled else None)
                return word == "or" if settled else self._truth(right)
            case tree.Binary():
                return self._binary(expression)
            case tree.Choice(test, yes, no):
                taken, other = (yes, no) if self._first(test, yes, no) else (no, yes)
                self._look(other)
                return self.value(taken)
            case tree.Element():
                return self._element(expression)
            case tree.Call():
                return self._call(expression)
            case tree.Broken():
                raise Hole

    def root(self, expression: tree.Expression) -> Span | None:
        """Where what an expression is worth stands as a literal: here, or under a name."""
        match expression:
            case tree.Literal(_, span):
                return span
            case tree.Reference(name):
                return self._scope.root(name)
            case tree.Tuple(items, span) if all(isinstance(each, tree.Literal) for each in items):
                return span
            case _:
                return None

    def truth(self, expression: tree.Expression) -> bool:
        """The truth of a condition; raises `Hole` once the reason is reported."""
        return self._truth(expression)

    def layer(self, expression: tree.Expression) -> Value:
        """The value of something that may be a layer: a name with arguments, or a text."""
        if isinstance(expression, tree.Call) and expression.function.text not in FUNCTIONS:
            given = tuple(
                (
                    each.name.text if each.name else None,
                    Given(
                        self.layer(each.value),
                        each.value.span,
                        self.root(each.value),
                        each.name.span if each.name else None,
                    ),
                )
                for each in expression.arguments
            )
            return LayerValue(expression.function.text, given)
        return self.value(expression)

    def _reference(self, name: str, span: Span) -> Value:
        if name == "in_channels":
            if self._channels is None and not self._begun:
                message = "`in_channels` are those of a value, and none is chosen of the inputs yet"
                self._findings.add("E0315", message, span)
            if self._channels is None:
                raise Hole
            return self._channels
        try:
            value = self._scope.get(name)
        except KeyError:
            if name == "T":
                self._no_length(span)
                raise Hole from None
            helps = self._meant(name, span)
            if not surely_meant(helps):
                self._scope.miss(name)
            flows = "flows through the network, and is no argument"
            what = flows if self._flows(name) else "is not defined here"
            self._findings.add("E0301", f"`{name}` {what}", span, helps=helps)
            raise Hole from None
        if isinstance(value, type):
            raise Hole
        return value

    def _meant(self, name: str, span: Span) -> list[Help]:
        """What a name that is not defined may have been meant as."""
        if self._flows(name):
            return [Help(f"what a layer reads stands behind it: `from {name}`")]
        helps = did_you_mean(name, CONSTANTS, span.within(name))[:1]
        helps = helps or did_you_mean(name, self._scope.defined(), span.within(name))
        if helps:
            return helps
        edits = (Edit(span, f'"{name}"'),) if span.text == name else ()
        said = f'a text stands in quotes: `"{name}"`; a value is a parameter or a `let`'
        return [Help(said, edits)]

    def _no_length(self, span: Span) -> None:
        """Report the length of a clip where a number is asked for."""
        helps = [
            Help(f"{said}: `{each}`", (Edit(span.within("T"), each),), Applicability.CHOICE)
            for said, each in _WINDOWS.items()
        ]
        self._findings.add("E0301", "`T` is no number", span, notes=(_NO_LENGTH,), helps=helps)

    def _each(
        self, worth: Callable[[tree.Expression], Any], expressions: Iterable[tree.Expression]
    ) -> tuple[Any, ...]:
        """What each of these is worth; raises `Hole` once what is wrong with all is reported."""
        values, sound = [], True
        for each in expressions:
            try:
                values.append(worth(each))
            except Hole:
                sound = False
        if not sound:
            raise Hole
        return tuple(values)

    def _first(self, test: tree.Expression, *others: tree.Expression) -> bool:
        """The truth of a condition; where it is not known the others are looked at too."""
        try:
            return self._truth(test)
        except Hole:
            for each in others:
                with suppress(Hole):
                    self.value(each)
            raise

    def _look(self, expression: tree.Expression | None) -> None:
        """Report what is wrong, whatever the values are, in an expression that is not taken."""
        if expression is None or isinstance(expression, tree.Literal):
            return
        with suppress(Hole):
            Evaluator(self._scope.unknown(), None, self._findings).layer(expression)

    def _is_named(self, value: Value) -> TypeGuard[str]:
        """Whether a text is the name of a value here."""
        return isinstance(value, str) and value in self._scope.defined()

    def _truth(self, expression: tree.Expression) -> bool:
        value = self.value(expression)
        if not isinstance(value, bool):
            at = expression.span
            helps: list[Help] = []
            if self._is_named(value) and at.text.endswith(value):
                edits = (Edit(at, f"${value}"),)
                helps = [Help(f"the value of that name is `${value}`", edits, Applicability.SURE)]
            message = f"expected a condition, found {describe(value)}"
            self._findings.add("E0305", message, at, helps=helps or ("compare it: `x != 0`",))
            raise Hole
        return value

    def _number(self, expression: tree.Expression) -> float:
        value = self.value(expression)
        if isinstance(value, bool) or not isinstance(value, int | float):
            message, at = f"expected a number, found {describe(value)}", expression.span
            helps = []
            if self._is_named(value) and at.text == f'"{value}"':
                edits = (Edit(at, value),)
                said = f"the value of that name is `{value}`, without quotes"
                helps = [Help(said, edits, Applicability.SURE)]
            self._findings.add("E0305", message, at, helps=helps)
            raise Hole
        return value

    def _tuple(self, expression: tree.Expression) -> tuple[Any, ...]:
        value = self.value(expression)
        if not isinstance(value, tuple):
            message = f"expected a tuple, found {describe(value)}"
            self._findings.add("E0305", message, expression.span)
            raise Hole
        return value

    def _element(self, node: tree.Element) -> Value:
        items, at = self._tuple(node.whole), self._number(node.at)
        if not isinstance(at, int) or not -len(items) <= at < len(items):
            count = f"{len(items)} items" if len(items) != 1 else "one item"
            message = f"there is no item {at} in a tuple of {count}"
            less = f"{node.at.span.text} - 1"
            edits = (Edit(node.at.span, less),) if at == len(items) else ()
            helps = [Help(f"the last is `{less}`", edits)] if edits else []
            notes = ("the first is item 0",)
            self._findings.add("E0313", message, node.at.span, notes=notes, helps=helps)
            raise Hole
        item: Value = items[at]
        return item

    def _binary(self, node: tree.Binary) -> Value:
        if node.operator in ("==", "!="):
            left, right = self._each(self.value, (node.left, node.right))
            return bool(left == right) == (node.operator == "==")
        left, right = self._each(self._number, (node.left, node.right))
        if node.operator in ORDER:
            return ORDER[node.operator](left, right)
        return self._computed(ARITHMETIC[node.operator], (left, right), node.span)

    def _call(self, node: tree.Call) -> Value:
        name = node.function.text
        if name not in FUNCTIONS:
            helps = did_you_mean(name, FUNCTIONS, node.function.span)
            known = ", ".join(f"`{each}`" for each in FUNCTIONS)
            self._findings.add(
                "E0301",
                f"there is no function `{name}`",
                node.function.span,
                helps=helps or (f"the functions are {known}",),
            )
            raise Hole
        if any(each.name for each in node.arguments):
            self._findings.add("E0303", f"`{name}` takes its arguments by position", node.span)
            raise Hole
        least, most = TAKES[name]
        if not least <= len(node.arguments) <= most:
            wanted = plural(least, "argument") if least == most else f"{least} or more arguments"
            self._findings.add(
                "E0313", f"`{name}` takes {wanted}, found {len(node.arguments)}", node.span
            )
            raise Hole
        if name == "len":
            return len(self._tuple(node.arguments[0].value))
        numbers = self._each(self._number, [each.value for each in node.arguments])
        return self._computed(FUNCTIONS[name], numbers, node.span)

    def _computed(
        self, function: Callable[..., Any], numbers: tuple[float, ...], at: Span
    ) -> Value:
        try:
            return self._settled(function(*numbers), at)
        except ZeroDivisionError:
            self._findings.add("E0313", "this divides by zero", at)
        except OverflowError:
            self._findings.add("E0313", "this number is too large", at)
        except (TypeError, ValueError) as error:
            self._findings.add("E0313", f"this cannot be worked out: {error}", at)
        raise Hole

    def _settled(self, number: float, at: Span) -> float:
        if not math.isfinite(number) or abs(number) > LARGEST:
            self._findings.add("E0313", "this number is too large", at)
            raise Hole
        return number


def describe(value: Value) -> str:
    """A value, as messages speak of it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text `{value}`"
        case LayerValue():
            return f"the layer `{value.name}`"
        case tuple():
            return "a tuple"
        case _:
            return f"`{value}`"
