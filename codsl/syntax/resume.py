"""Where reading of the text form goes on behind what it could not read."""

import re

LARGEST = 200_000
"""Characters of a source at most that is read again."""
LONGEST = 20
"""Lines at most of a statement that is left out."""

_SIGNS = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|[()\[\]{}]')
_OPENS = {")": "(", "]": "[", "}": "{"}


def without_statement(text: str, at: int) -> str | None:
    """The text with spaces for the line that holds `at`, and for those after it until all brackets
    are closed that it opens.

    None where what stands there may be the consequence of what is broken elsewhere: where it breaks
    at the first word of a line, or where brackets do not close.
    """
    start = text.rfind("\n", 0, at) + 1
    if len(text) > LARGEST or not text[start:at].strip():
        return None
    end = start
    pending: list[str] = []
    for _ in range(LONGEST):
        stop = text.find("\n", end)
        stop = len(text) if stop < 0 else stop
        for sign in _SIGNS.finditer(text, end, stop):
            if sign[0] in _OPENS.values():
                pending.append(sign[0])
            elif sign[0] in _OPENS and (not pending or pending.pop() != _OPENS[sign[0]]):
                return None
        if not pending:
            blank = re.sub(r"[^\n]", " ", text[start:stop])
            return text[:start] + blank + text[stop:]
        end = stop + 1
        if end >= len(text):
            return None
    return None
