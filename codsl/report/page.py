"""The picture of a report as a page: blocks fold, and a layer shows what it sees."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from codsl.graph.report import Report
from codsl.report.legend import samples
from codsl.report.marks import HEIGHT, bar, frames, grid, tiled, tiles
from codsl.report.markup import element, words
from codsl.report.palette import sheet, variables
from codsl.report.picture import INDENTED, Picture, Shown, picture
from codsl.report.text import columns
from codsl.report.tree import Entry
from codsl.report.view import View, Window
from codsl.report.words import description, note, sentence, shape, sizes, title

LABEL = 40
"""Characters of a name and what stands behind it at most."""

SHAPE = 24
"""Characters of a shape at most."""

INDENT = 2
"""Characters by which a level of names is set in, and its triangle."""


def html(report: Report, depth: int | None = None) -> str:
    """A report as a page of its own: nothing is loaded, and nothing but its own script runs.

    `depth` levels of blocks are unfolded at first; left out, as many as fit well on a screen.
    """
    script, style = sheet("page.js"), variables() + sheet("marks.css") + sheet("page.css")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="description", content=description(report)),
        element("title", words(title(report))),
        f"<style>{style}</style>",
    )
    drawn = _Page(picture(report, depth)).draw()
    body = element("body", drawn, f"<script>{script}</script>", class_="codsl")
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def fragment(report: Report) -> str:
    """A report inside a page of others, as a notebook is."""
    style = variables() + sheet("marks.css") + sheet("page.css")
    drawn = element("div", _Page(picture(report)).draw(), class_="codsl")
    return f"<style>{style}</style>{drawn}<script>{sheet('page.js')}</script>"


@dataclass(frozen=True)
class _Page:
    """The rows of the picture, each with its marks in place for either way of folding."""

    picture: Picture

    @cached_property
    def id(self) -> str:
        """What its own symbols are called by; pages with several pictures mix none up."""
        return f"codsl-{sha256(self.picture.report.to_json().encode()).hexdigest()[:8]}"

    @property
    def base(self) -> int:
        """The value that the first layer gives."""
        return len(self.picture.views.inputs)

    def draw(self) -> str:
        report = self.picture.report
        return element(
            "section",
            self._symbols(),
            element("h1", words(report.name)),
            element("dl", *self._totals(), class_="totals"),
            element(
                "p",
                element("button", "unfold all", type="button", data_fold="open"),
                element("button", "fold all", type="button", data_fold=""),
                class_="tools",
                hidden="",
            ),
            element(
                "div",
                self._head(),
                *(self._input(at, name) for at, name in enumerate(self.picture.views.inputs)),
                *self._level(self.picture.entries),
                class_="rows",
                role="list",
            ),
            element("p", "", class_="says", aria_hidden="true", hidden=""),
            element("p", *self._legend(), class_="legend", aria_hidden="true"),
            class_="report",
            aria_label=title(report),
            style=self._widths(),
        )

    def _widths(self) -> str:
        """The widths of the columns that depend on what stands in them."""
        rows = [
            self.picture.shown(line, view)
            for line, view in zip(self.picture.wiring.lines, self.picture.all, strict=True)
        ]
        labels = [f"{row.view.name} {row.kind} {row.role}".rstrip() for row in rows]
        names = [
            columns(label) + INDENT * (min(row.line.depth, INDENTED) + 1)
            for label, row in zip(labels, rows, strict=True)
        ]
        names += [columns(name) + INDENT for name in self.picture.views.inputs]
        shapes = [columns(shape(row.view)) for row in rows] + [columns("shape") + 1]
        shapes += [columns(sizes(each)) for each in self.picture.views.inputs.values()]
        return (
            f"--wires:{self.picture.gutter.width:g}px;--names:{min(max(names), LABEL)}ch;"
            f"--shapes:{min(max(shapes), SHAPE)}ch"
        )

    def _symbols(self) -> str:
        """What many rows share: the grid, and the tiles of each stride."""
        axis = self.picture.axis
        return element(
            "svg",
            element("symbol", grid(axis), id=f"{self.id}-grid"),
            *(
                element("symbol", tiles(axis, stride), id=f"{self.id}-{stride}")
                for stride in self.picture.strides
            ),
            class_="symbols",
            width=0,
            height=0,
            aria_hidden="true",
        )

    def _totals(self) -> Iterator[str]:
        for word, figure in self.picture.report.summary():
            yield element("div", element("dt", words(word)), element("dd", words(figure)))

    def _head(self) -> str:
        labels = [
            element("text", label, class_="soft" if kept else "soft spare", x=f"{place:.2f}%", y=12)
            for place, label, kept in self.picture.axis.labels()
        ]
        return element(
            "div",
            element("span", class_="wires"),
            element("span", "layer", class_="name"),
            element("span", "shape", class_="shape"),
            element(
                "span",
                element("span", words(self.picture.caption), class_="caption"),
                element("svg", *labels, height=16),
                class_="time",
            ),
            element("span", class_="note"),
            element("span", "MACs", class_="cost macs"),
            element("span", "state", class_="cost state"),
            class_="row head",
            aria_hidden="true",
        )

    def _level(self, entries: Sequence[Entry]) -> Iterator[str]:
        for entry in entries:
            yield self._entry(entry)

    @cached_property
    def _shown(self) -> dict[Entry, Shown]:
        rows = zip(self.picture.wiring.lines, self.picture.all, strict=True)
        return {line.entry: self.picture.shown(line, view) for line, view in rows}

    def _entry(self, entry: Entry) -> str:
        row = self._shown[entry]
        facts = self._facts(
            row.view, range(entry.nodes.start + self.base, entry.nodes.stop + self.base)
        )
        if not entry.folds:
            reads = " ".join(str(self._value(name)) for name in row.view.inputs)
            cells = self._cells(row, self._wires(row, row.last, row.dot))
            return _item(element("button", *cells, type="button", data_reads=reads, **facts))
        wires = self._wires(row, row.line.number, "open", "wires opened")
        wires += self._wires(row, row.line.last, "block", "wires folded")
        return _item(
            element(
                "details",
                element("summary", *self._cells(row, wires), **facts),
                element("div", *self._level(entry.parts), role="list"),
                open="" if row.open else None,
            )
        )

    def _value(self, name: str) -> int:
        if name in self.picture.views.numbers:
            return self.base + self.picture.views.numbers[name]
        return list(self.picture.views.inputs).index(name)

    def _wires(self, row: Shown, last: int, dot: str, kind: str = "wires") -> str:
        marks = self.picture.gutter.row(row.line.number, last, dot)
        return element("svg", marks, class_=kind, height=HEIGHT)

    def _facts(self, view: View, values: range) -> dict[str, str]:
        return self._lights(view.window, values, sentence(view), not view.live)

    def _lights(self, window: Window, values: range, said: str, dead: bool) -> dict[str, str]:
        """What a row says of itself, and what it lights."""
        start, stop = self.picture.axis.span(-window.past, window.ahead)
        return {
            "class_": "row dead" if dead else "row",
            "aria_label": said,
            "data_nodes": f"{values.start} {values[-1]}",
            "data_sees": f"{start:.2f} {stop:.2f}",
        }

    def _input(self, at: int, name: str) -> str:
        strip = frames(self.picture.axis, self._use("1"))
        given = self.picture.views.inputs[name]
        said = f"{name}: what enters, {sizes(given)}"
        cells = (
            element("svg", self.picture.gutter.row(at, at, "open"), class_="wires", height=HEIGHT),
            element("span", words(name), class_="name", style=_indent(0)),
            element("span", words(sizes(given)), class_="shape"),
            self._time(strip),
        )
        facts = self._lights(Window(), range(at, at + 1), said, False)
        return _item(element("button", *cells, type="button", data_reads="", **facts))

    def _cells(self, row: Shown, wires: str) -> Iterator[str]:
        view = row.view
        name = element("b", words(view.name)) if row.line.entry.folds else words(view.name)
        more = "".join(element("i", words(each)) for each in (row.kind, row.role) if each)
        cuts = self._use(str(view.stride)) if tiled(view.stride) else ""
        yield wires
        yield element("span", name + more, class_="name", style=_indent(row.line.depth))
        yield element("span", words(shape(view)), class_="shape")
        yield self._time(bar(view, self.picture.axis, cuts))
        yield element("span", words(note(view)), class_="note")
        figures, shares = self.picture.costs(view), self.picture.shares(view)
        for kind, figure, share in zip(("macs", "state"), figures, shares, strict=True):
            weight = element("u", style=f"width:{share * 100:.1f}%") if figure else ""
            text = element("span", words(figure))
            yield element("span", text + element("s", weight), class_=f"cost {kind}")

    def _time(self, marks: str) -> str:
        return element("svg", self._use("grid") + marks, class_="time", height=HEIGHT)

    def _use(self, symbol: str) -> str:
        return element("use", href=f"#{self.id}-{symbol}")

    def _legend(self) -> Iterator[str]:
        for mark, text in samples():
            drawn = element("svg", mark, width=22, height=HEIGHT)
            yield element("span", drawn, words(text))


def _item(content: str) -> str:
    return element("div", content, role="listitem")


def _indent(depth: int) -> str:
    return f"--depth:{min(depth, INDENTED)}"
