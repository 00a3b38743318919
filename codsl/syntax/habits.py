"""What other languages write where the text form writes something else, known by its looks."""

import re
from collections.abc import Callable

from codsl.diagnostics import Applicability, Edit, Findings, Help
from codsl.source import Source, Span

Known = tuple[str, Span, Help]
"""What is said of a habit, where, and what is written here."""

_MODULE = re.compile(r"((?:[A-Za-z_]\w*\.)+)([A-Za-z_]\w*)")
_IF = re.compile(r"^[ \t]*(if)\b", re.MULTILINE)
_LIST = re.compile(r"\[[^][{}()\n]*,[^][{}()\n]*\]")
_LOOP = re.compile(
    r"[ \t]*(?P<for>for)[ ]+(?P<index>\w+)[ ]+in\b(?P<range>[ ]+range\((\w+)\)[ ]*)?"
)
_ADDED = re.compile(r"[ \t]*(?:\w+[ ]*=[ ]*)?(?P<sum>(\w+)(?:[ ]*\+[ ]*\w+)+)[ ]*(?:#.*)?$")
_RULE = re.compile(r'[ \t]*"[^"\n]*"[ ]*(?P<sign>[-=]*>|:)[ ]*"[^"\n]*"')
_MEMBER = re.compile(r"[ \t]*(?P<module>(?:\w+\.)+)\w+[ ]*$")
_TOP = {
    **dict.fromkeys(("def", "fn", "func", "function", "macro"), "template"),
    **dict.fromkeys(("class", "model", "net"), "network"),
}
"""Words that begin what is a template or a network here."""


def report(source: Source, at: int, token: str, findings: Findings) -> bool:
    """Whether what stands at a place, where the text breaks, is of another language; it is
    reported then, with what is written here."""
    found = source.span(at, at + len(token))
    for habit in _HABITS:
        known = habit(found)
        if known is not None:
            message, place, remedy = known
            findings.add("E0101", message, place, helps=(remedy,))
            return True
    return False


def _write(said: str, at: Span, instead: str) -> Help:
    return Help(said, (Edit(at, instead),), Applicability.SURE)


def _module(found: Span) -> Known | None:
    """The `nn.Conv3d` in which the text breaks at a dot, where it does not follow `from`."""
    source, start = found.source, found.start - found.column + 1
    line = source.line(found.line)
    if not found.text.startswith("."):
        return None
    for each in _MODULE.finditer(line):
        selects = re.search(r"\b(from|outputs)\b", line[: each.start()])
        if start + each.start() < found.start < start + each.end() and not selects:
            whole = source.span(start + each.start(), start + each.end())
            snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", each[2]).lower()
            message = "layers have no module before their names"
            return message, whole, _write(f"write `{snake}`", whole, snake)
    return None


def _list(found: Span) -> Known | None:
    """The list of numbers that a `[` begins, as Python has it."""
    listed = _LIST.match(found.source.text, found.start)
    if listed is None:
        return None
    whole, instead = found.source.span(found.start, listed.end()), f"({listed[0][1:-1]})"
    what = "arguments stand" if found.source.text[found.start - 1].isalnum() else "a tuple stands"
    return f"{what} in round brackets", whole, _write(f"write `{instead}`", whole, instead)


def _condition(found: Span) -> Known | None:
    """The `if` that begins a statement, before an `else` that has no condition otherwise."""
    before = list(_IF.finditer(found.source.text, 0, found.start))
    if found.text != "else" or not before:
        return None
    word = found.source.span(before[-1].start(1), before[-1].end(1))
    return "a condition begins with `when`", word, _write("write `when`", word, "when")


def _loop(found: Span) -> Known | None:
    """The `for i in range(n)` before something that is repeated."""
    source = found.source
    start = source.start(found.line)
    loop = _LOOP.match(source.line(found.line))
    if loop is None or not start + loop.start("for") <= found.start <= start + loop.end():
        return None
    word = source.span(start + loop.start("for"), start + loop.end("for"))
    message = "a repetition begins with the name of what is repeated"
    if loop["range"] is None:
        return message, word, Help(f"as in `unit[{loop['index']} in 1..3] = ...`")
    instead = f"unit[{loop['index']} in 0..{loop[4]} - 1] = "
    whole = source.span(word.start, start + loop.end())
    return message, word, Help(f"write `{instead.rstrip()} ...`", (Edit(whole, instead),))


def _comment(found: Span) -> Known | None:
    """The `//` before a remark, which begins a line or follows what is whole."""
    if not found.text.startswith("//"):
        return None
    sign = found.source.span(found.start, found.start + 2)
    return "a comment begins with `#`", sign, _write("write `#`", sign, "#")


def _declaration(found: Span) -> Known | None:
    """The word that begins a function or a class elsewhere, at the beginning of a line."""
    meant = _TOP.get(found.text)
    if meant is None or found.column != 1:
        return None
    said = f"write `{meant}`"
    return f"`{found.text}` is no word of the language", found, _write(said, found, meant)


def _added(found: Span) -> Known | None:
    """Values that are added by a sign."""
    source, start = found.source, found.source.start(found.line)
    added = _ADDED.match(source.line(found.line))
    if found.text != "+" or added is None:
        return None
    whole = source.span(start + added.start("sum"), start + added.end("sum"))
    joined = f'join("sum") from {", ".join(re.split(r"[ ]*[+][ ]*", whole.text))}'
    return "values are joined by `join`", whole, _write(f"write `{joined}`", whole, joined)


def _arrow(found: Span) -> Known | None:
    """The sign between the two names of a rule of the weights."""
    source, start = found.source, found.source.start(found.line)
    rule = _RULE.match(source.line(found.line))
    if rule is None or not start + rule.start("sign") <= found.start < start + rule.end("sign"):
        return None
    sign = source.span(start + rule.start("sign"), start + rule.end("sign"))
    return (
        "a rule of the weights has `->` between its names",
        sign,
        _write("write `->`", sign, "->"),
    )


def _member(found: Span) -> Known | None:
    """The `self.` before a name that is given."""
    source, start = found.source, found.source.start(found.line)
    member = _MEMBER.match(source.line(found.line)[: found.column - 1])
    if found.text != "=" or member is None:
        return None
    module = source.span(start + member.start("module"), start + member.end("module"))
    word = source.span(module.start, module.end - 1)
    out = Help(f"leave out `{module.text}`", (Edit(module, ""),), Applicability.SURE)
    return "a name that is given is one word, without dots", word, out


_HABITS: tuple[Callable[[Span], Known | None], ...] = (
    _module,
    _list,
    _condition,
    _loop,
    _comment,
    _declaration,
    _added,
    _arrow,
    _member,
)
