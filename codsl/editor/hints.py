"""What becomes of the stream at each layer, beside the line where it is written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from codsl.editor.names import blocks_of
from codsl.editor.reading import Reading
from codsl.graph.graph import Graph
from codsl.graph.report import Row, endless
from codsl.source import Span


@dataclass(frozen=True)
class Hint:
    """What is shown behind a line, and the whole of it."""

    offset: int
    text: str
    about: str


def hints(reading: Reading) -> list[Hint]:
    """A hint for every line with a layer of this file, once all of it is fine."""
    if reading.graph is None:
        return []
    by_line: dict[int, list[tuple[Row, Span]]] = {}
    for row, span in (*_blocks(reading, reading.graph), *placed(reading.graph)):
        if span.source.name == reading.source.name:
            by_line.setdefault(span.line, []).append((row, span))
    source = reading.source
    told = {line: _told(found) for line, found in by_line.items()}
    for variant in reading.document.variants if reading.document else ():
        if variant.name.text == reading.variant:
            told[variant.name.span.line] = ("shown", "the figures are those of this variant")
    return [Hint(source.start(line) + len(source.line(line)), *said) for line, said in told.items()]


def placed(graph: Graph) -> list[tuple[Row, Span]]:
    """The rows of the report, each with the place where it was written."""
    rows = zip(graph.report().nodes, graph.nodes, strict=True)
    return [(row, node.span) for row, node in rows if node.span is not None]


def _blocks(reading: Reading, graph: Graph) -> Iterator[tuple[Row, Span]]:
    """The last row of every block of the network itself, with the place of the block's name."""
    rows = graph.report().nodes
    for pattern, name in blocks_of(reading.document):
        for block in graph.blocks:
            if re.fullmatch(pattern, block.path) and block.exit >= graph.base:
                yield replace(rows[block.exit - graph.base], path=block.path), name.span


def _told(found: list[tuple[Row, Span]]) -> tuple[str, str]:
    """The figures of the last layer that a line has; of the first and the last of its uses."""
    last = found[-1][1]
    rows = [row for row, span in found if span == last]
    first, end = figures(rows[0]), figures(rows[-1])
    text = end if first == end else f"{first} … {end}"
    return text, "\n".join(f"`{row.path}`: {figures(row)}  " for row in rows)


def figures(row: Row) -> str:
    """The shape of a frame, the receptive field and the delay, in input frames."""
    shape = " x ".join(map(str, row.shape))
    return f"{shape}, field {endless(row.receptive_field)}, delay {row.delay}"
