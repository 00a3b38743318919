"""What to say where the text form breaks: what stands there, and what would mend it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from codsl.diagnostics import Applicability, Edit, Findings, Help, Label, did_you_mean
from codsl.source import Source, Span
from codsl.syntax import habits, lookalikes
from codsl.syntax.brackets import balanced, left, open_bracket, unclosed
from codsl.syntax.words import RESERVED

INSERTIONS = {
    "COMMA": ",",
    "RPAR": ")",
    "RBRACE": "}",
    "RSQB": "]",
    "EQUAL": "=",
    "LPAR": "(",
    "LBRACE": "{",
    "COLON": ":",
    "FROM": "from ",
    "IN": "in ",
    "_TO": "..",
}
"""Single tokens worth offering where one of them would let the parser go on."""
_BEHIND = (",", ")", "]", "}")
"""Those that stand right behind what comes before them."""
AHEAD = 40
"""Tokens at most that are read on to see how far a remedy leads."""

_EXCHANGES = {
    ";": (("COMMA", ",", "arguments are separated by `,`"),),
    ":": (
        ("EQUAL", "=", "an argument, a name and a value are joined by `=`"),
        ("_TO", "..", "a range is written `1..n`"),
    ),
    "=": (("COMPARE", "==", "`==` compares"),),
}
"""Signs of other languages, and what they are written as here."""

_PARTS = ("template", "network", "variant", "weights", "import", "doc")
_PART = re.compile(rf"^(?:{'|'.join(_PARTS[:-1])})(?=[ ]+[\w\"])", re.MULTILINE)
"""The word that begins a part of a file, at the beginning of a line."""
_IMPORT = re.compile(r"\s*import\b")
_QUOTED = re.compile(r"'([^'\n\"]*)'")
_UNENDED = re.compile(r'"[\w. -]*\w')
_CLOSING = {")": "(", "]": "[", "}": "{"}
_FOREIGN = {
    ";": ("statements need no `;`: a new line, or nothing, is between them", ""),
    "$": ("in the text form a name stands for itself, without `$`", ""),
    "&": ("conditions are joined by `and`", "and"),
    "|": ("conditions are joined by `or`", "or"),
    "!": ("a condition is turned round by `not`", "not "),
    "^": ("a power is written `**`", "**"),
}
"""Characters that other languages use, what is so here, and what to write instead."""


def report(error: UnexpectedInput, source: Source, findings: Findings) -> bool:
    """Say what stands where something else was expected, and which single token would mend it.

    False where what comes after may only seem to be broken.
    """
    at = max(0, error.pos_in_stream or 0)
    if _is_open(source, at, findings):
        return False
    token = str(error.token) if isinstance(error, UnexpectedToken) else source.text[at : at + 1]
    if habits.report(source, at, token, findings):
        return balanced(source.text)
    if isinstance(error, UnexpectedCharacters):
        _character(source.span(at, at + 1), findings)
    elif isinstance(error, UnexpectedToken):
        _token(error, source, at, findings)
    else:
        raise error
    return balanced(source.text)


def _is_open(source: Source, at: int, findings: Findings) -> bool:
    """Whether a bracket is still open where the next part of the file begins, which is reported."""
    found = unclosed(source, at, _PART)
    if found is None or found[0].text != "{":
        return False
    bracket, part = found
    end = source.span(part.start, part.start)
    helps = (Help(f"add `}}` before `{part.text}`", (Edit(end, "}\n\n"),)),)
    message = f"a `{{` is still open where `{part.text}` begins"
    findings.add("E0101", message, part, Label(bracket, "this one"), helps=helps)
    return True


def _character(found: Span, findings: Findings) -> None:
    text, at = found.source.text, found.start
    if lookalikes.tell(found, findings):
        return
    if found.text == '"':
        word = _UNENDED.match(text, at)
        end = word.end() if word else at
        edits = (Edit(found.source.span(end, end), '"'),) if word else ()
        remedy = Help('a text ends on its line: `"..."`', edits)
        findings.add("E0101", "this text has no end", found, helps=[remedy])
        return
    if found.text == "'" and (quoted := _QUOTED.match(text, at)):
        whole = found.source.span(at, quoted.end())
        edits = (Edit(whole, f'"{quoted[1]}"'),)
        remedy = Help("texts stand in double quotes", edits, Applicability.SURE)
        findings.add("E0101", f"`{whole.text}` means nothing here", whole, helps=[remedy])
        return
    mend, instead = _FOREIGN.get(found.text, ("", ""))
    twice = text[at : at + 2] if text[at : at + 2] in ("&&", "||") else found.text
    whole = found.source.span(at, at + len(twice))
    helps = [Help(mend, (Edit(whole, instead),), Applicability.SURE)] if mend else []
    findings.add("E0101", f"`{twice}` means nothing here", whole, helps=helps)


def _token(error: UnexpectedToken, source: Source, at: int, findings: Findings) -> None:
    token = error.token
    if token.type == "$END" and _left(source, findings):
        return
    if token == "shortcut" and _no_residual(source, at, findings):
        return
    if token.type == "$END":
        at = len(source.text[:at].rstrip()) if at >= len(source.text) else at
        found, message = source.span(at, at), "the text ends too early"
    else:
        found, message = source.span(at, at + len(token)), f"unexpected `{token}`"
    if (word := str(token).lower()) in RESERVED and word != token:
        helps = [Help(f"write `{word}`", (Edit(found, word),), Applicability.SURE)]
        findings.add("E0101", f"`{token}` is written in small letters", found, helps=helps)
        return
    if (named := _named(token, found)) is not None:
        helps = [Help(f"call it `{named.text}_`", (Edit(named, f"{named.text}_"),))]
        message = f"`{named.text}` is a word of the language and cannot be a name"
        findings.add("E0308", message, named, helps=helps)
        return
    remedy = _remedy(error, found) or _part_meant(error, found)
    notes = []
    if token in RESERVED and not remedy:
        notes.append(f"`{token}` is a word of the language and cannot be a name")
    if _IMPORT.match(source.line(source.position(at)[0])):
        notes.append('outside the network stands `import "./blocks.codsl" as blocks`')
    still_open = open_bracket(source, at)
    closes = remedy is not None and any(edit.replacement in _CLOSING for edit in remedy.edits)
    there = Label(still_open, "still open here") if still_open and closes else None
    findings.add("E0101", message, found, there, notes=notes, helps=[remedy] if remedy else [])


def _left(source: Source, findings: Findings) -> bool:
    """Whether lines show where a bracket that is still open at the end was to be closed, which is
    reported."""
    found = left(source)
    if found is None:
        return False
    bracket, line = found
    opened, column = source.position(bracket.start)[0], source.position(line.start)[1]
    here = source.span(line.start, line.start + 1)
    edit = Edit(line, "}\n" + " " * (column - 1))
    message = f"this stands no further right than line {opened}, whose `{{` is still open"
    helps = (Help("add `}` before it", (edit,)),)
    findings.add("E0101", message, here, Label(bracket, "this one"), helps=helps)
    return True


def _no_residual(source: Source, at: int, findings: Findings) -> bool:
    """Whether a shortcut follows a block whose word was to be `residual`, which is reported."""
    opening = open_bracket(source, source.text.rfind("}", 0, at))
    word = re.search(r"(\w+)\s*$", source.text[: opening.start]) if opening else None
    if word is None:
        return False
    found = source.span(word.start(1), word.end(1))
    helps = did_you_mean(word[1], ["residual"], found)
    if helps:
        findings.add("E0302", f"there is no layer `{word[1]}`", found, helps=helps)
    return bool(helps)


def _part_meant(error: UnexpectedToken, found: Span) -> Help | None:
    """The word that begins a part of the file, where another one stands."""
    parts = [each for each in _PARTS if each.upper() in error.accepts]
    return next(iter(did_you_mean(found.text, parts, found)), None)


def _named(token: Token, found: Span) -> Span | None:
    """The word of the language that is to be the name of what stands behind a `=`."""
    before = re.search(r"(?:^|\s)(\w+)[ ]*$", found.source.text[: found.start])
    if token != "=" or before is None or before[1] not in RESERVED:
        return None
    return found.source.span(before.start(1), before.end(1))


@dataclass(frozen=True)
class _Trial:
    """A remedy, and how many tokens can be read once it is carried out."""

    said: str
    edit: Edit
    reach: int


def _remedy(error: UnexpectedToken, found: Span) -> Help | None:
    """The single token that leads farthest, put in or left out."""
    trials = list(_trials(error, found))
    best = max((each.reach for each in trials), default=0)
    leading = [each for each in trials if each.reach == best]
    if not leading:
        return None
    first = leading[0]
    sure = best > AHEAD and len(leading) == 1 and first.edit.replacement in (",", ")", "]")
    how = Applicability.SURE if sure else Applicability.LIKELY
    return Help(first.said, (first.edit,), how)


def _trials(error: UnexpectedToken, found: Span) -> Iterator[_Trial]:
    before = "at the end" if error.token.type == "$END" else "before it"
    behind = len(found.source.text[: found.start].rstrip())
    for terminal, text in INSERTIONS.items():
        if reach := _reach(error, Token(terminal, text.strip()), error.token):
            at = behind if text in _BEHIND else found.start
            edit = Edit(found.source.span(at, at), text)
            yield _Trial(f"add `{text.strip()}` {before}", edit, reach)
    if error.token.type != "$END" and (reach := _reach(error)) > 1:
        yield _Trial("leave it out", Edit(found, ""), reach)
    for terminal, text, said in _EXCHANGES.get(str(error.token), ()):
        if reach := _reach(error, Token(terminal, text)):
            yield _Trial(said, Edit(found, text), reach)


def _reach(error: UnexpectedToken, *tokens: Token) -> int:
    """How many tokens the parser takes, these first and then those that follow."""
    parser = error.interactive_parser.copy(False)  # type: ignore[no-untyped-call]
    taken = 0
    try:
        for token in tokens:
            parser.feed_token(token)
        taken = 1
        for _ in parser.iter_parse():
            taken += 1
            if taken > AHEAD:
                return taken
        if "$END" in parser.accepts():
            return AHEAD + 1
    except UnexpectedInput:
        pass
    return taken
