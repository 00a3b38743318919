"""A text as far as it is understood: its mistakes, its tree and its graph, whatever is broken."""

import re
from dataclasses import dataclass

from codsl.diagnostics import Diagnostic, SpecError
from codsl.graph.graph import Graph
from codsl.pipeline import inspect
from codsl.source import Source
from codsl.surfaces import parse
from codsl.syntax.surface import is_text
from codsl.syntax.tree import Document

_KEY = re.compile(r"^codsl[ \t]*:", re.MULTILINE)


@dataclass(frozen=True)
class Reading:
    """A source with what is wrong in it. There is a graph where nothing is, and a document, the
    last that could be read, once there was one. They are those of a `variant`, or, where it is
    empty, of the default parameters."""

    source: Source
    diagnostics: tuple[Diagnostic, ...] = ()
    graph: Graph | None = None
    document: Document | None = None
    variant: str = ""


def understand(source: Source, before: Reading | None = None, variant: str = "") -> Reading:
    """The reading of a source; `before` is that of an earlier state of the same file. A `variant`
    that it has no more is that of the defaults.

    Of other YAML, without the key `codsl`, nothing is said.
    """
    document = before.document if before else None
    if not (is_text(source) or _KEY.search(source.text)):
        return Reading(source, document=document)
    try:
        document = parse(source)
        known = [each.name.text for each in document.variants]
        variant = variant if variant in known else ""
        graph, warnings = inspect(source, variant=variant or None)
    except SpecError as error:
        return Reading(source, error.diagnostics, None, document, variant)
    return Reading(source, warnings, graph, document, variant)
