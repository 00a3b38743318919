"""Diagnostics as workflow commands, which GitHub shows beside the lines of a change."""

from collections.abc import Iterable

from codsl.diagnostics import Diagnostic, escape


def annotations(diagnostics: Iterable[Diagnostic], spec: str) -> str:
    """A line `::error file=...,line=...,col=...::...` for each; `spec` is the file of those that
    have no place."""
    return "".join(f"{_annotation(each, spec)}\n" for each in diagnostics)


def _annotation(diagnostic: Diagnostic, spec: str) -> str:
    where = {"file": spec, "title": diagnostic.code}
    if (span := diagnostic.span) is not None:
        line, column = span.source.position(span.end)
        where |= {"file": span.source.name, "line": str(span.line), "endLine": str(line)}
        where |= {"col": str(span.column)}
        if line == span.line:
            where |= {"endColumn": str(column)}
    told = [diagnostic.message, *(label.text for label in diagnostic.labels if label.text)]
    told += [f"note: {note}" for note in diagnostic.notes]
    told += [f"help: {remedy.text}" for remedy in diagnostic.helps]
    given = ",".join(f"{key}={_property(value)}" for key, value in where.items())
    return f"::{diagnostic.severity} {given}::{_data(chr(10).join(map(escape, told)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(escape(text)).replace(":", "%3A").replace(",", "%2C")
