"""Diagnostics as SARIF 2.1.0, the form that code hosts and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from codsl.diagnostics import Diagnostic, Help
from codsl.source import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

Data = dict[str, Any]


def sarif(
    diagnostics: Sequence[Diagnostic], spec: str, titles: Mapping[str, str], version: str
) -> Data:
    """One run of the check as plain data.

    `spec` is the file of those that have no place, `titles` say what a code means.
    """
    codes = sorted({each.code for each in diagnostics})
    rules = [{"id": code, "shortDescription": {"text": titles[code]}} for code in codes]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "codsl", "version": version, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(each, codes.index(each.code), spec) for each in diagnostics],
            }
        ],
    }


def _result(diagnostic: Diagnostic, rule: int, spec: str) -> Data:
    culprit, *others = diagnostic.labels or (None,)
    related = [
        {"id": number, **_location(label.span), "message": {"text": label.text or "here"}}
        for number, label in enumerate(others, 1)
        if label is not None
    ]
    fixes = [_fix(remedy) for remedy in diagnostic.helps if remedy.edits]
    place = _location(culprit.span) if culprit else {"physicalLocation": _artifact(spec)}
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": _told(diagnostic)},
        "locations": [place],
        **({"relatedLocations": related} if related else {}),
        **({"fixes": fixes} if fixes else {}),
    }


def _told(diagnostic: Diagnostic) -> str:
    """All that is said of it, in lines."""
    helps = (f"help: {remedy.text}" for remedy in diagnostic.helps)
    notes = (f"note: {note}" for note in diagnostic.notes)
    return "\n".join((diagnostic.message, *notes, *helps))


def _fix(remedy: Help) -> Data:
    changes: dict[str, list[Data]] = {}
    for edit in remedy.edits:
        replacement = {
            "deletedRegion": _region(edit.span),
            "insertedContent": {"text": edit.replacement},
        }
        changes.setdefault(edit.span.source.name, []).append(replacement)
    return {
        "description": {"text": remedy.text},
        "artifactChanges": [
            {**_artifact(name), "replacements": made} for name, made in changes.items()
        ],
    }


def _location(span: Span) -> Data:
    place = {**_artifact(span.source.name), "region": _region(span)}
    return {"physicalLocation": place}


def _artifact(name: str) -> Data:
    path = PurePath(name)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    return {"artifactLocation": {"uri": uri}}


def _region(span: Span) -> Data:
    line, column = span.source.position(span.end)
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": line,
        "endColumn": column,
    }
