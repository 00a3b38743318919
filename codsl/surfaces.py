"""A spec as its text says it: read into a tree, formatted, and converted to the other surface."""

from functools import cache
from typing import Literal

from jsonschema import Draft202012Validator

from codsl.diagnostics import Findings
from codsl.layers.row import Layer, arguments
from codsl.layers.table import table
from codsl.pipeline import Spec, open_source
from codsl.source import Source
from codsl.syntax.positions import Order
from codsl.syntax.read import Surface, read, surface
from codsl.syntax.structure import structure
from codsl.syntax.tree import Document
from codsl.syntax.write import write


def parse(spec: Spec) -> Document:
    """The tree of a spec, in which every node knows its place; the same from both surfaces.

    Takes what `check` takes. Names, layers and values are not looked at. Raises `SpecError` with
    the mistakes of syntax and structure.
    """
    return _parsed(_source(spec))


def format(spec: Spec) -> str:
    """The text of a spec in the one style, in the surface that it is written in.

    Takes what `check` takes; a dict gives YAML. Raises `SpecError` as `parse` does, and where
    something would be lost.
    """
    source = _source(spec)
    return _rewritten(source, surface(source))


def convert(spec: Spec, to: Literal["yaml", "text"] | None = None) -> str:
    """The formatted text of a spec in the surface `to`, or in the one that it is not written in.

    Takes what `check` takes. Raises `SpecError` as `parse` does, and where the other surface has no
    way to say something: arguments by position of a layer that is not known, in YAML.
    """
    source = _source(spec)
    return _rewritten(source, Surface(to) if to else surface(source).other)


def _source(spec: Spec) -> Source:
    findings = Findings()
    source = open_source(spec, findings)
    findings.settle()
    if source is None:
        raise RuntimeError("a spec gave neither a text nor a mistake")
    return Source(source.name, source.text.replace("\r\n", "\n"))


def _parsed(source: Source) -> Document:
    findings = Findings()
    document = read(source, findings, _structure())
    findings.settle()
    if document is None:
        raise RuntimeError("a text gave neither a tree nor a mistake")
    return document


def _rewritten(source: Source, to: Surface) -> str:
    findings = Findings()
    document = _parsed(source)
    written = write(document, surface(source), to, _orders(), _structure(), findings)
    findings.settle()
    if written is None:
        raise RuntimeError("a tree gave neither a text nor a mistake")
    return written


@cache
def _structure() -> Draft202012Validator:
    return Draft202012Validator(structure())


def _orders() -> dict[str, Order]:
    """The order of the arguments of every layer that is known."""
    return {name: _order(row) for name, row in table().items()}


def _order(row: type[Layer]) -> Order:
    """What a layer takes by position; what it needs stands so, and an argument that has no rival."""
    positional = [each for each in arguments(row) if each.positional]
    needed = next((at for at, each in enumerate(positional) if not each.required), len(positional))
    return Order(tuple(each.name for each in positional), needed or int(len(positional) == 1))
