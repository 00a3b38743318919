"""Which names a file may declare: no word of the language, and none twice in one place."""

from collections.abc import Iterable

from codsl.diagnostics import Applicability, Edit, Findings, Help, Label
from codsl.syntax import tree
from codsl.syntax.words import RESERVED, RESERVED_KEYS

KEYS = ("template", "import")
"""What is named where a layer may stand."""


def check_declared(document: tree.Document, findings: Findings) -> None:
    """Report the declared names of a file that are reserved or stand twice."""
    if document.name is not None:
        reserved(document.name, findings)
    once("input", (each.name for each in document.inputs if each.name), findings)
    once("parameter", (each.name for each in document.parameters), findings)
    once("variant", (each.name for each in document.variants), findings)
    once("import", (each.name for each in document.imports), findings)
    once("template", (each.name for each in document.templates), findings)
    for template in document.templates:
        once("parameter", (each.name for each in template.parameters), findings)
    for variant in document.variants:
        once("value", (each.name for each in variant.values if each.name), findings)


def reserved(name: tree.Name, findings: Findings, words: frozenset[str] = RESERVED) -> None:
    """Report a name that is a word of the language."""
    if name.text not in words and name.text != "in_channels":
        return
    findings.add(
        "E0308",
        f"`{name.text}` is a word of the language and cannot be a name",
        name.span,
        notes=("the names of a network can be written in YAML and in the text form alike",),
        helps=(
            Help(
                f"call it `{name.text}_`, or better what it is for",
                (Edit(name.span, f"{name.text}_"),),
                Applicability.CHOICE,
            ),
        ),
    )


def once(what: str, names: Iterable[tree.Name], findings: Findings) -> None:
    """Report a name that stands twice, or is reserved where it is one of the network."""
    first: dict[str, tree.Name] = {}
    for name in names:
        if what not in ("value", "setting", "checkpoint"):
            reserved(name, findings, RESERVED_KEYS if what in KEYS else RESERVED)
        if name.text in first:
            there = Label(first[name.text].span, "first here")
            findings.add("E0306", f"the {what} `{name.text}` stands here twice", name.span, there)
        first.setdefault(name.text, name)
