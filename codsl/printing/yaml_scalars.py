"""Scalars of YAML: plain where YAML reads them as what they are, else in quotes."""

import re

from codsl.printing.expressions import Writer, constant, spelled
from codsl.syntax import tree
from codsl.syntax.numbers import scalar

_UNSAFE = re.compile(r"[-?:,\[\]{}#&*!|>'\"%@`=]|<<|\.\.\.|.*(: | #|:$|\t)|\(.*\)$")
"""How a text begins, or what is in it, that YAML takes for a sign of its own."""
_IN_FLOW = re.compile(r"[,\[\]{}:?]")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def plain(text: str, flow: bool) -> str:
    """A text as a scalar, inside of brackets (`flow`) or not."""
    if _is_safe(text) and not (flow and _IN_FLOW.search(text)):
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """A text in quotes, in single ones where it would have to be escaped in others."""
    if text.isprintable() and "'" not in text and ('"' in text or "\\" in text):
        return f"'{text}'"
    return '"' + "".join(map(_escaped, text)) + '"'


def text_block(text: str) -> list[str] | None:
    """A text of several lines as a block: its sign, and its lines; None where it cannot be one."""
    sign, lines = ("|", text[:-1].split("\n")) if text.endswith("\n") else ("|-", text.split("\n"))
    if "\n" not in text or not lines[0].strip() or not lines[-1].strip() or text[0] == " ":
        return None
    if any(line != line.rstrip() or not line.isprintable() for line in lines):
        return None
    return [sign, *lines]


def _is_safe(text: str) -> bool:
    if not text.isprintable() or text != text.strip() or scalar(text) != text:
        return False
    is_cut = text.startswith(("$(", "(")) and text.count("(") > text.count(")")
    return not (is_cut or _UNSAFE.match(text))


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def valued(node: tree.Expression, writer: Writer, flow: bool) -> str:
    """A value that is no list and no layer with arguments: behind a `$` where it is worked out."""
    match node:
        case tree.Literal(str(text)) if not text.startswith("$"):
            return plain(text, flow)
        case tree.Literal(None):
            return "null"
        case tree.Literal() if (written := spelled(node)) is not None:
            return re.sub("(inf|nan)", r".\1", written)
        case tree.Literal(bool()):
            return constant(node.value)
        case tree.Reference(name):
            return f"${name}"
    return plain(f"$({writer.expression(node)})", flow)
