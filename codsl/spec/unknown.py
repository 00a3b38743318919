"""What to say of a word that stands where a layer is read and is none."""

from collections.abc import Collection

from codsl.diagnostics import Edit, Findings, Help, suggest
from codsl.source import Span
from codsl.spec.values import Value, describe
from codsl.syntax import tree


def unknown(
    kind: str, at: Span, rows: Collection[str], templates: Collection[str], findings: Findings
) -> None:
    """Report a layer that does not exist, with the one that was probably meant."""
    if kind in templates and at.text == kind:
        message = f"`{kind}` is a template of this file"
        findings.add(
            "E0302", message, at, helps=(Help(f"write `${kind}`", (Edit(at, f"${kind}"),)),)
        )
    elif kind in templates:
        message = f"`{at.text}` is the template `{kind}` here, and only layers are values"
        findings.add("E0302", message, at)
    elif kind in ("input", "inputs", "outputs", "sequential", "import"):
        _misplaced(kind, at, findings)
    else:
        helps = [
            Help(f"did you mean `{each}`?", (Edit(at, each),))
            for each in _near(kind, rows, templates)
        ]
        findings.add("E0302", f"there is no layer `{kind}`", at, helps=helps)


def undefined(
    name: tree.Name, values: Collection[str], templates: Collection[str], findings: Findings
) -> None:
    """Report a `$name` that stands where a layer is read and is neither template nor parameter."""
    helps = [
        Help(f"did you mean `${each}`?", (Edit(name.span, each),) if name.as_written else ())
        for each in _near(name.text, values, templates)
    ]
    message = f"`${name.text}` is neither a template nor a parameter that is a layer"
    findings.add("E0301", message, name.span, helps=helps)


def _near(kind: str, rows: Collection[str], templates: Collection[str]) -> list[str]:
    """The name that looks most like `kind`, whatever its case, its underscores and its file."""
    imported = {name.partition(".")[2]: name for name in templates}
    if kind in imported:
        return [imported[kind]]
    by_letters = {name.replace("_", ""): name for name in [*templates, *rows]}
    near = suggest(kind.replace("_", "").lower(), by_letters)
    return [by_letters[each] for each in near[:1]]


def _misplaced(word: str, at: Span, findings: Findings) -> None:
    """A word of the language that stands where a layer is read."""
    if word == "outputs":
        message = "`outputs` is a statement of the network itself, not of what is in it"
        helps = ["it names what the network gives: `outputs head, stage2.block1`"]
    elif word == "import":
        message = "`import` belongs to the file, not into a network"
        helps = ["in YAML `import: {blocks: ./blocks.codsl}`, in the text form above the network"]
    elif word != "sequential":
        message = f"`{word}` is the first statement of a network, and stands there once"
        helps = ["to go on from an input, write `identity from` and its name"]
        if word == "input":
            helps = ["to go on from the input, write `identity from input`"]
    else:
        message = "`sequential` is a word of YAML"
        helps = ["in the text form a block is `{ ... }`, with a name `stem = { ... }`"]
    findings.add("E0205", message, at, helps=helps)


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
