"""What to say of a word that stands where a layer is read and is none."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from codsl.diagnostics import Applicability, Edit, Findings, Help, did_you_mean, surely_meant
from codsl.layers.row import Layer, arguments
from codsl.source import Span
from codsl.spec.near import joining, near_layers, near_names
from codsl.spec.values import Value, describe
from codsl.syntax import tree
from codsl.syntax.surface import is_text
from codsl.syntax.words import CONSTRUCTS

_MISPLACED = {
    "sequential": (
        "`sequential` is a word of YAML",
        "in the text form a block is `{ ... }`, with a name `stem = { ... }`",
    ),
    "repeat": (
        "`repeat` is a word of YAML",
        "in the text form a repetition is `u[i in 1..n] = ...`",
    ),
    "input": (
        "`input` is the first statement of a network, and stands there once",
        "to go on from the input, write `identity from input`",
    ),
    "inputs": (
        "`inputs` is the first statement of a network, and stands there once",
        "to go on from an input, write `identity from` and its name",
    ),
    "outputs": (
        "`outputs` is a statement of the network itself, not of what is in it",
        "it names what the network gives: `outputs head, stage2.block1`",
    ),
    "import": (
        "`import` belongs to the file, not into a network",
        "in YAML `import: {blocks: ./blocks.codsl}`, in the text form above the network",
    ),
    "template": (
        "`template` belongs to the file, not into a network",
        "in YAML they stand under `templates`, in the text form above the network",
    ),
    "variant": (
        "`variant` belongs to the file, not into a network",
        "in YAML they stand under `variants`, in the text form below the network",
    ),
}
"""Words of the language where a layer is read: what is wrong with each, and what is right."""


_IN_TEXT = ("residual", "shortcut", "parallel", "join", "per_frame", "when", "else", "let")
_CONTROL = {"if": "when", "for": "repeat"}
"""Words of Python, and those of YAML here."""


def _constructs(at: Span) -> list[str]:
    """The words that begin what is no layer, or go on with it, where a layer stands at a place."""
    return sorted(CONSTRUCTS) if not is_text(at.source) else [*_IN_TEXT]


def _called(kind: str, at: Span, rows: Mapping[str, type[Layer]], findings: Findings) -> None:
    """Report a layer with its arguments in brackets, as the text form has them."""
    name, _, inside = kind.partition("(")
    near = near_layers(name.strip().rpartition(".")[2], rows, (), None)
    values = [each.strip() for each in inside.rstrip(") ").split(",") if each.strip()]
    words = [each.name for each in arguments(rows[near[0]]) if each.positional] if near else []
    given = ", ".join(f"{word}: {value}" for word, value in zip(words, values, strict=False))
    plain = len(values) <= len(words) and re.fullmatch(r"[\w., -]*", ", ".join(values))
    meant = f"{near[0]}: {{{given}}}" if near and values else "".join(near)
    helps = [Help(f"write `{meant}`", (Edit(at, meant),))] if near and plain else []
    message = "in YAML the arguments of a layer stand behind a `:`, each by its name"
    findings.add("E0302", message if values else f"there is no layer `{kind}`", at, helps=helps)


def unknown(
    kind: str,
    at: Span,
    rows: Mapping[str, type[Layer]],
    templates: Collection[str],
    rank: int | None,
    findings: Findings,
    values: Collection[str] = (),
) -> str | None:
    """Report a layer that does not exist, with those that were probably meant; gives the layer,
    the template or the construct that surely was.

    `rank` is the number of dimensions that a layer here is to take, where it is known; `values` are
    the names of values here, of which one may be a layer.
    """
    if (kind in templates or kind in values) and at.text == kind and not is_text(at.source):
        what = "a template of this file" if kind in templates else "a name of this file"
        helps = [Help(f"write `${kind}`", (Edit(at, f"${kind}"),), Applicability.SURE)]
        findings.add("E0302", f"`{kind}` is {what}", at, helps=helps)
        return kind
    if kind in templates:
        message = f"`{at.text}` is the template `{kind}` here, and only layers are values"
        findings.add("E0302", message, at)
    elif kind in _CONTROL and not is_text(at.source):
        word = _CONTROL[kind]
        helps = [Help(f"write `{word}`", (Edit(at, word),), Applicability.SURE)]
        findings.add("E0302", f"`{kind}` is no word of the language", at, helps=helps)
    elif construct := surely_meant(helps := did_you_mean(kind, _constructs(at), at)):
        findings.add("E0302", f"there is no layer `{kind}`", at, helps=helps)
        return construct
    elif "(" in kind and not is_text(at.source):
        _called(kind, at, rows, findings)
    elif how := joining(kind):
        yaml = f"join: {{aggregation: {how}, from: [a, b]}}"
        helps = [Help(f'values are joined by `join("{how}") from a, b`, in YAML `{yaml}`')]
        findings.add("E0302", f"there is no layer `{kind}`", at, helps=helps)
        return "join"
    elif kind in _MISPLACED:
        message, right = _MISPLACED[kind]
        findings.add("E0205", message, at, helps=(right,))
    else:
        helps = _meant(kind, at, rows, templates, rank)
        findings.add("E0302", f"there is no layer `{kind}`", at, helps=helps)
        return surely_meant(helps)
    return None


def _meant(
    kind: str,
    at: Span,
    rows: Mapping[str, type[Layer]],
    templates: Collection[str],
    rank: int | None,
) -> list[Help]:
    module, dot, name = kind.rpartition(".")
    near = near_layers(name, rows, templates, rank)
    helps = did_you_mean(name, [*templates, *rows], at)
    if surely_meant(helps) in near:
        without = f"layers have no `{module}.` before them: `{surely_meant(helps)}`"
        return [replace(helps[0], text=without)] if dot else helps
    return [Help(f"did you mean `{each}`?", (Edit(at, each),)) for each in near]


def undefined(
    name: tree.Name,
    values: Collection[str],
    templates: Collection[str],
    rows: Collection[str],
    findings: Findings,
) -> str | None:
    """Report a `$name` that stands where a layer is read and is neither template nor parameter;
    gives the template that was surely meant."""
    if name.text in rows:
        whole = Span(name.span.source, name.span.start - 1, name.span.end)
        helps = [Help("layers have no `$`", (Edit(whole, name.text),), Applicability.SURE)]
    else:
        helps = did_you_mean(name.text, [*templates, *values], name.span)
        near = near_names(name.text, [*templates, *values])
        helps = helps or [
            Help(f"did you mean `${each}`?", (Edit(name.span, each),)) for each in near
        ]
    helps = helps if name.as_written else [Help(each.text) for each in helps]
    message = f"`${name.text}` is neither a template nor a parameter that is a layer"
    findings.add("E0301", message, name.span, helps=helps)
    return surely_meant(helps)


def no_layer(name: tree.Name, value: Value, rows: Collection[str], findings: Findings) -> None:
    """Report a value that is used as a layer and is none."""
    helps = []
    if isinstance(value, str) and value in rows:
        helps.append(
            f"declare it as one: `{name.text}: {{type: layer, default: {value}}}` in YAML, "
            f'`{name.text}: layer = "{value}"` in the text form'
        )
    findings.add(
        "E0302", f"`{name.text}` is {describe(value)}, not a layer", name.span, helps=helps
    )
