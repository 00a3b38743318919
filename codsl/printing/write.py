"""A document written anew, in its own surface or in the other one, so that nothing is lost."""

from collections import Counter
from dataclasses import fields
from typing import Any

import yaml

from codsl.diagnostics import Findings
from codsl.printing.expressions import Writer
from codsl.printing.layout import Layout
from codsl.printing.lines import text
from codsl.printing.margins import margins
from codsl.printing.marks import Marks
from codsl.printing.positions import CONSTRUCTS, Orders, named
from codsl.printing.text_lines import text_lines
from codsl.printing.text_marks import text_marks
from codsl.printing.yaml_lines import yaml_lines
from codsl.printing.yaml_marks import yaml_marks
from codsl.printing.yaml_outline import Unsayable, outline
from codsl.source import Source, Span
from codsl.syntax import tree
from codsl.syntax.read import read
from codsl.syntax.surface import Surface
from codsl.syntax.validator import Validator
from codsl.syntax.words import RESERVED_KEYS
from codsl.syntax.yaml_nodes import Loader


def write(
    document: tree.Document,
    surface: Surface,
    to: Surface,
    orders: Orders,
    validator: Validator,
    findings: Findings,
) -> str | None:
    """The text of a document, which was read from one surface, in that surface or the other.

    `orders` are those of the layers that are known. None where something would be lost, which goes
    to `findings`: what is written is read again and compared.
    """
    if surface is to is Surface.YAML and (alias := _alias(document.source)) is not None:
        message = f"formatting would write out what `{alias.text}` stands for"
        helps = ("what is used several times is a template or a `let`",)
        findings.add("E0109", message, alias, helps=helps)
        return None
    document = named(document, orders)
    marks = _marks(document.source.text, surface)
    try:
        written = _written(document, marks, to, orders)
    except Unsayable as error:
        findings.add("E0109", str(error), error.span)
        return None
    if not _is_same(document, written, to, orders, validator, findings):
        return None
    if _words(marks) - _words(_marks(written, to)):
        raise RuntimeError("a comment was lost")
    return written


def _marks(source: str, surface: Surface) -> Marks:
    return text_marks(source) if surface is Surface.TEXT else yaml_marks(source)


def _written(document: tree.Document, marks: Marks, to: Surface, orders: Orders) -> str:
    writer = Writer({**orders, **CONSTRUCTS})
    layout = Layout(document, margins(document, marks), writer)
    if to is Surface.TEXT:
        return text(text_lines(document, layout, writer, marks.places))
    shape = outline(document, layout, Writer({}), marks.places)
    return text(yaml_lines(shape, layout))


def _alias(source: Source) -> Span | None:
    """The first alias of a YAML file."""
    for event in yaml.parse(source.text, Loader=Loader):
        if isinstance(event, yaml.AliasEvent):
            mark: Any = event
            return source.span(mark.start_mark.index, mark.end_mark.index)
    return None


def _words(marks: Marks) -> Counter[str]:
    return Counter(word for comment in marks.comments for word in comment.text.split())


def _is_same(
    document: tree.Document,
    written: str,
    to: Surface,
    orders: Orders,
    validator: Validator,
    findings: Findings,
) -> bool:
    """Whether a document can be read from what is written; if not, the reason is reported."""
    found = Findings()
    again = read(Source("<written>", written), found, validator)
    message = f"{to.words} has no way to say this"
    if found.diagnostics or again is None:
        reasons = [each.message for each in found.diagnostics[:1]]
        findings.add("E0109", message, _reserved(document), notes=reasons)
        return False
    again = named(again, orders)
    if again != document:
        findings.add("E0109", message, _difference(document, again))
        return False
    return True


def _reserved(node: Any) -> Span | None:
    """The first name that cannot be one in the text form."""
    if isinstance(node, tree.Name) and (node.text in RESERVED_KEYS or not _is_word(node.text)):
        return node.span
    found = (_reserved(child) for child in tree.children(node))
    return next((each for each in found if each is not None), None)


def _is_word(name: str) -> bool:
    return all(part.isidentifier() and part.isascii() for part in name.split("."))


def _difference(node: Any, other: Any) -> Span | None:
    """Where two trees begin to differ."""
    here = getattr(node, "span", None)
    if type(node) is type(other) and isinstance(node, tuple):
        pairs = [*zip(node, other, strict=False)]
    elif type(node) is type(other) and hasattr(node, "__dataclass_fields__"):
        names = [part.name for part in fields(node) if part.compare]
        pairs = [(getattr(node, name), getattr(other, name)) for name in names]
    else:
        return here
    inner = next((_difference(*pair) for pair in pairs if pair[0] != pair[1]), None)
    return inner or here
