"""Characters that look like those of the language and are others: what is to be written."""

import re
import unicodedata

from codsl.diagnostics import Applicability, Edit, Findings, Help
from codsl.source import Span

_LOOKS = str.maketrans(
    "АВЕКМНОРСТХаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΧο“”„‟«»‘’×−–—",
    'ABEKMHOPCTXaeopcyxijsABEZHIKMNOPTXo""""""\'\'*---',
)
"""Letters of other alphabets and signs of typesetting, which no normal form of Unicode unites."""
_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r"[“„‟”«]([^\"“”„‟«»\n]*)[“”»\"]")
_STRANGE = re.compile(r"[^\x00-\x7f]+")


def plain(text: str) -> str | None:
    """A text in the characters that its own look like; None where that is none, or itself."""
    written = unicodedata.normalize("NFKC", text.translate(_LOOKS))
    return written if written.isascii() and written != text else None


def tell(at: Span, findings: Findings) -> bool:
    """Whether the character at a place only looks like one of the language, which is reported."""
    whole = _whole(at)
    meant = plain(whole.text)
    if meant is None:
        return False
    shown = f"`{meant}`" if meant.strip() else "a plain space"
    name = unicodedata.name(at.text, "unknown")
    findings.add(
        "E0101",
        f"`{whole.text}` only looks like {shown}",
        whole,
        notes=(f"U+{ord(at.text):04X} is {name}",),
        helps=(Help(f"write {shown}", (Edit(whole, meant),), Applicability.SURE),),
    )
    return True


def _whole(at: Span) -> Span:
    """The word, the text in quotes or the signs that a character belongs to."""
    source = at.source
    if quoted := _QUOTED.match(source.text, at.start):
        return source.span(at.start, quoted.end())
    start = source.start(at.line)
    for found in _WORD.finditer(source.line(at.line)):
        if start + found.start() <= at.start < start + found.end():
            return source.span(start + found.start(), start + found.end())
    strange = _STRANGE.match(source.text, at.start)
    return source.span(at.start, strange.end()) if strange else at
