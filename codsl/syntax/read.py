"""Which surface a source is written in, and its tree."""

import re

from codsl.diagnostics import Applicability, Edit, Findings, Help, Label
from codsl.source import LARGEST, Source, Span
from codsl.syntax import tree
from codsl.syntax.surface import GAP, HEADER, MARK, TEXT_FORM
from codsl.syntax.text_form import read_text
from codsl.syntax.validator import Validator
from codsl.syntax.version import foreign
from codsl.syntax.words import VERSION
from codsl.syntax.yaml_form import read_yaml

DEEPEST = 100
"""Levels of the tree at most, of blocks and of expressions."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_YAML_HEADER = re.compile(rf"{GAP}(codsl[ \t]*:)")
_YAML_KEY = re.compile(rf"{GAP}(?:---\s*)?([a-z]+)[ \t]*:")


def read(source: Source, findings: Findings, validator: Validator) -> tree.Document | None:
    """The tree of a source in either surface, or None where there is none to be had.

    A text that starts with `codsl 1` is of the text form; all else is read as YAML.
    """
    if source.text.startswith(MARK):
        source = Source(source.name, source.text.removeprefix(MARK))
    if len(source.text) > LARGEST:
        findings.add("E0103", f"a spec has at most {LARGEST // 1024**2} MB", source.span(0, 0))
        return None
    if control := _CONTROL.search(source.text):
        at = source.span(control.start(), control.end())
        findings.add("E0102", f"the character U+{ord(control[0]):04X} cannot stand in a spec", at)
        return None
    header = HEADER.match(source.text)
    if header is None and not source.name.endswith(".codsl"):
        document = read_yaml(source, findings, validator)
    elif header is None or header["version"] == str(VERSION):
        document = _text(source, header, findings)
    else:
        foreign(header["version"], source.span(*header.span("version")), findings)
        return None
    if document is not None and (deep := _deepest(document)) is not None:
        _too_deep(deep, findings)
        return None
    return document


def suffix(text: str) -> str:
    """The suffix of a file with this source: `.codsl` for the text form, `.yaml`."""
    return ".codsl" if HEADER.match(text) else ".yaml"


def _text(source: Source, header: re.Match[str] | None, findings: Findings) -> tree.Document | None:
    """The tree of a text; a file that only starts like one is told apart from broken text."""
    if header is None and (yaml_header := _YAML_HEADER.match(source.text)) is not None:
        at = source.span(yaml_header.start(1), yaml_header.end(1))
        if TEXT_FORM.search(source.text):
            remedy = Help("write `codsl`", (Edit(at, "codsl"),), Applicability.SURE)
            message = f"the text form starts with `codsl {VERSION}`"
            findings.add("E0101", message, at, helps=(remedy,))
            return None
        message = "this is YAML, in a file whose name says text form"
        findings.add("E0101", message, at, helps=("name it `.yaml`",))
        return None
    if header is not None and (key := _YAML_KEY.match(source.text, header.end())) is not None:
        at = source.span(header.start("word"), header.end("version"))
        written = f"codsl: {VERSION}"
        findings.add(
            "E0101",
            "`codsl 1` is the start of the text form, what follows is YAML",
            at,
            Label(source.span(key.start(1), key.end(1)), "a key of YAML"),
            helps=(Help(f"start YAML with `{written}`", (Edit(at, written),), Applicability.SURE),),
        )
        return None
    if header is None and not source.text.lstrip().startswith("codsl"):
        _headless(source, findings)
        return None
    return read_text(source, findings)


def _headless(source: Source, findings: Findings) -> None:
    """Report a text without its first line, or with nothing in it."""
    start, first = source.span(0, 0), f"codsl {VERSION}"
    if not source.text.strip():
        findings.add("E0201", "the file is empty", start, helps=(f"start it with `{first}`",))
        return
    helps = []
    if TEXT_FORM.search(source.text):
        helps = [Help(f"add `{first}`", (Edit(start, f"{first}\n\n"),), Applicability.SURE)]
    findings.add("E0101", f"the text form starts with `{first}`", start, helps=helps)


def _too_deep(node: object, findings: Findings) -> None:
    span = getattr(node, "span", None)
    if isinstance(node, tree.Expression):
        findings.add(
            "E0106",
            f"an expression is at most {DEEPEST} operations deep",
            span,
            helps=("give its parts names by `let`",),
        )
    else:
        findings.add("E0106", f"blocks nest {DEEPEST} deep at most", span)


def _deepest(document: tree.Document) -> object | None:
    """What lies too deep, if anything does; a level is a node and the tuple it is in."""
    level: list[object] = [document]
    depth = 0
    while level:
        if depth > 2 * DEEPEST:
            found = (x for x in reversed(level) if isinstance(getattr(x, "span", None), Span))
            if (deep := next(found, None)) is not None:
                return deep
        level = [child for node in level for child in tree.children(node)]
        depth += 1
    return None
