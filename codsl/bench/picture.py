"""How results look as a picture: bars and curves on logarithmic scales, in SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import ceil, floor, log10

from codsl.bench.result import Outcome, Results, Series
from codsl.bench.table import milliseconds

WIDTH, LABEL, EDGE = 760, 190, 60
"""Of the picture, of the words before the bars, and of what is left free at their ends."""

BAR, LINE, PLOT = 16, 20, 220
"""Heights of a bar, of a line of words and of a plot with curves."""

COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5")
"""In turn, for contenders in the order in which they are met."""

LIMIT = "#9498a0"

STYLE = "text{font:12px system-ui,sans-serif;fill:#222}.head{font-weight:600}.dim{fill:#666}"


@dataclass(frozen=True)
class Scale:
    """Figures on a logarithmic scale from `low` on `start` to `high` on `end`, in pixels."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, figures: Sequence[float], start: float, end: float) -> "Scale":
        """Whole powers of ten around all figures."""
        low, high = floor(log10(min(figures))), ceil(log10(max(figures)))
        return cls(10.0**low, 10.0 ** max(high, low + 1), start, end)

    def __call__(self, figure: float) -> float:
        """The place of a figure."""
        share = log10(figure / self.low) / log10(self.high / self.low)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self) -> Iterator[float]:
        """The powers of ten."""
        for power in range(round(log10(self.low)), round(log10(self.high)) + 1):
            yield 10.0**power


class Drawing:
    """Shapes from top to bottom; `height` is where the next comes."""

    def __init__(self, names: Sequence[str]) -> None:
        self._colours = {
            name: COLOURS[place % len(COLOURS)] for place, name in enumerate(dict.fromkeys(names))
        }
        self._shapes: list[str] = []
        self.height = 0.0

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        """Words whose line stands on `y`."""
        self._shapes.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">'
            f"{escape(words)}</text>"
        )

    def line(self, x: float, y: float, to_x: float, to_y: float, colour: str = "#ddd") -> None:
        """A thin line."""
        self._shapes.append(
            f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"/>'
        )

    def bar(self, name: str, start: float, end: float, words: str, note: str) -> None:
        """A named bar on a line of its own, with a figure behind it and a note to hover for."""
        y = self.height
        self.text(LABEL - 8, y + BAR - 3, name, anchor="end")
        self._shapes.append(
            f'<rect x="{start:.1f}" y="{y:.1f}" width="{max(end - start, 1):.1f}" '
            f'height="{BAR - 2}" fill="{self.colour(name)}"><title>{escape(note)}</title></rect>'
        )
        self.text(end + 6, y + BAR - 3, words, "dim")
        self.height += BAR + 2

    def curve(self, name: str, points: Sequence[tuple[float, float]]) -> None:
        """A curve with a dot at each point and its name at the last."""
        colour = self.colour(name)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._shapes.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        self._shapes += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points
        ]

    def colour(self, name: str) -> str:
        """The colour of a contender, the same everywhere."""
        return self._colours.get(name, LIMIT)

    def __str__(self) -> str:
        height = ceil(self.height + EDGE / 3)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}"><style>{STYLE}</style>'
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
            + "".join(self._shapes)
            + "</svg>\n"
        )


def svg(results: Results) -> str:
    """The picture of results: bars for each kind of work, then a plot for each series."""
    outcomes = [(case.name, each) for case in results.cases for each in case.outcomes]
    rows = [row.name for _, each in outcomes for row in each.rows]
    rows += [name for series in results.series for name in series.contenders]
    drawing = Drawing(rows)
    drawing.text(12, LINE, str(results.machine), "dim")
    drawing.height = 1.5 * LINE
    for case, each in outcomes:
        _bars(drawing, case, each)
    for series in results.series:
        _plot(drawing, series)
    return str(drawing)


def _bars(drawing: Drawing, case: str, outcome: Outcome) -> None:
    """A bar for each contender and one for the limit, the longer the slower."""
    figures = [(row.name, row.ms, row.words) for row in outcome.rows if not row.wrong]
    figures.append(("limit", outcome.bound.ms, "what the machine allows"))
    scale = Scale.over([ms for _, ms, _ in figures], LABEL, WIDTH - 2 * EDGE)
    drawing.height += LINE
    drawing.text(12, drawing.height, f"{case}: {outcome.title}, ms a frame of one stream", "head")
    drawing.height += LINE / 3
    for name, ms, words in figures:
        times = f"  {outcome.plain.ms / ms:.1f}x" if name != outcome.plain.name else ""
        drawing.bar(name, LABEL, scale(ms), f"{milliseconds(ms)}{times}", words)


def _plot(drawing: Drawing, series: Series) -> None:
    """Milliseconds over what is varied, both on logarithmic scales."""
    curves = {
        name: [case.outcomes[0].row(name).ms for case in series.cases] for name in series.contenders
    }
    curves["limit"] = [case.outcomes[0].bound.ms for case in series.cases]
    drawing.height += 2 * LINE
    drawing.text(12, drawing.height, f"{series.name}: ms a frame over {series.axis}", "head")
    top, bottom = drawing.height + LINE / 2, drawing.height + LINE / 2 + PLOT
    across = Scale(
        min(series.values), max(*series.values, min(series.values) + 1), EDGE, WIDTH - LABEL
    )
    up = Scale.over([ms for curve in curves.values() for ms in curve], bottom, top)
    for tick in up.ticks:
        drawing.line(EDGE, up(tick), WIDTH - LABEL, up(tick))
        drawing.text(EDGE - 6, up(tick) + 4, f"{tick:g}", "dim", "end")
    for value in series.values:
        drawing.text(across(value), bottom + LINE, str(value), "dim", "middle")
    ends = _apart([up(curve[-1]) for curve in curves.values()])
    for (name, curve), end in zip(curves.items(), ends, strict=True):
        places = [across(value) for value in series.values]
        drawing.curve(name, list(zip(places, map(up, curve), strict=True)))
        drawing.text(WIDTH - LABEL + 10, end + 4, f"{name}  {milliseconds(curve[-1])}")
    drawing.height = bottom + 1.5 * LINE


def _apart(places: Sequence[float]) -> list[float]:
    """Places for words near these, none over another."""
    found = list(places)
    order = sorted(range(len(found)), key=found.__getitem__)
    for above, below in pairwise(order):
        found[below] = max(found[below], found[above] + LINE * 0.7)
    return found
