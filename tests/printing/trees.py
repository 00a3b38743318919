"""Random trees of whole files, with everything that both surfaces can say."""

from __future__ import annotations

import random
from itertools import count
from typing import Any

from codsl.printing.expressions import Writer
from codsl.printing.layout import Layout
from codsl.printing.lines import text
from codsl.printing.margins import Margins
from codsl.printing.positions import CONSTRUCTS
from codsl.printing.text_lines import text_lines
from codsl.printing.yaml_lines import yaml_lines
from codsl.printing.yaml_outline import outline
from codsl.source import Source, Span
from codsl.surfaces import _orders as orders
from codsl.syntax import tree
from codsl.syntax.words import TYPES

NAMES = ["a", "b1", "conv", "T", "rated", "step", "_x", "type", "name", "layers", "codsl", "is"]
KINDS = ["conv3d", "relu", "linear", "dropout", "unheard_of", "clamp", "max_pool3d", "softmax"]
STRINGS = [
    "same", "", " ", "no", "true", "~", "1", "1e5", "0x1f", ".5", "a b", "a: b", "a # b", "#",
    "- x", "-1x", "é漢", "\u2028", "it's", 'say "no"', "back\\slash", "both ' and \"", "tab\there",
    "line\nbreak", "$x", "$(x)", "(1, 2)", "[a]", "{i}.{rest}", "a,b", "<<", "=", "*", "&a", "!t",
    "%", "@", "`", "?", ":", "x:", "null", "int", "layer", "...", "---", "\u00a0", "𝄞", "$(", "(",
    "'", '"', "\\", "a\\n",
]  # fmt: skip
NUMBERS: list[int | float] = [0, 1, -1, 7, 1234, 0.5, -0.25, 1e-5, 1e16, 1e300, 3.0, -2.5e-9]
NUMBERS += [float("inf")]
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<=", ">=", "<", ">", "and", "or"]


