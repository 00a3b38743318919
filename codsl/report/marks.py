"""The marks of a row: its wires, and its window on the time axis."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isinf

from codsl.report.axis import ENDLESS, Axis
from codsl.report.markup import element, number
from codsl.report.view import View
from codsl.report.wires import Wiring

HEIGHT = 24
"""Pixels of a row."""

MIDDLE = HEIGHT / 2
BAR = 10
DOT = 3.5
BEND = 4
PITCH = 9
"""Pixels from one lane to the next at most."""

GUTTER = 63
"""Pixels of all lanes at most."""

CHIPS = ((0.0, 1.4), (2.6, 4.8), (6.0, 8.8))
"""What stands for an endless past, in per cent of the axis."""


@dataclass(frozen=True)
class Gutter:
    """The place of the wires, left of the names."""

    wiring: Wiring

    @property
    def width(self) -> float:
        """Pixels of the lanes and the dots."""
        return self._lane(0) + 2 * DOT

    def _lane(self, lane: int) -> float:
        """Where a lane runs; lane 0 is that of the dots."""
        lanes = self.wiring.lanes
        pitch = min(PITCH, GUTTER / lanes) if lanes else PITCH
        return DOT + 1 + (lanes - lane) * pitch

    def row(self, first: int, last: int, dot: str) -> str:
        """The wires of a row that stands for lines `first` to `last`, and its dot: an element of
        class `dot`."""
        return "".join([*self._crossings(first, last), *self._neighbour(first), self._dot(dot)])

    def _crossings(self, first: int, last: int) -> Iterator[str]:
        x, bend = self._lane(0) - DOT, BEND
        for each in self.wiring.crossings(first, last):
            lane = self._lane(each.lane)
            path = f"M{number(lane)},0V{HEIGHT}" if each.by else ""
            turn = f"Q{number(lane)},{number(MIDDLE)}"
            if each.to:
                path += f"M{number(lane)},0V{number(MIDDLE - bend)}"
                path += f"{turn} {number(lane + bend)},{number(MIDDLE)}H{number(x)}"
            if each.off:
                path += f"M{number(lane)},{HEIGHT}V{number(MIDDLE + bend)}"
                path += f"{turn} {number(lane + bend)},{number(MIDDLE)}H{number(x)}"
            yield element("path", class_="wire held" if each.holds else "wire", d=path)

    def _neighbour(self, line: int) -> Iterator[str]:
        wire = self.wiring.neighbours.get(line)
        if wire:
            path = f"M{number(self._lane(0))},{number(DOT - MIDDLE)}V{number(MIDDLE - DOT)}"
            yield element("path", class_="wire held" if wire.holds else "wire", d=path)

    def _dot(self, kind: str) -> str:
        x, y, size = self._lane(0), MIDDLE, DOT
        if kind == "block":
            return element(
                "rect",
                class_="dot",
                x=x - size,
                y=y - size,
                width=2 * size,
                height=2 * size,
                rx=1.5,
            )
        return element("circle", class_=f"dot {kind}".rstrip(), cx=x, cy=y, r=size - 0.5)


def bar(view: View, axis: Axis, cuts: str) -> str:
    """What an output sees, what is new in that darker; when it comes, and what waits for it.

    `cuts` part it into items, as `tiles` does.
    """
    return "".join([*_window(view, axis), cuts, *_waiting(view, axis)])


def frames(axis: Axis, cuts: str) -> str:
    """A strip of all frames, as they enter."""
    start = 0.0 if axis.endless else axis.at(axis.first - 0.5)
    return _segment("past", start, axis.at(axis.last + 0.5)) + cuts


def _window(view: View, axis: Axis) -> Iterator[str]:
    first, last = -view.window.past, view.window.ahead
    known, foreseen = -view.before.past, view.before.ahead
    parts = (
        ("past new", first, min(known - 1, last, 0)),
        ("past", max(first, known), min(last, 0)),
        ("ahead", max(first, 1), min(last, foreseen)),
        ("ahead new", max(first, foreseen + 1, 1), last),
    )
    for kind, start, stop in parts:
        if start <= stop and stop > -inf:
            if isinf(start):
                yield from (_segment(kind, *chip) for chip in CHIPS)
                yield _segment(kind, ENDLESS, axis.at(stop + 0.5))
            else:
                yield _segment(kind, *axis.span(start, stop))


def _waiting(view: View, axis: Axis) -> Iterator[str]:
    fires = view.window.fires
    end = axis.at(fires + 0.5)
    if fires > view.window.ahead:
        yield _line("late", axis.at(view.window.ahead + 0.5), end, MIDDLE)
    waits = sorted({hold for hold in view.holds if hold})
    if waits:
        starts = [axis.at(fires - hold + 0.5) for hold in waits]
        yield _line("held", starts[-1], end, HEIGHT - 3.5)
        for start in starts:
            yield element("circle", class_="held", cx=f"{number(start)}%", cy=HEIGHT - 3.5, r=2)
    place = f"{number(end)}%"
    yield element("line", class_="fires", x1=place, x2=place, y1=4, y2=HEIGHT - 4)


def _segment(kind: str, start: float, stop: float) -> str:
    return element(
        "rect",
        class_=kind,
        x=f"{number(start)}%",
        y=MIDDLE - BAR / 2,
        width=f"{number(stop - start)}%",
        height=BAR,
    )


def _line(kind: str, start: float, stop: float, y: float) -> str:
    return element("line", class_=kind, x1=f"{number(start)}%", x2=f"{number(stop)}%", y1=y, y2=y)


def tiled(stride: int | Fraction) -> bool:
    """Whether the items of a value are whole frames, and can be seen as tiles."""
    return Fraction(stride).denominator == 1


def tiles(axis: Axis, stride: int | Fraction) -> str:
    """What parts a bar into the items of a value, where they are whole frames."""
    if not tiled(stride):
        return ""
    return "".join(
        element("line", class_="codsl-tile", x1=place, x2=place, y1=MIDDLE - 6, y2=MIDDLE + 6)
        for place in (f"{number(edge)}%" for edge in axis.tiles(int(stride)))
    )


def grid(axis: Axis) -> str:
    """An output's own frame, and lines at the frames that are labelled, as high as may be."""
    start, stop = axis.span(0, 0)
    own = element(
        "rect",
        class_="codsl-own",
        x=f"{number(start)}%",
        width=f"{number(stop - start)}%",
        height="100%",
    )
    lines = [
        element("line", class_="codsl-rule", x1=place, x2=place, y1=0, y2="100%")
        for place in (f"{number(sum(axis.span(frame, frame)) / 2)}%" for frame in axis.ticks())
    ]
    return own + "".join(lines)
