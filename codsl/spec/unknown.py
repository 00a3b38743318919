"""What to say of a word that stands where a layer is read and is none."""

from collections.abc import Collection

from codsl.diagnostics import Applicability, Edit, Findings, Help, did_you_mean, surely_meant
from codsl.source import Span
from codsl.spec.values import Value, describe
from codsl.syntax.surface import is_text
from codsl.syntax.words import LATER, not_yet


def unknown(
    kind: str,
    at: Span,
    rows: Collection[str],
    templates: Collection[str],
    findings: Findings,
    values: Collection[str] = (),
) -> str | None:
    """Report a layer that does not exist; gives the one that was surely meant, if there is one.

    `values` are the names of values here, of which one may be a layer.
    """
    if (kind in templates or kind in values) and not is_text(at.source):
        what = "a template of this file" if kind in templates else "a name of this file"
        write = Help(f"write `${kind}`", (Edit(at, f"${kind}"),), Applicability.SURE)
        findings.add("E0302", f"`{kind}` is {what}", at, helps=(write,))
        return kind
    if kind in LATER:
        findings.add("E0206", not_yet(kind), at)
    elif kind in ("input", "inputs", "outputs", "sequential"):
        _misplaced(kind, at, findings)
    else:
        word = kind.rpartition(".")[2]
        if word in rows:
            without = f"layers have no module before them: `{word}`"
            helps = [Help(without, (Edit(at, word),), Applicability.SURE)]
        else:
            helps = did_you_mean(word, [*templates, *rows], at)
        findings.add("E0302", f"there is no layer `{kind}`", at, helps=helps)
        return surely_meant(helps)
    return None


def unknown_here(
    kind: str,
    at: Span,
    rows: Collection[str],
    templates: Collection[str],
    values: Collection[str],
    findings: Findings,
) -> str | None:
    """Report that `$kind` is no template and no value; gives the template that was surely meant."""
    if kind in rows:
        whole = at.source.span(at.start - 1, at.end)
        helps = [Help("layers have no `$`", (Edit(whole, kind),), Applicability.SURE)]
    else:
        helps = did_you_mean(kind, [*templates, *values], at)
    message = f"there is no template and no parameter `{kind}`"
    findings.add("E0302", message, at, helps=helps)
    return surely_meant(helps)


def _misplaced(word: str, at: Span, findings: Findings) -> None:
    """A word of the language that stands where a layer is read."""
    if word == "outputs":
        message = "`outputs` is a statement of the network itself, not of what is in it"
        helps = ["it names what the network gives: `outputs head, stage2.block1`"]
    elif word != "sequential":
        message = f"`{word}` is the first statement of a network, and stands there once"
        helps = ["to go on from an input, write `identity from` and its name"]
        if word == "input":
            helps = ["to go on from the input, write `identity from input`"]
    else:
        message = "`sequential` is a word of YAML"
        helps = ["in the text form a block is `{ ... }`, with a name `stem = { ... }`"]
    findings.add("E0205", message, at, helps=helps)


def no_layer(name: str, value: Value, at: Span, rows: Collection[str], findings: Findings) -> None:
    """Report a value that is used as a layer and is none."""
    helps = []
    if isinstance(value, str) and value in rows:
        helps.append(
            f"declare it as one: `{name}: {{type: layer, default: {value}}}` in YAML, "
            f'`{name}: layer = "{value}"` in the text form'
        )
    findings.add("E0302", f"`{name}` is {describe(value)}, not a layer", at, helps=helps)
