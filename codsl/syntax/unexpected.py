"""What to say where the text form breaks: what stands there, and what would mend it."""

import re

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from codsl.diagnostics import Applicability, Edit, Findings, Help
from codsl.source import Source, Span
from codsl.syntax.words import LATER, RESERVED, not_yet

INSERTIONS = {
    "RPAR": ")",
    "RBRACE": "}",
    "RSQB": "]",
    "COMMA": ",",
    "EQUAL": "=",
    "LPAR": "(",
    "LBRACE": "{",
    "COLON": ":",
    "FROM": "from ",
    "IN": "in ",
    "_TO": "..",
}
"""Single tokens worth offering where one of them would let the parser go on."""

_WORD = re.compile(r"[A-Za-z_]\w*")
_FOREIGN = {
    "'": ("texts stand in double quotes", '"'),
    ";": ("statements need no `;`: a new line, or nothing, is between them", ""),
    "$": ("in the text form a name stands for itself, without `$`", ""),
}
"""Characters that other languages use, what is so here, and what to write instead."""


def report(error: UnexpectedInput, source: Source, offset: int, findings: Findings) -> None:
    """Say what stands where something else was expected, and which single token would mend it."""
    at = offset + max(0, error.pos_in_stream or 0)
    if (later := _later(source, at)) is not None:
        findings.add("E0206", not_yet(later.text), later)
    elif isinstance(error, UnexpectedCharacters):
        _character(source.span(at, at + 1), findings)
    elif isinstance(error, UnexpectedToken):
        _token(error, source, at, findings)
    else:
        raise error


def _later(source: Source, at: int) -> Span | None:
    """The word of a construct of later versions that the broken line starts with, if it does."""
    line = source.position(at)[0]
    text = source.line(line)
    found = _WORD.match(text.lstrip())
    if found is None or found[0] not in LATER:
        return None
    start = at - source.position(at)[1] + 1 + len(text) - len(text.lstrip())
    return source.span(start, start + len(found[0]))


def _character(found: Span, findings: Findings) -> None:
    if found.text == '"':
        message, helps = "this text has no end", ['a text ends on its line: `"..."`']
        findings.add("E0101", message, found, helps=helps)
        return
    mend, instead = _FOREIGN.get(found.text, ("", ""))
    edits = (Edit(found, instead),)
    helps_ = [Help(mend, edits, Applicability.SURE)] if mend else []
    findings.add("E0101", f"`{found.text}` means nothing here", found, helps=helps_)


def _token(error: UnexpectedToken, source: Source, at: int, findings: Findings) -> None:
    token = error.token
    if token.type == "$END":
        at = len(source.text[:at].rstrip()) if at >= len(source.text) else at
        found, message = source.span(at, at), "the text ends too early"
    else:
        found, message = source.span(at, at + len(token)), f"unexpected `{token}`"
    before = "at the end" if token.type == "$END" else "before it"
    helps = [
        Help(f"add `{text.strip()}` {before}", (Edit(source.span(at, at), text),))
        for terminal, text in INSERTIONS.items()
        if _mends(error, terminal, text)
    ]
    notes = []
    if token in RESERVED and not helps:
        notes.append(f"`{token}` is a word of the language and cannot be a name")
    findings.add("E0101", message, found, notes=notes, helps=helps[:1])


def _mends(error: UnexpectedToken, terminal: str, text: str) -> bool:
    """Whether the parser would take the token, had `text` stood before it."""
    parser = error.interactive_parser.copy()  # type: ignore[no-untyped-call]
    try:
        if terminal not in parser.accepts():
            return False
        parser.feed_token(Token(terminal, text.strip()))
        return error.token.type in parser.accepts()
    except UnexpectedInput:
        return False