class Trees:
    """Draws trees; every part has a place of its own."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._source = Source("<random>", "")
        self._offsets = count(10)
        self._local: list[str] = []

    def chosen(self) -> set[int]:
        """Half of the places."""
        return {at for at in range(next(self._offsets)) if self._chance.random() < 0.5}

    def span(self) -> Span:
        at = next(self._offsets)
        return self._source.span(at, at)

    def some(self, draw: Any, most: int, least: int = 0) -> tuple[Any, ...]:
        return tuple(draw() for _ in range(self._chance.randint(least, most)))

    def maybe(self, draw: Any, odds: float = 0.5) -> Any:
        return draw() if self._chance.random() < odds else None

    def pick(self, items: Any) -> Any:
        return self._chance.choice(items)

    def name(self) -> tree.Name:
        return tree.Name(self.pick(NAMES), self.span())

    def names(self, most: int, least: int = 0) -> list[tree.Name]:
        """Different names."""
        words = self._chance.sample(NAMES, self._chance.randint(least, most))
        return [tree.Name(word, self.span()) for word in words]

    def literal(self) -> tree.Literal:
        match self._chance.randrange(4):
            case 0:
                return tree.Literal(self.pick(STRINGS), self.span())
            case 1:
                return tree.Literal(self.pick([True, False, None]), self.span())
        return tree.Literal(self.pick(NUMBERS), self.span())

    def value(self, depth: int = 3) -> tree.Expression:
        """A value: a literal, a tuple, a layer, something that is worked out."""
        match self._chance.randrange(10) if depth else 0:
            case 0 | 1 | 2 | 3:
                return self.literal()
            case 4:
                return tree.Reference(self.pick(NAMES), self.span())
            case 5 | 6:
                return tree.Tuple(self.some(lambda: self.value(depth - 1), 9), self.span())
            case 7:
                return tree.Call(self.kind(), self.arguments(depth - 1), self.span())
        return self.operation(depth)

    def operation(self, depth: int) -> tree.Expression:
        """Something that is worked out."""
        if not depth:
            return self.pick([self.literal(), tree.Reference(self.pick(NAMES), self.span())])
        one, two, three = (self.operation(depth - self._chance.randint(1, depth)) for _ in range(3))
        match self._chance.randrange(9):
            case 0:
                return tree.Unary("not", one, self.span())
            case 1 if not _is_number(one):
                return tree.Unary(self.pick("+-"), one, self.span())
            case 2:
                return tree.Choice(one, two, three, self.span())
            case 3:
                return tree.Element(one, two, self.span())
            case 4:
                unnamed = tuple(tree.Argument(None, each) for each in (one, two))
                return tree.Call(
                    tree.Name(self.pick(["max", "round_to"]), self.span()), unnamed, self.span()
                )
            case 5:
                return tree.Tuple((one, two), self.span())
        return tree.Binary(self.pick(OPERATORS), one, two, self.span())

    def arguments(self, depth: int = 3, but: str = "name") -> tuple[tree.Argument, ...]:
        names = [each for each in self.names(5) if each.text not in ("name", "from")]
        return tuple(tree.Argument(name, self.value(depth)) for name in names)

    def kind(self) -> tree.Name:
        return tree.Name(self.pick(KINDS), self.span())

    def selectors(self, least: int = 0) -> tuple[tree.Selector, ...]:
        return self.some(self.selector, self.pick([least, 1, 2, 12]), least)

    def selector(self) -> tree.Selector:
        steps = self.some(lambda: tree.Step(self.name(), self._chance.random() < 0.3), 3, 1)
        return tree.Selector(steps, self.span())

    def layer(self, named: bool = True) -> tree.Layer:
        local = bool(self._local) and self._chance.random() < 0.3
        kind = tree.Name(self.pick(self._local), self.span()) if local else self.kind()
        name = self.maybe(self.name) if named else None
        arguments, sources = self.arguments() if self._chance.random() < 0.8 else (), ()
        if self._chance.random() < 0.2:
            sources = self.selectors()
        elif self._chance.random() < 0.1 and not local and kind.text == "unheard_of" and not name:
            arguments = (tree.Argument(None, tree.Literal(3, self.span())),)
        return tree.Layer(kind, name, arguments, sources, local, self.span())

    def words(self, *known: str) -> tuple[tree.Argument, ...]:
        """Some of the arguments of a construct, in the order that they have."""
        chosen = [word for word in known if self._chance.random() < 0.5]
        return tuple(
            tree.Argument(tree.Name(word, self.span()), self.text(self.pick(STRINGS)))
            for word in chosen
        )

    def body(self, depth: int) -> tuple[tree.Statement, ...]:
        return self.some(lambda: self.statement(depth), 2) if depth else self.some(self.layer, 2)

    def statement(self, depth: int) -> tree.Statement:
        match self._chance.randrange(8):
            case 0:
                names = self.names(4, 1)
                return tree.Let(tuple((name, self.value()) for name in names), self.span())
            case 1:
                name, index = self.name(), self.maybe(self.name)
                inner = self.made(depth - 1, named=False)
                step = self.maybe(self.count, 0.3)
                return tree.Repeat(
                    name, index, self.count(), self.count(), step, inner, self.span()
                )
            case 2:
                return tree.When(
                    self.test(), self.body(depth - 1), self.otherwise(depth - 1), self.span()
                )
        return self.made(depth - 1)

    def test(self) -> tree.Expression:
        return self.pick(
            [
                tree.Literal(True, self.span()),
                tree.Binary("<", self.literal(), self.literal(), self.span()),
            ]
        )

    def otherwise(self, depth: int) -> tuple[tree.Statement, ...]:
        if depth and self._chance.random() < 0.3:
            return (
                tree.When(
                    self.test(), self.body(depth - 1), self.otherwise(depth - 1), self.span()
                ),
            )
        return self.body(max(depth, 0))

    def made(self, depth: int, named: bool = True) -> Any:
        """What may have a name."""
        name = self.maybe(self.name) if named else None
        depth = max(depth, 0)
        sources = self.selectors() if self._chance.random() < 0.4 else ()
        match self._chance.randrange(9):
            case 0:
                return tree.Block(name, self.body(depth), sources, self.span())
            case 1:
                return tree.PerFrame(name, self.body(depth), sources, self.span())
            case 2:
                words = self.words("aggregation", "shrink")
                return tree.Residual(
                    name, words, self.body(depth), self.body(depth), sources, self.span()
                )
            case 3:
                return tree.Parallel(
                    name, self.words("aggregation"), self.branches(depth), sources, self.span()
                )
            case 4:
                return tree.Join(name, self.words("aggregation"), self.selectors(1), self.span())
        return self.layer(named)

    def branches(self, depth: int) -> tuple[tree.Branch, ...]:
        names = self.names(3)
        if self._chance.random() < 0.5:
            return tuple(tree.Branch(name, self.body(depth), self.span()) for name in names)
        return tuple(tree.Branch(None, self.body(depth), self.span()) for name in names)

    def parameters(self) -> tuple[tree.Parameter, ...]:
        return tuple(
            tree.Parameter(
                name,
                self.maybe(lambda: tree.Name(self.pick(sorted(TYPES)), self.span())),
                self.maybe(self.value),
            )
            for name in self.names(5)
        )

    def sizes(self) -> tuple[tree.Expression, ...]:
        return (self.count(), tree.Reference("T", self.span()), *self.some(self.count, 2))

    def count(self) -> tree.Expression:
        """A size, or an end of a range."""
        match self._chance.randrange(3):
            case 0:
                return tree.Literal(self._chance.randrange(99), self.span())
            case 1:
                return tree.Reference(self.pick(NAMES), self.span())
        return tree.Binary("+", self.operation(1), self.operation(1), self.span())

    def input(self, name: tree.Name | None) -> tree.Input:
        rate = self.maybe(lambda: tree.Literal(self.pick([30, 12.5]), self.span()))
        return tree.Input(name, self.sizes(), rate, self.span())

    def pairs(self) -> tuple[tree.Pair, ...]:
        words = self._chance.sample(STRINGS, self._chance.randint(0, 5))
        return tuple(
            tree.Pair(
                self.text(each), self.text(self.pick(STRINGS) + "x" * self._chance.choice([0, 90]))
            )
            for each in words
        )

    def text(self, text: str) -> tree.Literal:
        return tree.Literal(text, self.span())

    def checkpoint(self, name: str) -> tree.Checkpoint:
        settings = [tree.Argument(tree.Name("layout", self.span()), self.text("keras"))]
        several = tree.Tuple(
            tuple(self.text(each) for each in self._chance.sample(STRINGS, 4)), self.span()
        )
        settings.append(tree.Argument(tree.Name("allow_missing", self.span()), several))
        chosen = tuple(each for each in settings if self._chance.random() < 0.6)
        return tree.Checkpoint(tree.Name(name, self.span()), chosen, self.pairs(), self.pairs())

    def document(self) -> tree.Document:
        imports = tuple(
            tree.Import(name, self.text(f"./{name.text}.codsl")) for name in self.names(2)
        )
        dotted = [f"{each.name.text}.unit" for each in imports]
        templates = self.names(3)
        own = [each.text for each in templates]
        self._local = own + dotted
        made = tuple(self.template(each, own + dotted) for each in templates)
        parameters = self.parameters()
        self._local = own + dotted + _layers(parameters)
        inputs = (
            (self.input(None),)
            if self._chance.random() < 0.6
            else tuple(map(self.input, self.names(3, 1)))
        )
        variants = tuple(tree.Variant(name, self.arguments()) for name in self.names(3))
        doc = self.maybe(
            lambda: self.pick([*STRINGS, "one line\nand another\n", "# no comment\n  x\n"])
        )
        return tree.Document(
            1,
            self.maybe(self.name, 0.8),
            doc,
            inputs,
            self.selectors() if self._chance.random() < 0.3 else (),
            parameters,
            variants,
            imports,
            made,
            tuple(map(self.checkpoint, self._chance.sample(STRINGS, self._chance.randint(0, 2)))),
            self.some(lambda: self.statement(3), 4),
            self._source,
        )

    def template(self, name: tree.Name, local: list[str]) -> tree.Template:
        parameters = self.parameters()
        self._local = local + _layers(parameters)
        return tree.Template(name, parameters, self.body(2), name.span)


def _is_number(node: tree.Expression) -> bool:
    value = node.value if isinstance(node, tree.Literal) else None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _layers(parameters: tuple[tree.Parameter, ...]) -> list[str]:
    typed = [(each.name.text, each.type) for each in parameters]
    return [name for name, kind in typed if kind and kind.text == "layer"]


def printed(document: tree.Document, flat: set[int]) -> tuple[str, str]:
    """A document in the text form and in YAML, with these parts on one line where there is room."""
    margins = Margins()
    margins.flat |= flat
    writer = Writer({**orders(), **CONSTRUCTS})
    layout = Layout(document, margins, writer)
    places = {"codsl": 1, "doc": 2}
    in_text = text(text_lines(document, layout, writer, places))
    return in_text, text(yaml_lines(outline(document, layout, Writer({}), places), layout))
