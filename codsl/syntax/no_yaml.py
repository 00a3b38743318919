"""What to say of a text that is no YAML: the mistakes that are known by their looks, and others."""

import re

import yaml

from codsl.diagnostics import Applicability, Edit, Findings, Help
from codsl.source import Source, Span
from codsl.syntax import holes
from codsl.syntax.brackets import closing, open_bracket
from codsl.syntax.dollar import not_a_value
from codsl.syntax.one_line import LARGEST, Judge, Known, reads, wrong
from codsl.syntax.surface import TEXT_FORM

_BRACES = re.compile(r"\$\{[^{}\n]*\}")
_ITEM = re.compile(r"\$\([^\"']*\[")
_TABBED = re.compile(r"^[ ]*\t[ \t]*", re.MULTILINE)
_EXPRESSION = re.compile(r"\$\(")
_VALUE = re.compile(r"[ ]*(?:-[ ]+)?[\w.]+:[ ]+([^\s\[{].*?)\s*$")
_RUN_ON = re.compile(r"[\w\])}\"'][ ]+(\w+)[ ]*$")
_TOO_DEEP = "exceeded maximum nesting depth"
TABS = "YAML is indented with spaces, not with tabs"
_ALIAS = re.compile(r"\*[^\s,\]}]*")


def report(error: yaml.YAMLError, source: Source, findings: Findings, judge: Judge) -> None:
    """Say why YAML cannot read a source, in the words of the likeliest mistake; `judge` tells of
    several ways to mend it which is the best."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    offset = min(mark.index, len(source.text)) if mark else 0
    at = source.span(offset, min(offset + 1, len(source.text)))
    problem = str(getattr(error, "problem", "") or "it cannot be read")
    braces = _braces(source, at)
    if problem == _TOO_DEEP:
        findings.add("E0106", "this is nested too deeply to be read", at)
    elif braces is not None:
        not_a_value(braces.text, braces, findings)
    elif (tab := _tab(source, at)) is not None:
        findings.add("E0101", TABS, tab, helps=_without_tabs(source))
    elif "another document" in problem:
        helps = ("put the second into its own",)
        findings.add("E0101", "a file holds one spec", _word(at, 3), helps=helps)
    elif "undefined alias" in problem and (alias := _ALIAS.match(source.text, offset)):
        name = alias[0][1:]
        message = f"no anchor `&{name}` stands before this"
        meant = [f"a value of the file is named `${name}`"] if name.isidentifier() else []
        findings.add("E0101", message, source.span(offset, alias.end()), helps=meant)
    elif (text_form := TEXT_FORM.search(source.text)) is not None:
        word = source.span(text_form.start(1), text_form.end(1))
        findings.add(
            "E0101",
            "this is the text form, in a file that is read as YAML",
            word,
            helps=("start a file of the text form with `codsl 1`",),
        )
    else:
        _broken(problem, source, at, judge if mark else None, findings)


def _word(at: Span, length: int) -> Span:
    return at.source.span(at.start, min(at.start + length, len(at.source.text)))


def _broken(
    problem: str, source: Source, at: Span, judge: Judge | None, findings: Findings
) -> None:
    """Report what is only known by what the reader says of it, at the likeliest place."""
    line = source.line(at.line)
    hole = holes.beside(source, at) if judge else []
    known = (
        _cut_expression(source, at)
        or _unclosed(source, at)
        or _run_on(source, at, line)
        or wrong(source, at.line, judge)
        if judge and not hole
        else None
    )
    if known:
        message, place, remedies = known
        findings.add("E0101", message, place, helps=remedies)
        return
    helps = hole or _quoted_value(source, at, line) or _guess(problem, line)
    findings.add("E0101", f"this is no YAML: {problem}", at, helps=helps)


def _cut_expression(source: Source, at: Span) -> Known | None:
    """An expression whose brackets or commas break the list or the mapping that it stands in."""
    start = source.start(at.line)
    for found in _EXPRESSION.finditer(source.text, start, start + len(source.line(at.line))):
        end = closing(source.text, found.start() + 1)
        if end is not None and found.start() <= at.start <= end + 1:
            whole = source.span(found.start(), end + 1)
            quoted = f'"{whole.text}"'
            edits = (Edit(whole, quoted),)
            helps = [Help(f"put it in quotes: `{quoted}`", edits, Applicability.SURE)]
            return "YAML reads the brackets of this expression as its own", whole, helps
    return None


def _unclosed(source: Source, at: Span) -> Known | None:
    """The bracket that is still open where reading broke, and was opened in a line before."""
    bracket = open_bracket(source, at.start)
    if bracket is None or bracket.line == at.line or len(source.text) > LARGEST:
        return None
    lacking = {"(": ")", "[": "]", "{": "}"}[bracket.text]
    helps: list[Help] = []
    for number in range(bracket.line, at.line + 1):
        text = re.sub(r"\s+#.*$", "", source.line(number)).rstrip(" ,")
        place = source.start(number) + len(text)
        if reads(source.text[:place] + lacking + source.text[place:]):
            edit = Edit(source.span(place, place), lacking)
            helps = [Help(f"add `{lacking}` at the end of line {number}", (edit,))]
            break
    return f"this `{bracket.text}` is not closed", bracket, helps


def _run_on(source: Source, at: Span, line: str) -> Known | None:
    """A key behind a value without a comma between them."""
    run_on = _RUN_ON.search(line[: at.column - 1])
    if at.text != ":" or not run_on:
        return None
    start = source.start(at.line)
    place = source.span(start + run_on.start(1), start + run_on.end(1))
    comma = Edit(source.span(start + run_on.start() + 1, start + run_on.start() + 1), ",")
    helps = [Help("add `,` before it", (comma,), Applicability.SURE)]
    return f"a comma is missing before `{place.text}`", place, helps


def _quoted_value(source: Source, at: Span, line: str) -> list[Help | str]:
    """A value with a colon in it, in quotes, if it is YAML then."""
    value = _VALUE.match(line)
    if value is None or not value.start(1) < at.column or '"' in value[1]:
        return []
    start = source.start(at.line)
    whole = source.span(start + value.start(1), start + value.end(1))
    quoted = f'"{whole.text}"'
    if len(source.text) > LARGEST or not reads(
        source.text[: whole.start] + quoted + source.text[whole.end :]
    ):
        return []
    return [Help("a `:` inside a text asks for quotes around it", (Edit(whole, quoted),))]


def _tab(source: Source, at: Span) -> Span | None:
    """The first tab of the indentation of the line where reading broke, or of that before it."""
    for number in (at.line, at.line - 1):
        text = source.line(number) if number else ""
        tab = text[: len(text) - len(text.lstrip())].find("\t")
        if tab >= 0:
            start = source.start(number) + tab
            return source.span(start, start + 1)
    return None


def _without_tabs(source: Source) -> list[Help]:
    """All tabs of indentations as so many spaces that it is YAML then."""
    if len(source.text) > LARGEST:
        return []
    for width in (2, 4, 8, 1, 6):
        edits = tuple(
            Edit(source.span(found.start(), found.end()), found[0].expandtabs(width))
            for found in _TABBED.finditer(source.text)
        )
        if reads(_TABBED.sub(lambda found: found[0].expandtabs(width), source.text)):  # noqa: B023
            return [Help(f"write {width} spaces for a tab", edits, Applicability.SURE)]
    return []


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
