"""How results look as a picture: bars and curves on logarithmic scales, in SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

from codsl.bench.result import Outcome, Results, Series
from codsl.bench.table import milliseconds, times
from codsl.report.markup import element, words
from codsl.report.palette import literal

WIDTH, LABEL, EDGE, FIGURES = 760, 190, 16, 130
"""Of the picture, of the names before the bars, of what is left free around all, and of the figures
behind the longest bar."""

BAR, LINE, PLOT = 18, 20, 220
"""Heights of a bar with what is free below it, of a line of words, and of a plot with curves."""

COLOURS = ("#6a7fdb", "#d99a0b", "#f0705a", "#3fae94", "#58a55c", "#e377a5", "#a06ee1", "#5aa3e0")
"""Of contenders, in the order in which they are met; on light and on dark."""

LIMIT, LIMIT_COLOUR = "limit", "#8a94a0"

STYLE = """
.codsl { font: 12px system-ui, sans-serif; }
.codsl text { fill: var(--ink); }
.codsl text.soft { fill: var(--soft); }
.codsl .paper { fill: var(--paper); }
.codsl .rule { stroke: var(--faint); }
"""


@dataclass(frozen=True)
class Scale:
    """Figures from `low` to `high`, logarithmic, on pixels from `start` to `end`."""

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


class Sheet:
    """Shapes one below the other; the next comes at `y`."""

    def __init__(self, names: Sequence[str]) -> None:
        distinct = enumerate(dict.fromkeys(names))
        self._colours = {name: COLOURS[place % len(COLOURS)] for place, name in distinct}
        self._shapes: list[str] = []
        self.y: float = EDGE

    def text(self, x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> None:
        """Words whose line stands on `y`: plain, `soft` or `bold`."""
        given: dict[str, str | float | None] = {"x": x, "y": y, "text_anchor": anchor}
        given |= {"class_": kind or None, "font_weight": "600" if kind == "bold" else None}
        self._shapes.append(element("text", words(said), **given))

    def title(self, said: str) -> None:
        """Words above what follows."""
        self.y += 1.5 * LINE
        self.text(EDGE, self.y - LINE / 2, said, "bold")

    def bar(self, name: str, end: float, said: str, note: str) -> None:
        """A named bar with words behind it, and a note to hover for."""
        self.text(LABEL - 8, self.y + BAR - 5, name, anchor="end")
        bar = {"x": LABEL, "y": self.y, "width": max(end - LABEL, 1), "height": BAR - 3, "rx": 2}
        title = element("title", words(note))
        self._shapes.append(element("rect", title, fill=self.colour(name), **bar))
        self.text(end + 6, self.y + BAR - 5, said, "soft")
        self.y += BAR

    def rule(self, start: float, end: float, y: float) -> None:
        """A thin line across."""
        self._shapes.append(element("line", x1=start, x2=end, y1=y, y2=y, class_="rule"))

    def curve(self, name: str, points: Sequence[tuple[float, float]]) -> None:
        """A curve with a dot at each point."""
        colour = self.colour(name)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._shapes.append(element("polyline", points=path, fill="none", stroke=colour))
        self._shapes += [element("circle", cx=x, cy=y, r=3, fill=colour) for x, y in points]

    def colour(self, name: str) -> str:
        """The colour of a contender, the same everywhere."""
        return self._colours.get(name, LIMIT_COLOUR)

    def __str__(self) -> str:
        tall = ceil(self.y + EDGE)
        paper = element("rect", class_="paper", width=WIDTH, height=tall, rx=6)
        drawn = element(
            "svg",
            element("title", "codsl bench"),
            element("style", literal(STYLE)),
            paper,
            *self._shapes,
            xmlns="http://www.w3.org/2000/svg",
            class_="codsl",
            role="img",
            view_box=f"0 0 {WIDTH} {tall}",
            width=WIDTH,
            height=tall,
        )
        return f"{drawn}\n"


def svg(results: Results) -> str:
    """The picture of results: bars for each kind of work, then a plot for each series."""
    outcomes = [(case.name, each) for case in results.cases for each in case.outcomes]
    names = [row.name for _, each in outcomes for row in each.rows]
    sheet = Sheet([*names, *(name for series in results.series for name in series.contenders)])
    said = f"{results.machine}; bars and curves are logarithmic"
    sheet.text(EDGE, sheet.y + LINE / 2, said, "soft")
    sheet.y += LINE / 2
    for case, outcome in outcomes:
        _bars(sheet, case, outcome)
    for series in results.series:
        _plot(sheet, series)
    return str(sheet)


def _bars(sheet: Sheet, case: str, outcome: Outcome) -> None:
    """A bar for each contender and one for the limit, the longer the slower."""
    figures = [(row.name, row.ms, row.words) for row in outcome.rows if not row.wrong]
    if outcome.bound.ms:
        figures.append((LIMIT, outcome.bound.ms, "what the machine allows"))
    told = [ms for _, ms, _ in figures]
    scale = Scale(min(told) / 2, max(told), LABEL, WIDTH - FIGURES)
    sheet.title(f"{case}: {outcome.title}, ms a frame of one stream")
    for name, ms, note in figures:
        ratio = "" if name == outcome.plain.name else f", {times(outcome.plain.ms / ms)}"
        sheet.bar(name, scale(ms), f"{milliseconds(ms)}{ratio}", note)


def _plot(sheet: Sheet, series: Series) -> None:
    """Milliseconds over what is varied, both on logarithmic scales."""
    first = [case.outcomes[0] for case in series.cases]
    curves = {name: [each.row(name).ms for each in first] for name in series.contenders}
    if all(each.bound.ms for each in first):
        curves[LIMIT] = [each.bound.ms for each in first]
    sheet.title(f"{series.name}: ms a frame of one stream, over {series.axis}")
    left, right, bottom = 60, WIDTH - LABEL, sheet.y + PLOT
    up = Scale.over([ms for curve in curves.values() for ms in curve], bottom, sheet.y)
    least, most = min(series.values), max(series.values)
    across = Scale(least, max(most, least + 1), left, right)
    for tick in up.ticks:
        sheet.rule(left, right, up(tick))
        sheet.text(left - 6, up(tick) + 4, f"{tick:g}", "soft", "end")
    for value in series.values:
        sheet.text(across(value), bottom + LINE, str(value), "soft", "middle")
    ends = apart([up(curve[-1]) for curve in curves.values()])
    for (name, curve), end in zip(curves.items(), ends, strict=True):
        sheet.curve(name, list(zip(map(across, series.values), map(up, curve), strict=True)))
        sheet.text(right + 10, end + 4, f"{name}  {milliseconds(curve[-1])}")
    sheet.y = max(bottom + LINE, *ends) + LINE / 2


def apart(places: Sequence[float]) -> list[float]:
    """Places for words near these, none over another."""
    found = list(places)
    for above, below in pairwise(sorted(range(len(found)), key=found.__getitem__)):
        found[below] = max(found[below], found[above] + 0.7 * LINE)
    return found
