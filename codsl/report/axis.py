"""The time axis of a picture: where a frame lies, by its distance from an output's own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import asinh, isinf

from codsl.report.view import Window

WIDTH = 320
"""Pixels for which ticks and tiles are laid out; elsewhere the axis stretches."""

DENSE = 1.5
"""Pixels of a frame below which the axis is logarithmic."""

TILE = 6
"""Pixels of a tile at least."""

FEWEST = 9
"""Frames on an axis at least, so that few of them are not huge."""

MARGIN = 1.5
"""Per cent of the axis that stay free at either end."""

ENDLESS = 10.0
"""Per cent of the axis for an endless past."""

LONG_AGO = 4.0
"""Where the label of that stands."""

DIGIT = 7.0
"""Pixels of a digit at most."""

STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Axis:
    """Frames `first` to `last`, and to the left of them, where `endless`, all that came before.

    Frame `f` reaches from `f - 1/2` to `f + 1/2`. Places are per cent of the width.
    """

    first: int
    last: int
    endless: bool
    log: bool

    def at(self, edge: float) -> float:
        """Where a place between two frames lies; all that is before the first has its own end."""
        if edge < self.first - 0.5:
            return 0.0 if self.endless else MARGIN
        start, stop = self._place(self.first - 0.5), self._place(self.last + 0.5)
        left = ENDLESS if self.endless else MARGIN
        return left + (self._place(edge) - start) / (stop - start) * (100 - MARGIN - left)

    def span(self, first: float, last: float) -> tuple[float, float]:
        """Where frames `first` to `last` begin and end."""
        return self.at(first - 0.5), self.at(last + 0.5)

    def labels(self) -> list[tuple[float, str, bool]]:
        """The places of labels, what they say, and whether they stay where there is little room."""
        kept = {0, min(self.ticks()), max(self.ticks())}
        endless = [(LONG_AGO, "\u2212\u221e", True)] if self.endless else []
        return endless + [
            (sum(self.span(tick, tick)) / 2, f"{tick}".replace("-", "\u2212"), tick in kept)
            for tick in self.ticks()
        ]

    def ticks(self) -> list[int]:
        """Frames to be labelled, so that no label touches another."""
        found: list[int] = []
        for frame in self._candidates():
            if self.first <= frame <= self.last and self._room(frame, found):
                found.append(frame)
        return sorted(found)

    def tiles(self, stride: int) -> list[float]:
        """Where one item of a value begins behind another, as far as tiles are wide enough."""
        edges: list[float] = []
        for sign in (1, -1):
            edge, place = sign * stride - 0.5 if sign > 0 else -0.5, self.at(-0.5)
            while self.first - 0.5 < edge < self.last + 0.5:
                if edge != -0.5 and abs(self.at(edge) - place) * WIDTH / 100 < TILE:
                    break
                edges.append(place := self.at(edge))
                edge += sign * stride
        return sorted(edges) if len(edges) > 1 else []

    def _place(self, edge: float) -> float:
        return asinh(edge) if self.log else edge

    def _candidates(self) -> Iterator[int]:
        """Round frames, the most welcome first."""
        yield 0
        if self.log:
            power = 10 ** len(str(max(-self.first, self.last)))
            while power > 1:
                power //= 10
                yield from (power, -power)
            return
        frame = (self.at(0.5) - self.at(-0.5)) / 100 * WIDTH
        widest = max(-self.first, self.last)
        step = next(each for each in _round() if each * frame >= 2 * self._half(widest))
        for multiple in range(step, widest + 1, step):
            yield from (multiple, -multiple)

    def _room(self, frame: int, taken: Sequence[int]) -> bool:
        """Whether a label has room beside others."""
        place, half = self.at(frame) / 100 * WIDTH, self._half(frame)
        free = not self.endless or place - half >= LONG_AGO / 100 * WIDTH + self._half(1)
        return free and all(
            abs(place - self.at(each) / 100 * WIDTH) >= half + self._half(each) for each in taken
        )

    def _half(self, frame: int) -> float:
        """Pixels from the middle of a label to where the next may begin."""
        return (len(str(abs(frame))) + 1.5) * DIGIT / 2


def _round() -> Iterator[int]:
    """1, 2, 5, 10, 20, 50, ..."""
    power = 1
    while True:
        yield from (step * power for step in STEPS)
        power *= 10


def axis(windows: Sequence[Window]) -> Axis:
    """An axis on which all windows fit; logarithmic where a frame would be too small to see."""
    finite = [int(each.past) for each in windows if not isinf(each.past)]
    first = -max([0, *finite])
    last = max([0, *(max(each.ahead, each.fires) for each in windows)])
    spare = max(0, FEWEST - (last - first + 1))
    first, last = first - spare // 2, last + spare - spare // 2
    endless = any(isinf(each.past) for each in windows)
    return Axis(first, last, endless, WIDTH / (last - first + 1) < DENSE)
