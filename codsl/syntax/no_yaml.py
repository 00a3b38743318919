"""What to say of a text that is no YAML: the mistakes that are known by their looks, and others."""

import re

import yaml

from codsl.diagnostics import Applicability, Edit, Findings, Help
from codsl.source import Source, Span
from codsl.syntax import holes
from codsl.syntax.dollar import not_a_value
from codsl.syntax.yaml_nodes import Loader

_BRACES = re.compile(r"\$\{\s*([^{}\n]*?)\s*\}")
_ITEM = re.compile(r"\$\([^\"']*\[")
_TEXT_FORM = re.compile(r"^[ \t]*(network|template)\b.*\{", re.MULTILINE)
_TABBED = re.compile(r"^[ ]*\t[ \t]*", re.MULTILINE)
_RUN_ON = re.compile(r"[\w\])}\"'][ ]+(\w+)[ ]*$")
_TOO_DEEP = "exceeded maximum nesting depth"
TABS = "YAML is indented with spaces, not with tabs"
LARGEST = 50_000
"""Characters at most of a file that is read again to see what mends it."""


def report(error: yaml.YAMLError, source: Source, findings: Findings) -> None:
    """Say why YAML cannot read a source, in the words of the likeliest mistake."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    offset = min(mark.index, len(source.text)) if mark else 0
    at = source.span(offset, min(offset + 1, len(source.text)))
    line = source.line(at.line)
    problem = str(getattr(error, "problem", "") or "it cannot be read")
    braces = _braces(source, at)
    if problem == _TOO_DEEP:
        findings.add("E0106", "this is nested too deeply to be read", at)
    elif braces is not None:
        not_a_value(braces.text, braces, findings)
    elif (tab := _tab(source, at)) is not None:
        findings.add("E0101", TABS, tab, helps=_without_tabs(source))
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
        _broken(problem, source, at, line, bool(mark), findings)


def _broken(
    problem: str, source: Source, at: Span, line: str, marked: bool, findings: Findings
) -> None:
    """Report what is only known by what the reader says of it, at the likeliest place."""
    helps = holes.beside(source, at) or _mends(source, at, line) if marked else []
    if not helps and (run_on := _RUN_ON.search(line[: at.column - 1])) and at.text == ":":
        start = source.start(at.line)
        at = source.span(start + run_on.start(1), start + run_on.end(1))
        comma = Edit(source.span(start + run_on.start() + 1, start + run_on.start() + 1), ",")
        helps = [Help("a comma is missing before it", (comma,))]
    findings.add("E0101", f"this is no YAML: {problem}", at, helps=helps or _guess(problem, line))


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
        if _reads(_TABBED.sub(lambda found: found[0].expandtabs(width), source.text)):  # noqa: B023
            return [Help(f"write {width} spaces for a tab", edits, Applicability.SURE)]
    return []


def _mends(source: Source, at: Span, line: str) -> list[Help]:
    """A sign whose absence broke the line, if putting it in makes it YAML."""
    if len(source.text) > LARGEST:
        return []
    behind = source.start(at.line) + len(line.rstrip())
    for sign in ("}", "]", ")", '"', "'"):
        for place in (behind, *_line_before(source, at)):
            if _reads(source.text[:place] + sign + source.text[place:]):
                edit = Edit(source.span(place, place), sign)
                return [Help(f"`{sign}` is missing at the end of line {edit.span.line}", (edit,))]
    return []


def _line_before(source: Source, at: Span) -> list[int]:
    """Where the last line before this one ends that holds something."""
    before = source.text[: source.start(at.line)].rstrip()
    return [len(before)] if before else []


def _reads(text: str) -> bool:
    """Whether a text is YAML."""
    try:
        return all(True for _ in yaml.parse(text, Loader=Loader))
    except yaml.YAMLError:
        return False


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
