"""Which surface a source is written in, and its tree."""

import re

from jsonschema import Draft202012Validator

from codsl.diagnostics import Findings
from codsl.source import Source, Span
from codsl.syntax import tree
from codsl.syntax.text_form import read_text
from codsl.syntax.words import VERSION
from codsl.syntax.yaml_form import read_yaml

DEEPEST = 100
"""Levels of the tree at most, of blocks and of expressions."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_HEADER = re.compile(r"(?:\s*#[^\n]*\n|\s)*codsl[ \t]+([0-9]{1,9})\b")


def read(
    source: Source, findings: Findings, validator: Draft202012Validator
) -> tree.Document | None:
    """The tree of a source in either surface, or None where there is none to be had.

    A text that starts with `codsl 1` is of the text form; all else is read as YAML.
    """
    if control := _CONTROL.search(source.text):
        at = source.span(control.start(), control.end())
        findings.add("E0102", f"the character U+{ord(control[0]):04X} cannot stand in a spec", at)
        return None
    header = _HEADER.match(source.text)
    if header is None and not source.name.endswith(".codsl"):
        document = read_yaml(source, findings, validator)
    elif header is None or int(header[1]) == VERSION:
        document = read_text(source, findings)
    else:
        at = source.span(header.start(1), header.end(1))
        findings.add(
            "E0104",
            f"this is version {header[1]} of the language; this codsl reads version {VERSION}",
            at,
            helps=("install a newer codsl",),
        )
        return None
    if document is not None and (deep := _deepest(document)) is not None:
        findings.add("E0106", f"this is nested more than {DEEPEST} deep", deep)
        return None
    return document


def _deepest(document: tree.Document) -> Span | None:
    """Where something lies too deep, if anything does; a level is a node and the tuple it is in."""
    pending: list[tuple[object, int]] = [(document, 0)]
    while pending:
        node, depth = pending.pop()
        span = getattr(node, "span", None)
        if depth > 2 * DEEPEST and isinstance(span, Span):
            return span
        pending += ((child, depth + 1) for child in tree.children(node))
    return None
