"""A spec as its text says it: read into a tree, formatted, and converted to the other surface."""

from functools import cache
from itertools import takewhile

from codsl.diagnostics import Findings
from codsl.layers.row import Layer, arguments
from codsl.layers.table import table
from codsl.pipeline import Spec, open_source
from codsl.printing.positions import Order
from codsl.printing.write import write
from codsl.source import Source
from codsl.syntax.read import read
from codsl.syntax.structure import structure
from codsl.syntax.surface import Surface, surface
from codsl.syntax.tree import Document
from codsl.syntax.validator import Validator


def parse(spec: Spec) -> Document:
    """The tree of a spec, in which every node knows its place; the same from both surfaces.

    Takes what `check` takes. Names, layers and values are not looked at. Raises `SpecError` with
    the mistakes of syntax and structure.
    """
    return _parsed(_source(spec))


def format(spec: Spec) -> str:
    """The text of a spec in the one style, in the surface that it is written in.

    Takes what `check` takes; a dict gives YAML. Lines end as the first one does. Raises `SpecError`
    as `parse` does, and where something would be lost.
    """
    source = _source(spec)
    return _rewritten(source, surface(source))


def convert(spec: Spec, to: str | None = None) -> str:
    """The formatted text of a spec as `to` says, `"yaml"` or `"text"`; if not, in the other one.

    Takes what `check` takes. Raises `SpecError` as `parse` does, and where the other surface has no
    way to say something: arguments by position of a layer that is not known, in YAML.
    """
    if to not in (None, *Surface):
        raise ValueError(f'to is "yaml" or "text", not {to!r}')
    source = _source(spec)
    return _rewritten(source, Surface(to) if to else surface(source).other)


def _source(spec: Spec) -> Source:
    findings = Findings()
    source = open_source(spec, findings)
    findings.settle()
    if source is None:
        raise RuntimeError("a spec gave neither a text nor a mistake")
    return source


def _parsed(source: Source) -> Document:
    findings = Findings()
    document = read(source, findings, _structure())
    findings.settle()
    if document is None:
        raise RuntimeError("a text gave neither a tree nor a mistake")
    return document


def _rewritten(source: Source, to: Surface) -> str:
    findings = Findings()
    document = _parsed(Source(source.name, source.text.replace("\r\n", "\n")))
    written = write(document, surface(source), to, _orders(), _structure(), findings)
    findings.settle()
    if written is None:
        raise RuntimeError("a tree gave neither a text nor a mistake")
    first, _, _ = source.text.partition("\n")
    return written.replace("\n", "\r\n") if first.endswith("\r") else written


@cache
def _structure() -> Validator:
    return Validator(structure())


def _orders() -> dict[str, Order]:
    """The order of the arguments of every layer that is known."""
    return {name: _order(row) for name, row in table().items()}


def _order(row: type[Layer]) -> Order:
    """What a layer takes by position; so stand those that it needs, or the only one."""
    positional = [each for each in arguments(row) if each.positional]
    needed = len([*takewhile(lambda each: each.required, positional)])
    return Order(tuple(each.name for each in positional), needed or int(len(positional) == 1))
