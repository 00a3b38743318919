"""The picture of a report as one SVG, which stands still."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from codsl.diagnostics import escape
from codsl.graph.report import Report
from codsl.report.axis import WIDTH as LEAST
from codsl.report.legend import samples
from codsl.report.marks import HEIGHT, MIDDLE, bar, frames, grid, tiles
from codsl.report.markup import element, lettering, words
from codsl.report.palette import literal, sheet
from codsl.report.picture import INDENTED, Picture, Shown, picture
from codsl.report.text import MONO, SANS, columns, cut
from codsl.report.words import description, note, sentence, shape, sizes, title

NARROWEST = 960
"""Pixels of a picture at least; long names make it wider."""

EDGE = 20
GAP = 16
LINE = 18
SIZE = 12
"""Pixels of a letter."""

SMALL = 11
NOTE = 92
COST = 58
"""Pixels of a figure."""

WEIGHT = 36
"""Pixels of the longest bar of MACs or state."""

LABEL = 36
"""Characters of a name and what stands behind it at most."""

SHAPE = 20
"""Characters of a shape at most."""

SHORTEST = 4
"""Characters of what stands behind a name at least, or it is left out."""

INDENT = 2
"""Characters by which a level of names is set in."""


def svg(report: Report, depth: int | None = None) -> str:
    """A report as an SVG for a document: self-contained, light or dark as the reader is.

    `depth` levels of blocks are unfolded; left out, as many as fit well on a screen.
    """
    return _Sheet(picture(report, depth)).draw()


@dataclass(frozen=True)
class _Sheet:
    """The columns and lines of the picture, in pixels."""

    picture: Picture

    @cached_property
    def rows(self) -> tuple[Shown, ...]:
        return tuple(self.picture.rows())

    @cached_property
    def names(self) -> float:
        return EDGE + self.picture.gutter.width + 6

    @cached_property
    def shapes(self) -> float:
        labels = [" ".join(_label(row)) for row in self.rows] + list(self.picture.views.inputs)
        return self.names + min(max(map(columns, labels)), LABEL) * SIZE * MONO + GAP

    @cached_property
    def times(self) -> float:
        every = [shape(row.view) for row in self.rows]
        every += map(sizes, self.picture.views.inputs.values())
        return self.shapes + min(max(map(columns, every)), SHAPE) * SMALL * MONO + GAP

    @cached_property
    def span(self) -> float:
        """Pixels of the time axis."""
        return max(LEAST, NARROWEST - EDGE - 2 * (COST + WEIGHT) - GAP - NOTE - GAP - self.times)

    @property
    def notes(self) -> float:
        return self.times + self.span + GAP

    @property
    def macs(self) -> float:
        return self.notes + NOTE

    @property
    def states(self) -> float:
        return self.macs + COST + WEIGHT + GAP

    @property
    def width(self) -> int:
        """Pixels of the whole picture."""
        return ceil(self.states + COST + WEIGHT + EDGE)

    def draw(self) -> str:
        report = self.picture.report
        head, top = self._head(62)
        inputs = list(self.picture.views.inputs.items())
        rows = [
            *(self._input(name, each, at) for at, (name, each) in enumerate(inputs)),
            *(self._row(row) for row in self.rows),
        ]
        stop = top + HEIGHT * len(rows)
        foot, tall = self._foot(stop + 30)
        return element(
            "svg",
            element("title", words(title(report))),
            element("desc", words(description(report))),
            element("style", literal(sheet("marks.css"))),
            element("rect", class_="paper", width=self.width, height=tall, rx=6),
            element("text", words(report.name), x=EDGE, y=36, font_size=18, font_weight=600),
            *head,
            *self._columns(top, stop),
            *(
                element("g", row, transform=f"translate(0,{top + HEIGHT * at:g})")
                for at, row in enumerate(rows)
            ),
            *foot,
            xmlns="http://www.w3.org/2000/svg",
            class_="codsl",
            role="img",
            view_box=f"0 0 {self.width} {tall:g}",
            width=self.width,
            height=tall,
            font_size=SIZE,
        )

    def _head(self, y: float) -> tuple[list[str], float]:
        """The totals, as many on a line as there is room for, and where the rows begin."""
        lines: list[list[tuple[str, str]]] = [[]]
        x = 0.0
        for word, figure in self.picture.report.summary():
            width = (columns(word) + columns(figure) + 6) * SIZE * SANS
            if x and x + width > self.width - 2 * EDGE:
                lines.append([])
                x = 0
            lines[-1].append((word, cut(escape(figure), 90)))
            x += width
        found = [
            element("text", *_figures(line), x=EDGE, y=y + LINE * at)
            for at, line in enumerate(lines)
        ]
        return found, y + LINE * len(lines) + 28

    def _columns(self, top: float, stop: float) -> Iterator[str]:
        """The heads of the columns, and the time axis behind the rows."""
        y = top - 8
        for x, anchor, text in (
            (self.names, "start", "layer"),
            (self.shapes, "start", "shape"),
            (self.macs + COST, "end", "MACs"),
            (self.states + COST, "end", "state"),
        ):
            yield lettering(text, x, y, "soft", anchor)
        axis = self.picture.axis
        for place, label, _ in axis.labels():
            yield lettering(label, self.times + place / 100 * self.span, y, "soft", "middle")
        yield lettering(self.picture.caption, self.times, y - 16, "soft")
        yield self._strip(grid(axis), top, stop - top)

    def _strip(self, content: str, y: float, height: float) -> str:
        """Marks on the time axis."""
        return element("svg", content, x=self.times, y=y, width=self.span, height=height)

    def _input(self, name: str, given: Sequence[int | str], at: int) -> str:
        axis = self.picture.axis
        return "".join(
            (
                element("svg", self.picture.gutter.row(at, at, "open"), x=EDGE, overflow="visible"),
                lettering(cut(name, LABEL), self.names, MIDDLE + 4, "mono"),
                lettering(
                    cut(sizes(given), SHAPE), self.shapes, MIDDLE + 4, "mono soft", size=SMALL
                ),
                self._strip(frames(axis, tiles(axis, 1)), 0, HEIGHT),
            )
        )

    def _row(self, row: Shown) -> str:
        gutter = self.picture.gutter.row(row.line.number, row.last, row.dot)
        parts = [
            element("title", words(sentence(row.view))),
            element("svg", gutter, x=EDGE, overflow="visible"),
            self._name(row),
        ]
        if not row.open:
            axis = self.picture.axis
            marks = bar(row.view, axis, tiles(axis, row.view.stride))
            parts += [
                lettering(
                    cut(shape(row.view), SHAPE), self.shapes, MIDDLE + 4, "mono soft", size=SMALL
                ),
                self._strip(marks, 0, HEIGHT),
                lettering(note(row.view), self.notes, MIDDLE + 4, "soft", size=SMALL),
                *self._costs(row),
            ]
        whole = "".join(parts)
        return whole if row.view.live else element("g", whole, opacity=0.5)

    def _name(self, row: Shown) -> str:
        x = self.names + _indent(row) * SIZE * MONO
        room = LABEL - _indent(row)
        name, *more = _label(row)
        name = cut(name.strip(), room)
        left = room - columns(name) - 1
        rest = cut(" ".join(more), left) if left >= SHORTEST else ""
        weight = 600 if row.line.entry.folds else None
        inside = [element("tspan", words(name), font_weight=weight)]
        if rest:
            inside.append(element("tspan", words(f" {rest}"), class_="soft"))
        return element("text", *inside, x=x, y=MIDDLE + 4, class_="mono")

    def _costs(self, row: Shown) -> Iterator[str]:
        """The MACs and the state, each with a bar."""
        figures, shares = self.picture.costs(row.view), self.picture.shares(row.view)
        for x, figure, share in zip((self.macs, self.states), figures, shares, strict=True):
            if figure:
                yield lettering(figure, x + COST, MIDDLE + 4, "mono", "end", SMALL)
                width = max(1.0, share * WEIGHT)
                yield element(
                    "rect", class_="weight", x=x + COST + 5, y=MIDDLE - 4, width=width, height=8
                )

    def _foot(self, y: float) -> tuple[list[str], float]:
        """The legend, and how tall the picture is with it."""
        found, x = [], float(EDGE)
        for mark, text in samples():
            width = 28 + columns(text) * SMALL * SANS
            if x > EDGE and x + width > self.width - EDGE:
                x, y = EDGE, y + LINE
            found.append(element("svg", mark, x=x, y=y - 13, width=22, height=HEIGHT))
            found.append(lettering(text, x + 28, y + 3, "soft", size=SMALL))
            x += width + GAP
        return found, y + EDGE


def _figures(line: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Totals one behind another, in whatever font there is."""
    for at, (word, figure) in enumerate(line):
        yield element("tspan", words(f"{word} "), class_="soft", dx=GAP if at else None)
        yield element("tspan", words(figure))


def _indent(row: Shown) -> int:
    return INDENT * min(row.line.depth, INDENTED)


def _label(row: Shown) -> list[str]:
    """The name of a row, set in, and what stands behind it."""
    blank = " " * _indent(row)
    return [each for each in (blank + escape(row.view.name), escape(row.kind), row.role) if each]
