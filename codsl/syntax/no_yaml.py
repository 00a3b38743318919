"""What to say of a text that is no YAML: the mistakes that are known by their looks, and others."""

import re

import yaml

from codsl.diagnostics import Applicability, Edit, Findings, Help
from codsl.source import Source, Span
from codsl.syntax import holes
from codsl.syntax.dollar import not_a_value

_BRACES = re.compile(r"\$\{\s*([^{}\n]*?)\s*\}")
_ITEM = re.compile(r"\$\([^\"']*\[")
_TEXT_FORM = re.compile(r"^[ \t]*(network|template)\b.*\{", re.MULTILINE)
TABS = "YAML is indented with spaces, not with tabs"


def report(error: yaml.YAMLError, source: Source, findings: Findings) -> None:
    """Say why YAML cannot read a source, in the words of the likeliest mistake."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    offset = min(mark.index, len(source.text)) if mark else 0
    at = source.span(offset, min(offset + 1, len(source.text)))
    line = source.line(at.line)
    problem = str(getattr(error, "problem", "") or "it cannot be read")
    braces = _braces(source, at)
    if braces is not None:
        not_a_value(braces.text, braces, findings)
    elif at.text == "\t" and not line[: at.column - 1].strip():
        findings.add(
            "E0101",
            TABS,
            at,
            helps=(Help("write two spaces", (Edit(at, "  "),), Applicability.SURE),),
        )
    elif "another document" in problem:
        findings.add("E0101", "a file holds one spec", at, helps=("put the second into its own",))
    elif (text_form := _TEXT_FORM.search(source.text)) is not None:
        word = source.span(text_form.start(1), text_form.end(1))
        findings.add(
            "E0101",
            "this is the text form, in a file that is read as YAML",
            word,
            helps=("start a file of the text form with `codsl 1`",),
        )
    else:
        helps = holes.beside(source, at) or _guess(problem, line) if mark else []
        findings.add("E0101", f"this is no YAML: {problem}", at, helps=helps)


def _braces(source: Source, at: Span) -> Span | None:
    """The `${...}` on the line of the mistake that stands before it or there, if there is one."""
    start = at.start - at.column + 1
    for found in _BRACES.finditer(source.line(at.line)):
        if start + found.start() <= at.start:
            return source.span(start + found.start(), start + found.end())
    return None


def _guess(problem: str, line: str) -> list[str | Help]:
    if "alias" in problem:
        return ["`*` names an anchor, `&name`; an expression starts with `$(`"]
    if "mapping values are not allowed" in problem:
        return ["a `:` inside a text asks for quotes around it"]
    if "expected ',' or" in problem and _ITEM.search(line):
        return ['an expression with brackets stands in quotes: `"$(widths[0])"`']
    if "expected ',' or" in problem:
        return ["entries are separated by commas, and brackets close in the order they open"]
    if line.strip() and "could not find expected ':'" in problem:
        return ["every line is `key: value`, or an item behind `- `"]
    return []
