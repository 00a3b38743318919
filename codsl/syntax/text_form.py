"""The text form: from characters to the tree, by the grammar in `grammar.lark`."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import islice
from typing import Any

from lark import Lark, Token, Transformer_NonRecursive, Tree, v_args
from lark.exceptions import UnexpectedInput
from lark.tree import Meta

from codsl.diagnostics import Edit, Findings, Help
from codsl.source import Source, Span
from codsl.syntax import tree
from codsl.syntax.numbers import scalar
from codsl.syntax.resume import without_statement
from codsl.syntax.unexpected import report
from codsl.syntax.words import POSITIONAL

MOST = 150_000
"""Words and signs of a file at most; ten thousand layers have a third of that."""
LONGEST = 1000
"""Words and signs of an expression in YAML at most."""

MOST_BROKEN = 20
"""Places at most that are told where a source breaks."""

_WORDS = re.compile(r"\w+|[^\w\s]")


@cache
def grammar() -> Lark:
    """The parser of documents and of expressions, made once."""
    return Lark(
        files("codsl.syntax").joinpath("grammar.lark").read_text("utf-8"),
        parser="lalr",
        lexer="contextual",
        start=["document", "expression"],
        propagate_positions=True,
        maybe_placeholders=True,
    )


def read_text(source: Source, findings: Findings) -> tree.Document | None:
    """The tree of a source in the text form, or None where its syntax is broken."""
    if (beyond := _beyond(source.text, MOST)) is not None:
        at = source.span(beyond, beyond + 1)
        findings.add("E0106", f"a file has at most {MOST} words and signs", at)
        return None
    parsed = _parsed(source, findings)
    return _document(parsed, source, findings) if parsed else None


def _parsed(source: Source, findings: Findings) -> Tree[Token] | None:
    """The parse of a whole source. Where it breaks the broken line is left out and reading goes on,
    so that all that is broken is reported; there is no parse then."""
    text, broken = source.text, 0
    while broken < MOST_BROKEN:
        try:
            parsed = grammar().parse(text, start="document")
        except UnexpectedInput as error:
            goes_on = report(error, source, 0, findings)
            broken += 1
            rest = without_statement(text, error.pos_in_stream or 0) if goes_on else None
            if rest is None:
                break
            text = rest
        else:
            return None if broken else parsed
    return None


def read_expression(
    text: str, source: Source, offset: int, findings: Findings
) -> tree.Expression | None:
    """The expression `text`, which stands in `source` at `offset`."""
    if _beyond(text, LONGEST) is not None:
        findings.add(
            "E0106",
            f"an expression has at most {LONGEST} words and signs",
            source.span(offset, offset + len(text)),
            helps=("give its parts names by `let`",),
        )
        return None
    try:
        parsed = _expression(text)
    except UnexpectedInput as error:
        report(error, source, offset, findings)
        return None
    return _Builder(source, offset, frozenset(), findings).transform(parsed)  # type: ignore[no-any-return]


def _beyond(text: str, most: int) -> int | None:
    """Where a text goes beyond so many words and signs, if it does."""
    found = next(islice(_WORDS.finditer(text), most, None), None)
    return found and found.start()


@lru_cache(4096)
def _expression(text: str) -> Tree[Token]:
    return grammar().parse(text, start="expression")


def _document(parsed: Tree[Token], source: Source, findings: Findings) -> tree.Document:
    """The document of a parse; what a bare name may stand for is known before it is built."""
    version, *items = parsed.children
    words = ("imported", "template", "network", "variant", "weights", "doc")
    kinds: dict[str, list[Tree[Token]]] = {word: [] for word in words}
    for item in items:
        if isinstance(item, Tree):
            kinds[str(item.data)].append(item)
    templates = frozenset(_text(item.children[0]) for item in kinds["template"])

    def build(item: Tree[Token]) -> Any:
        parameters = item.children[1] if item.data in ("template", "network") else None
        layers = {_text(each.children[0]) for each in _subtrees(parameters) if _is_layer(each)}
        return _Builder(source, 0, templates | layers, findings).transform(item)

    built = {kind: [build(item) for item in each] for kind, each in kinds.items()}
    for kind in ("network", "doc"):
        for extra in kinds[kind][1:]:
            findings.add("E0201", f"a file has one `{kind}`", _span(source, 0, extra.meta))
    network = built["network"][0] if built["network"] else _Network()
    for again in network.outputs[1:]:
        findings.add("E0201", "a network says `outputs` once", again.span)
    return tree.Document(
        int(version),  # type: ignore[arg-type]
        network.name,
        built["doc"][0] if built["doc"] else None,
        network.inputs,
        network.outputs[0].selectors if network.outputs else (),
        network.parameters,
        tuple(built["variant"]),
        tuple(each for each in built["imported"] if each),
        tuple(built["template"]),
        tuple(built["weights"]),
        network.body,
        source,
    )


def _nameless(path: str, at: Span, findings: Findings) -> None:
    """Report an import without the name that stands before its templates."""
    stem = re.split(r"[/\\]", path)[-1].split(".")[0]
    name = stem if stem.isidentifier() and stem.isascii() else "blocks"
    edit = Edit(at.source.span(at.end, at.end), f" as {name}")
    message = "an import has a name, which stands before its templates"
    findings.add("E0202", message, at, helps=(Help(f"add `as {name}`", (edit,)),))


def _subtrees(parameters: Any) -> list[Tree[Token]]:
    return [each for each in parameters.children if each] if parameters is not None else []


def _is_layer(parameter: Tree[Token]) -> bool:
    return parameter.children[1] is not None and _text(parameter.children[1]) == "layer"


def _text(name: Any) -> str:
    return str(name.children[0])


def _span(source: Source, offset: int, meta: Meta) -> Span:
    if meta.empty:
        return source.span(offset, offset)
    return source.span(offset + meta.start_pos, offset + meta.end_pos)


@dataclass(frozen=True)
class _Outputs:
    """A statement of what a network gives."""

    selectors: tuple[tree.Selector, ...]
    span: Span


@dataclass(frozen=True)
class _Network:
    """The parts of a network."""

    name: tree.Name | None = None
    parameters: tuple[tree.Parameter, ...] = ()
    inputs: tuple[tree.Input, ...] = ()
    outputs: tuple[_Outputs, ...] = ()
    body: tuple[tree.Statement, ...] = ()


@dataclass(frozen=True)
class _Told:
    """A pair of a checkpoint: a rule, or what is adapted and how."""

    pair: tree.Pair
    renames: bool


@v_args(meta=True)
class _Builder(Transformer_NonRecursive[Token, Any]):
    """From Lark's trees to ours, bottom up; `local` are the names that mean something here."""

    def __init__(
        self, source: Source, offset: int, local: frozenset[str], findings: Findings
    ) -> None:
        super().__init__(visit_tokens=False)
        self._source = source
        self._offset = offset
        self._local = local
        self._findings = findings

    def _at(self, meta: Meta) -> Span:
        return _span(self._source, self._offset, meta)

    def _word(self, meta: Meta, word: str) -> Span:
        """The place of the word that a construct begins with."""
        start = self._offset + meta.start_pos
        return self._source.span(start, start + len(word))

    def name(self, meta: Meta, parts: list[Any]) -> tree.Name:
        return tree.Name(str(parts[0]), self._at(meta))

    def kind(self, meta: Meta, parts: list[Any]) -> tree.Name:
        return tree.Name(".".join(part.text for part in parts if part), self._at(meta))

    def imported(self, meta: Meta, parts: list[Any]) -> tree.Import | None:
        word, name = parts
        if name is None:
            _nameless(_unquote(word), self._at(meta), self._findings)
            return None
        return tree.Import(name, self._text(word))

    alias = name

    def doc(self, meta: Meta, parts: list[Any]) -> str:
        return _unquote(parts[0])

    def body(self, meta: Meta, parts: list[Any]) -> tuple[tree.Statement, ...]:
        return tuple(parts)

    def template(self, meta: Meta, parts: list[Any]) -> tree.Template:
        name, parameters, body = parts
        return tree.Template(name, parameters or (), body, name.span)

    def network(self, meta: Meta, parts: list[Any]) -> _Network:
        name, parameters, inlets, *items = parts
        outputs = tuple(item for item in items if isinstance(item, _Outputs))
        body = tuple(item for item in items if not isinstance(item, _Outputs))
        return _Network(name, parameters or (), inlets or (), outputs, body)

    def outputs(self, meta: Meta, parts: list[Any]) -> _Outputs:
        return _Outputs(tuple(parts), self._word(meta, "outputs"))

    def variant(self, meta: Meta, parts: list[Any]) -> tree.Variant:
        name, *rest = parts
        values = zip(rest[::2], rest[1::2], strict=True)
        return tree.Variant(name, tuple(tree.Argument(key, value) for key, value in values))

    def weights(self, meta: Meta, parts: list[Any]) -> tree.Checkpoint:
        word, *told = parts
        name = tree.Name(_unquote(word), self._of(word))
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

    def _text(self, token: Token) -> tree.Literal:
        return tree.Literal(_unquote(token), self._of(token))

    def _of(self, token: Token) -> Span:
        start = self._offset + (token.start_pos or 0)
        return self._source.span(start, start + len(token))

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
        return tree.Literal(_unquote(parts[0]), self._at(meta))

    def constant(self, meta: Meta, parts: list[Any]) -> tree.Literal:
        value = {"true": True, "false": False, "none": None}[str(parts[0])]
        return tree.Literal(value, self._at(meta))

    def reference(self, meta: Meta, parts: list[Any]) -> tree.Reference:
        return tree.Reference(parts[0].text, self._at(meta))

    def call(self, meta: Meta, parts: list[Any]) -> tree.Call:
        return tree.Call(parts[0], parts[1], self._at(meta))

    def tuple(self, meta: Meta, parts: list[Any]) -> tree.Tuple:
        return tree.Tuple(tuple(part for part in parts if part is not None), self._at(meta))


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


def _unquote(token: Token) -> str:
    escapes = {"n": "\n", "t": "\t"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[1]), str(token)[1:-1])
