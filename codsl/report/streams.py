"""Pictures of a short stream: the three ways to run a network, and a clip against a stream."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from codsl.graph.graph import Graph
from codsl.graph.unrolled import Item, Stream, unrolled
from codsl.report.markup import element, lettering, words
from codsl.report.palette import literal, sheet
from codsl.report.text import SANS, columns

STEP = 36
"""Pixels from one frame to the next."""

DROP = 46
"""Pixels from one value to the next."""

RADIUS = 10
EDGE = 20
SIZE = 13
SMALL = 11
BASE = 4
"""Pixels from the middle of a text to the line on which it stands."""

HEAD = 46
"""Pixels of a panel above its items."""

FOOT = 52
"""Pixels of a panel below them."""

KINDS = (
    ("computed", True, "a frame"),
    ("computed", False, "computed"),
    ("kept", False, "remembered"),
)
"""Shapes by their class, whether they enter, and what they mean."""

Key = tuple[int, int]
"""The number of a value, and the index of an item."""


@dataclass(frozen=True)
class Call:
    """A call on a network, over the columns `first` to `last`, and what it gives; `name` where no
    frame enters."""

    name: str
    first: int
    last: int
    gives: str


@dataclass(frozen=True)
class Panel:
    """Items in columns: those that are computed or enter, and those that are remembered. Below
    others of its kind it has no title."""

    title: str
    column: Callable[[Item], int]
    calls: Sequence[Call]
    computed: Collection[Key]
    kept: Collection[Key] = field(default_factory=frozenset)


def modes(graph: Graph, frames: int, chunk: int) -> str:
    """An SVG of `forward`, `forward_step` and `forward_steps`, with `flush`, over the same frames.

    Raises `ValueError` for a network whose items cannot be listed.
    """
    streams = unrolled(graph, frames)
    every = {(value, item.index) for value, each in enumerate(streams) for item in each.items}
    outputs = streams[graph.output].items

    def calls(starts: Sequence[int]) -> list[Call]:
        bounds = [*pairwise([*starts, frames]), (frames, outputs[-1].due + 1)]
        return [
            Call(
                "" if start < frames else "flush()", start, stop - 1, _listed(outputs, start, stop)
            )
            for start, stop in bounds
            if start < stop
        ]

    whole = Call("", 0, frames - 1, _listed(outputs, 0, outputs[-1].due + 1))
    panels = [
        Panel("net(clip)", lambda item: item.own, [whole], every),
        Panel("net.forward_step(frame)", _due, calls(range(frames)), every),
        Panel("net.forward_steps(chunk)", _due, calls(range(0, frames, chunk)), every),
    ]
    title = f"{graph.name} over {frames} frames, in three ways"
    return _draw(graph, streams, [[panel] for panel in panels], title, KINDS[:2])


def against(graph: Graph, outputs: int) -> str:
    """An SVG of what is computed for each output: by a clip of its own, and in a stream.

    Raises `ValueError` for a network whose items cannot be listed.
    """
    frames = graph.begins + outputs * int(graph.stride)
    streams = unrolled(graph, frames)
    rows = []
    for number, output in enumerate(streams[graph.output].items[:outputs]):
        need = _behind(streams, (graph.output, output.index))
        fresh = {(value, at) for value, at in need if streams[value].items[at].due == output.due}
        read = {tap for value, at in fresh for tap in streams[value].items[at].made_of}
        clip, stream = ("", "") if number else ("A clip for each output", "A stream")
        rows.append(
            [
                Panel(clip, _due, [_counted(graph, output, need, need)], need),
                Panel(stream, _due, [_counted(graph, output, need, fresh)], fresh, read - fresh),
            ]
        )
    return _draw(graph, streams, rows, f"{graph.name}: a clip for each output, and a stream", KINDS)


def _counted(graph: Graph, output: Item, need: set[Key], computed: set[Key]) -> Call:
    """An output over the frames that it is made of, with how many items are computed for it."""
    first = min(index for value, index in need if value < graph.base)
    made = sum(value >= graph.base for value, _ in computed)
    return Call("", first, output.due, f"y{output.index}: {made} computed")


def _behind(streams: Sequence[Stream], output: Key) -> set[Key]:
    """All items that an output is made of, and itself."""
    found: set[Key] = set()
    pending = [output]
    while pending:
        value, index = pending.pop()
        if (value, index) not in found:
            found.add((value, index))
            pending += streams[value].items[index].made_of
    return found


def _due(item: Item) -> int:
    return item.due


def _listed(outputs: Sequence[Item], start: int, stop: int) -> str:
    """The outputs that come at these frames."""
    due = [item.index for item in outputs if start <= item.due < stop]
    if len(due) > 1:
        return f"y{due[0]} \u2026 y{due[-1]}"
    return f"y{due[0]}" if due else "None"


def _draw(
    graph: Graph,
    streams: Sequence[Stream],
    rows: list[list[Panel]],
    title: str,
    kinds: Sequence[tuple[str, bool, str]],
) -> str:
    """The panels in rows, with the names of values on the left, and below what shapes mean."""
    left = EDGE + max(columns(each.name) for each in streams) * SIZE * SANS + 16
    span = STEP * (1 + max(item.due for each in streams for item in each.items))
    width = left + (span + EDGE) * max(map(len, rows))
    tall = HEAD + DROP * (len(streams) - 1) + FOOT
    body: list[str] = []
    for down, row in enumerate(rows):
        y = EDGE / 2 + tall * down
        body += _names(streams, left - 14, y + HEAD)
        for along, panel in enumerate(row):
            drawn = "".join(_panel(graph, streams, panel))
            x = left + (span + EDGE) * along
            body.append(element("g", drawn, transform=f"translate({x:g},{y:g})"))
    height = EDGE + tall * len(rows) + 2 * RADIUS
    body += _legend(kinds, left, height - EDGE - RADIUS)
    return element(
        "svg",
        element("title", words(title)),
        element("style", literal(sheet("marks.css"))),
        element("rect", class_="paper", width=width, height=height, rx=6),
        *body,
        xmlns="http://www.w3.org/2000/svg",
        class_="codsl",
        role="img",
        view_box=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        font_size=SIZE,
    )


def _names(streams: Sequence[Stream], x: float, y: float) -> Iterator[str]:
    for value, each in enumerate(streams):
        yield lettering(each.name, x, y + DROP * value + BASE, "soft", "end")


def _legend(kinds: Sequence[tuple[str, bool, str]], x: float, y: float) -> Iterator[str]:
    for kind, enters, text in kinds:
        yield _shape(kind, enters, x + RADIUS, y)
        yield lettering(text, x + 2 * RADIUS + 6, y + BASE, "soft", size=SMALL)
        x += 2 * RADIUS + 30 + columns(text) * SMALL * SANS


def _panel(graph: Graph, streams: Sequence[Stream], panel: Panel) -> Iterator[str]:
    """The calls, then what flows, then the items on top."""
    yield element("text", words(panel.title), x=0, y=16, font_weight=600)
    bottom = HEAD + DROP * (len(streams) - 1)
    for call in panel.calls:
        x, wide = STEP * call.first + 2, STEP * (call.last - call.first + 1) - 4
        yield element(
            "rect", class_="call", x=x, y=HEAD - 18, width=wide, height=bottom - HEAD + 36, rx=6
        )
        yield lettering(call.gives, x + wide / 2, bottom + 32, "", "middle", SMALL)
        yield lettering(call.name, x + wide / 2, HEAD + BASE, "soft", "middle", SMALL)
    seen = [(key, "computed") for key in panel.computed] + [(key, "kept") for key in panel.kept]
    places = {
        (value, index): (
            STEP * (panel.column(streams[value].items[index]) + 0.5),
            float(HEAD + DROP * value),
        )
        for (value, index), _ in seen
    }
    for value, index in sorted(panel.computed):
        for tap in streams[value].items[index].made_of:
            yield _flow(places[tap], places[value, index])
    for key, kind in sorted(seen):
        across, down = places[key]
        yield _shape(kind, key[0] < graph.base, across, down)
        yield lettering(str(key[1]), across, down + BASE, "", "middle", SMALL)


def _flow(start: tuple[float, float], stop: tuple[float, float]) -> str:
    return element("line", class_="wire", x1=start[0], y1=start[1], x2=stop[0], y2=stop[1])


def _shape(kind: str, enters: bool, x: float, y: float) -> str:
    """A frame as a square, what is made of it as a disc; dashed where it is remembered."""
    shape = f"item {kind}"
    if not enters:
        return element("circle", class_=shape, cx=x, cy=y, r=RADIUS)
    start, side = RADIUS - 1, 2 * RADIUS - 2
    return element("rect", class_=shape, x=x - start, y=y - start, width=side, height=side, rx=3)
