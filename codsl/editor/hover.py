"""What an editor tells of the word under the cursor."""

import re

from codsl.editor import describe, names, text_cursor, yaml_cursor
from codsl.editor.cursor import Place
from codsl.editor.hints import figures, placed
from codsl.editor.reading import Reading
from codsl.editor.variants import told_of, values_of
from codsl.source import Span
from codsl.syntax.surface import is_text

SHOWN = 8
"""Uses of one line that are listed at most."""

_WORD = re.compile(r"[$A-Za-z_][\w.]*")


def hover(reading: Reading, offset: int) -> tuple[Span, str] | None:
    """The word at an offset, and what it is, in Markdown; None where there is nothing to say."""
    source = reading.source
    line, column = source.position(offset)
    for match in _WORD.finditer(source.line(line)):
        if match.start() < column <= match.end() + 1:
            start = source.start(line)
            span = source.span(start + match.start(), start + match.end())
            said = _said(reading, span)
            return (span, said) if said else None
    return None


def _said(reading: Reading, span: Span) -> str:
    word = span.text.removeprefix("$")
    told = told_of(reading, span) or _as_argument(reading, span) or _as_word(reading, word)
    return "\n\n".join(each for each in (_in_the_stream(reading, span), told) if each)


def _as_argument(reading: Reading, span: Span) -> str:
    """What a word means before `=` or `:`, where it is an argument."""
    text = reading.source.text
    inside = is_text(reading.source)
    if not re.match(r"\s*=(?!=)" if inside else r"\s*:(\s|\Z)", text[span.end : span.end + 40]):
        return ""
    at = (text_cursor if inside else yaml_cursor).cursor(text, span.start)
    if at.place is not Place.ARGUMENT:
        return ""
    row = describe.row_of(at.owner)
    return describe.argument(row, span.text) if row else ""


def _as_word(reading: Reading, word: str) -> str:
    if row := describe.row_of(word):
        return describe.layer(row)
    if template := names.templates(reading.document).get(word):
        return describe.template(template)
    for parameter in reading.document.parameters if reading.document else ():
        if parameter.name.text == word:
            told = f"parameter `{describe.parameter(parameter)}`"
            elsewhere = values_of(reading, word)
            return f"{told}: {elsewhere}" if elsewhere else told
    return describe.construct(word) or describe.section(word)


def _in_the_stream(reading: Reading, span: Span) -> str:
    """What the layers that were written here make of the stream."""
    if reading.graph is None:
        return ""
    rows = [
        row
        for row, at in placed(reading.graph)
        if at.source.name == reading.source.name and at.start <= span.start < at.end
    ]
    lines = [f"`{row.path}`: {figures(row)}" for row in rows[:SHOWN]]
    more = len(rows) - len(lines)
    return "  \n".join([*lines, f"and {more} more"] if more else lines)
