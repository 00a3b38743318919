"""From the parser's trees of the text form to ours: statements, and the parts of a file."""

import re
from dataclasses import dataclass
from typing import Any, final

from lark.tree import Meta

from codsl.diagnostics import Edit, Findings, Help
from codsl.source import Source, Span
from codsl.syntax import tree
from codsl.syntax.text_values import Values, unquote
from codsl.syntax.words import POSITIONAL


@dataclass(frozen=True)
class Outputs:
    """A statement of what a network gives."""

    selectors: tuple[tree.Selector, ...]
    span: Span


@dataclass(frozen=True)
class Network:
    """The parts of a network."""

    name: tree.Name | None = None
    parameters: tuple[tree.Parameter, ...] = ()
    inputs: tuple[tree.Input, ...] = ()
    outputs: tuple[Outputs, ...] = ()
    body: tuple[tree.Statement, ...] = ()


@dataclass(frozen=True)
class _Told:
    """A pair of a checkpoint: a rule, or what is adapted and how."""

    pair: tree.Pair
    renames: bool


@final
class Parts(Values):
    """Builds statements and the parts of a file; `local` are the names that mean something here."""

    def __init__(self, source: Source, local: frozenset[str], findings: Findings) -> None:
        super().__init__(source, findings)
        self._local = local

    def _word(self, meta: Meta, word: str) -> Span:
        """The place of the word that a construct begins with."""
        return self._place.span(meta.start_pos, meta.start_pos + len(word))

    def kind(self, meta: Meta, parts: list[Any]) -> tree.Name:
        return tree.Name(".".join(part.text for part in parts if part), self._at(meta))

    def imported(self, meta: Meta, parts: list[Any]) -> tree.Import | None:
        word, name = parts
        if name is None:
            _nameless(unquote(word), self._at(meta), self._findings)
            return None
        return tree.Import(name, self._text(word))

    def doc(self, meta: Meta, parts: list[Any]) -> str:
        return unquote(parts[0])

    def body(self, meta: Meta, parts: list[Any]) -> tuple[tree.Statement, ...]:
        return tuple(parts)

    def template(self, meta: Meta, parts: list[Any]) -> tree.Template:
        name, parameters, body = parts
        return tree.Template(name, parameters or (), body, name.span)

    def network(self, meta: Meta, parts: list[Any]) -> Network:
        name, parameters, inlets, *items = parts
        outputs = tuple(item for item in items if isinstance(item, Outputs))
        body = tuple(item for item in items if not isinstance(item, Outputs))
        return Network(name, parameters or (), inlets or (), outputs, body)

    def outputs(self, meta: Meta, parts: list[Any]) -> Outputs:
        return Outputs(tuple(parts), self._word(meta, "outputs"))

    def variant(self, meta: Meta, parts: list[Any]) -> tree.Variant:
        name, *rest = parts
        values = zip(rest[::2], rest[1::2], strict=True)
        return tree.Variant(name, tuple(tree.Argument(key, value) for key, value in values))

    def weights(self, meta: Meta, parts: list[Any]) -> tree.Checkpoint:
        word, *told = parts
        name = tree.Name(unquote(word), self._of(word))
        settings = tuple(part for part in told if isinstance(part, tree.Argument))
        pairs = [part for part in told if isinstance(part, _Told)]
        rules = tuple(part.pair for part in pairs if part.renames)
        adapters = tuple(part.pair for part in pairs if not part.renames)
        return tree.Checkpoint(name, settings, rules, adapters)

    def setting(self, meta: Meta, parts: list[Any]) -> tree.Argument:
        return tree.Argument(*parts)

    def renamed(self, meta: Meta, parts: list[Any]) -> _Told:
        return _Told(tree.Pair(*map(self._text, parts)), renames=True)

    def adapted(self, meta: Meta, parts: list[Any]) -> _Told:
        return _Told(tree.Pair(*map(self._text, parts)), renames=False)

    def parameters(self, meta: Meta, parts: list[Any]) -> tuple[tree.Parameter, ...]:
        return tuple(part for part in parts if part is not None)

    def parameter(self, meta: Meta, parts: list[Any]) -> tree.Parameter:
        return tree.Parameter(*parts)

    def input(self, meta: Meta, parts: list[Any]) -> tuple[tree.Input, ...]:
        sizes, rate = parts
        return (tree.Input(None, sizes, rate, self._at(meta)),)

    def inputs(self, meta: Meta, parts: list[Any]) -> tuple[tree.Input, ...]:
        return tuple(parts)

    def inlet(self, meta: Meta, parts: list[Any]) -> tree.Input:
        name, sizes, rate = parts
        return tree.Input(name, sizes, rate, self._at(meta))

    def shape(self, meta: Meta, parts: list[Any]) -> tuple[tree.Expression, ...]:
        return tuple(part for part in parts if part is not None)

    def let(self, meta: Meta, parts: list[Any]) -> tree.Let:
        bindings = zip(parts[::2], parts[1::2], strict=True)
        return tree.Let(tuple(bindings), self._word(meta, "let"))

    def when(self, meta: Meta, parts: list[Any]) -> tree.When:
        test, body, otherwise = parts
        if isinstance(otherwise, tree.When):
            otherwise = (otherwise,)
        return tree.When(test, body, otherwise or (), self._word(meta, "when"))

    def repeat(self, meta: Meta, parts: list[Any]) -> tree.Repeat:
        name, index, first, last, word, step, statement = parts
        if word is not None and word.text != "step":
            helps = (Help("write `step`", (Edit(word.span, "step"),)),)
            self._findings.add("E0101", f"unexpected `{word.text}`", word.span, helps=helps)
        return tree.Repeat(name, index, first, last, step, statement, name.span)

    def named(self, meta: Meta, parts: list[Any]) -> tree.Statement:
        name, statement = parts
        values = {part: getattr(statement, part) for part in statement.__dataclass_fields__}
        return type(statement)(**{**values, "name": name})  # type: ignore[no-any-return]

    def layer(self, meta: Meta, parts: list[Any]) -> tree.Layer:
        kind, arguments, sources = parts
        local = kind.text in self._local or "." in kind.text
        return tree.Layer(kind, None, arguments or (), sources or (), local, self._at(meta))

    def block(self, meta: Meta, parts: list[Any]) -> tree.Block:
        body, sources = parts
        return tree.Block(None, body, sources or (), self._word(meta, "{"))

    def per_frame(self, meta: Meta, parts: list[Any]) -> tree.PerFrame:
        body, sources = parts
        return tree.PerFrame(None, body, sources or (), self._word(meta, "per_frame"))

    def residual(self, meta: Meta, parts: list[Any]) -> tree.Residual:
        arguments, body, shortcut, sources = parts
        named = _positional(arguments, "residual")
        at = self._word(meta, "residual")
        return tree.Residual(None, named, body, shortcut or (), sources or (), at)

    def parallel(self, meta: Meta, parts: list[Any]) -> tree.Parallel:
        arguments, *branches, sources = parts
        named = _positional(arguments, "parallel")
        at = self._word(meta, "parallel")
        return tree.Parallel(None, named, tuple(branches), sources or (), at)

    def branch(self, meta: Meta, parts: list[Any]) -> tree.Branch:
        name, body = parts
        return tree.Branch(name, body, name.span if name else self._word(meta, "{"))

    def join(self, meta: Meta, parts: list[Any]) -> tree.Join:
        arguments, sources = parts
        named = _positional(arguments, "join")
        return tree.Join(None, named, sources, self._word(meta, "join"))

    def sources(self, meta: Meta, parts: list[Any]) -> tuple[tree.Selector, ...]:
        return tuple(parts)

    def selector(self, meta: Meta, parts: list[Any]) -> tree.Selector:
        return tree.Selector(tuple(parts), self._at(meta))

    def step(self, meta: Meta, parts: list[Any]) -> tree.Step:
        return tree.Step(parts[0], parts[1] is not None)


def _positional(
    arguments: tuple[tree.Argument, ...] | None, construct: str
) -> tuple[tree.Argument, ...]:
    """The arguments of a construct of the language, each by name as YAML has them."""
    order = iter(POSITIONAL[construct])
    named = []
    for argument in arguments or ():
        word = None if argument.name else next(order, None)
        name = tree.Name(word, argument.value.span) if word else argument.name
        named.append(tree.Argument(name, argument.value))
    return tuple(named)


def _nameless(path: str, at: Span, findings: Findings) -> None:
    """Report an import without the name that stands before its templates."""
    stem = re.split(r"[/\\]", path)[-1].split(".")[0]
    name = stem if stem.isidentifier() and stem.isascii() else "blocks"
    edit = Edit(at.source.span(at.end, at.end), f" as {name}")
    message = "an import has a name, which stands before its templates"
    findings.add("E0202", message, at, helps=(Help(f"add `as {name}`", (edit,)),))
