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
    last that could be read, once there was one."""

    source: Source
    diagnostics: tuple[Diagnostic, ...] = ()
    graph: Graph | None = None
    document: Document | None = None


def understand(source: Source, before: Reading | None = None) -> Reading:
    """The reading of a source; `before` is that of an earlier state of the same file.

    Of other YAML, without the key `codsl`, nothing is said.
    """
    document = before.document if before else None
    if not (is_text(source) or _KEY.search(source.text)):
        return Reading(source, document=document)
    try:
        document = parse(source)
        graph, warnings = inspect(source)
    except SpecError as error:
        return Reading(source, error.diagnostics, None, document)
    return Reading(source, warnings, graph, document)
