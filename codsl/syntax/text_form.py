"""The text form: from characters to the tree, by the grammar in `grammar.lark`."""

import re
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any

from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from codsl.diagnostics import Edit, Findings, Label
from codsl.source import Source
from codsl.syntax import tree
from codsl.syntax.grammar import grammar
from codsl.syntax.resume import without_statement
from codsl.syntax.text_parts import Network, Parts
from codsl.syntax.text_values import Place, Values, span_of
from codsl.syntax.unexpected import report

MOST = 150_000
"""Words and signs of a file at most; ten thousand layers have a third of that."""
LONGEST = 1000
"""Words and signs of an expression in YAML at most."""

MOST_BROKEN = 20
"""Places at most that are told where a source breaks."""

_WORDS = re.compile(r"\w+|[^\w\s]")


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
            parsed = _whole(text)
        except UnexpectedInput as error:
            goes_on = report(error, source, findings)
            broken += 1
            rest = without_statement(text, error.pos_in_stream or 0) if goes_on else None
            if rest is None:
                break
            text = rest
        else:
            return None if broken else parsed
    return None


def read_expression(text: str, place: Place, findings: Findings) -> tree.Expression | None:
    """The expression `text`, which stands at a place."""
    if _beyond(text, LONGEST) is not None:
        findings.add(
            "E0106",
            f"an expression has at most {LONGEST} words and signs",
            place.span(0, len(text)),
            helps=("give its parts names by `let`",),
        )
        return None
    try:
        parsed = _expression(text)
    except UnexpectedInput as error:
        apart = Findings()
        report(error, Source("", text), apart)
        _hand_on(apart, place, findings)
        return None
    return Values(place, findings).of(parsed)  # type: ignore[no-any-return]


def _hand_on(apart: Findings, place: Place, findings: Findings) -> None:
    """Note what was found in an expression by itself, at its place."""

    def moved(part: Label | Edit) -> Any:
        return replace(part, span=place.span(part.span.start, part.span.end))

    for each in apart.diagnostics:
        helps = [replace(one, edits=tuple(map(moved, one.edits))) for one in each.helps]
        labels = map(moved, each.labels)
        findings.add(each.code, each.message, *labels, notes=each.notes, helps=helps)


def _beyond(text: str, most: int) -> int | None:
    """Where a text goes beyond so many words and signs, if it does."""
    found = next(islice(_WORDS.finditer(text), most, None), None)
    return found and found.start()


@lru_cache(2)
def _whole(text: str) -> Tree[Token]:
    """The parse of a document, which the variants of a network share."""
    return grammar().parse(text, start="document")


@lru_cache(4096)
def _expression(text: str) -> Tree[Token]:
    return grammar().parse(text, start="expression")


def _document(parsed: Tree[Token], source: Source, findings: Findings) -> tree.Document:
    """The document of a parse; what a bare name may stand for is known before it is built."""
    kinds = _by_kind(parsed)
    templates = frozenset(_text(item.children[0]) for item in kinds["template"])

    def build(item: Tree[Token]) -> Any:
        parameters = item.children[1] if item.data in ("template", "network") else None
        layers = {_text(each.children[0]) for each in _subtrees(parameters) if _is_layer(each)}
        return Parts(source, templates | layers, findings).of(item)

    built = {kind: [build(item) for item in each] for kind, each in kinds.items()}
    for kind in ("network", "doc"):
        for extra in kinds[kind][1:]:
            findings.add("E0201", f"a file has one `{kind}`", span_of(source, extra.meta))
    network = built["network"][0] if built["network"] else Network()
    for again in network.outputs[1:]:
        findings.add("E0201", "a network says `outputs` once", again.span)
    return tree.Document(
        int(parsed.children[0]),  # type: ignore[arg-type]
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


def _by_kind(parsed: Tree[Token]) -> dict[str, list[Tree[Token]]]:
    """The parts of a file, those of a kind in the order written."""
    words = ("imported", "template", "network", "variant", "weights", "doc")
    kinds: dict[str, list[Tree[Token]]] = {word: [] for word in words}
    for item in parsed.children:
        if isinstance(item, Tree):
            kinds[str(item.data)].append(item)
    return kinds


def _subtrees(parameters: Any) -> list[Tree[Token]]:
    return [each for each in parameters.children if each] if parameters is not None else []


def _is_layer(parameter: Tree[Token]) -> bool:
    return parameter.children[1] is not None and _text(parameter.children[1]) == "layer"


def _text(name: Any) -> str:
    return str(name.children[0])
