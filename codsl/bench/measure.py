"""A network measured: its contenders run the same stream, are compared, and take turns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from math import inf
from typing import Any

import torch
from torch import Tensor

from codsl.bench import contender
from codsl.bench.clock import Calls, Effort, Timing, interleaved, once
from codsl.bench.contender import Absent, Contender, Window, line
from codsl.bench.footage import Footage, beyond, run_in
from codsl.bench.limit import Least
from codsl.bench.machine import Beat, Rates
from codsl.bench.peer import Peer
from codsl.bench.pick import Pick, every
from codsl.bench.result import Bound, Case, Outcome, Row, titled
from codsl.bench.scene import Scene
from codsl.graph.graph import Graph
from codsl.network import Network
from codsl.nn.nest import leaves

Entrant = Callable[[Scene], Contender | Absent]

MULTIPLY, COPY, BEAT = "(matrix product)", "(copy)", "(beat)"
"""What is timed among the contenders, for the limit and for the tail of the machine."""

WARM = 5
"""Passes of which the best tells how long a call takes."""

MOST = 1 << 28
"""Numbers that a clip which is run again and again may have."""


@dataclass(frozen=True)
class Wish:
    """What is to be measured: which backends, for how many streams, in steps (a chunk of 0) and in
    chunks, and how long. Without `backends` it is all there are, with `low` also in their lower
    precisions. `window` is the clip that is run again, if not all that an output sees; `peer` asks
    for continual-inference too."""

    backends: Sequence[Pick] | None = None
    streams: Sequence[int] = (1,)
    chunks: Sequence[int] = (0,)
    effort: Effort = field(default_factory=Effort)
    window: int | None = None
    peer: bool = False
    seed: int = 0
    low: bool = False

    @property
    def picks(self) -> tuple[Pick, ...]:
        """The backends."""
        return every(self.low) if self.backends is None else tuple(self.backends)


@dataclass(frozen=True)
class Watch:
    """Who wants to know: of what is being done, in words, and of a case whenever it has one outcome
    more."""

    doing: Callable[[str], None] = lambda words: None
    done: Callable[[Case], None] = lambda case: None


UNSEEN = Watch()
"""Nobody wants to know."""


@torch.inference_mode()
def measure(net: Network, wish: Wish, name: str | None = None, watch: Watch = UNSEEN) -> Case:
    """The contenders for a network in `eval()`, side by side; the network's stream is reset."""
    graph = net.graph
    total = graph.report().to_dict()["total"]
    case = Case(name or graph.name, total, tuple(map(str, wish.picks)), ())
    watch.doing(f"{case.name}: to where a stream no longer feels its beginning")
    footage = Footage(net, wish.seed)
    kept = _kept(graph, wish)
    state, past = run_in(net, footage, max(beyond(graph), kept), kept)
    entrants = list(_entrants(net, wish, past))
    for streams, chunk in product(wish.streams, wish.chunks):
        scene = Scene(net, footage, state, past, streams, chunk)
        doing = partial(_tell, watch, f"{case.name}, {titled(chunk, streams)}")
        found = outcome(scene, entrants, wish.effort, doing)
        case = replace(case, outcomes=(*case.outcomes, found))
        watch.done(case)
    net.reset()
    return case


def _tell(watch: Watch, where: str, what: str) -> None:
    watch.doing(f"{where}: {what}")


def _kept(graph: Graph, wish: Wish) -> int:
    """Frames of the past that contenders ask for, in whole turns, so that those who begin with
    them are at the same frame of a turn; 0 where these take too much memory."""
    window = Window.of(graph, wish.window)
    frames = window.frames if isinstance(window, Window) else 0
    if wish.peer:
        frames = max(frames, beyond(graph))
    frames = -(-frames // graph.cycle.turn) * graph.cycle.turn
    return frames if frames * graph.input.size <= MOST else 0


def _entrants(net: Network, wish: Wish, past: Any) -> Iterator[Entrant]:
    """Who may take part; the network itself first."""
    yield contender.plain
    for pick in wish.picks:
        yield contender.Fast(pick)
    yield partial(contender.clip, wish.window)
    if wish.peer:
        yield Peer(net, past)


def outcome(
    scene: Scene, entrants: Sequence[Entrant], effort: Effort, doing: Callable[[str], None]
) -> Outcome:
    """What comes of one kind of work."""
    begun, absent = begin(scene, entrants, doing)
    least = Least.of(scene.net.graph, scene.streams, scene.frames)
    rates = Rates(least.bytes)
    beat = Beat(_briefest(begun))
    machine: dict[str, Calls] = {MULTIPLY: [rates.multiply], COPY: [rates.copy], BEAT: [beat]}
    doing("in turns")
    calls = {each.contender.name: each.calls for each in begun}
    firsts = {each.contender.name: each.seconds for each in begun}
    timings = interleaved({**calls, **machine}, effort, firsts)
    meant = begun[0].given
    rows = []
    for each in begun:
        distance = apart(each.given, meant) if each.contender.same else None
        timed = timings[each.contender.name]
        rows.append(_row(each.contender, timed, len(each.calls), scene.streams, distance))
    bound = bound_of(least, rates, timings, scene.streams)
    tensors = (each for each in leaves(list(meant)) if isinstance(each, Tensor))
    strange = not all(bool(each.isfinite().all()) for each in tensors)
    return Outcome(scene.chunk, scene.streams, tuple(rows), absent, bound, strange)


@dataclass(frozen=True)
class Begun:
    """A contender that has made a first pass: its calls, what they gave, and their seconds."""

    contender: Contender
    calls: Calls
    given: Sequence[Any]
    seconds: list[float]


def begin(
    scene: Scene, entrants: Sequence[Entrant], doing: Callable[[str], None]
) -> tuple[list[Begun], dict[str, str]]:
    """Who has made a first pass, the network itself first, and why others have not."""
    field = []
    for count, enter in enumerate(entrants, 1):
        doing(f"{count} of {len(entrants)} gets ready")
        field.append(enter(scene))
    inputs = scene.inputs()
    begun: list[Begun] = []
    absent = {}
    for each in field:
        if isinstance(each, Absent):
            absent[each.name] = each.reason
            continue
        doing(f"{each.name} begins")
        calls = [partial(each.run, x) for x in inputs]
        try:
            begun.append(Begun(each, calls, *once(calls)))
        except Exception as error:
            if not begun:
                raise
            absent[each.name] = line(error)
    return begun, absent


def _briefest(begun: Sequence[Begun]) -> float:
    """The seconds that a call of the quickest takes, once it has been made before."""
    quickest = min(begun, key=lambda each: sum(each.seconds))
    return min(min(once(quickest.calls)[1]) for _ in range(WARM))


def bound_of(least: Least, rates: Rates, timings: Mapping[str, Timing], streams: int) -> Bound:
    """The limit, at the median rates: what slows the machine slows contenders and limit alike."""
    flops = rates.flops / timings[MULTIPLY].median
    copied = rates.bytes / timings[COPY].median
    arithmetic, memory = least.seconds(flops, copied)
    return Bound(
        1e3 * arithmetic / streams, 1e3 * memory / streams, flops, copied, timings[BEAT].tail
    )


def _row(each: Contender, timing: Timing, calls: int, streams: int, apart: float | None) -> Row:
    worth = 1e3 / (calls * each.frames * streams)
    return Row(
        each.name,
        each.words,
        worth * timing.median,
        worth * timing.least,
        1e3 * timing.longest / each.frames,
        timing.tail,
        timing.passes,
        each.same,
        each.exact,
        apart,
        each.ready,
        each.macs / each.frames,
    )


def apart(given: Sequence[Any], meant: Sequence[Any]) -> float | None:
    """How far outputs are from those that are meant, relative to the largest of them; None where
    there is none, and infinity where one is missing, has another shape, or is no number alone."""
    pairs = list(zip(leaves(list(given)), leaves(list(meant)), strict=True))
    if any((y is None) != (z is None) for y, z in pairs):
        return inf
    there = [(y, z) for y, z in pairs if isinstance(y, Tensor) and isinstance(z, Tensor)]
    if any(y.shape != z.shape for y, z in there):
        return inf
    if not there:
        return None
    largest = max(float(z.abs().nan_to_num(nan=0, posinf=0).amax()) for _, z in there)
    return max(_farthest(y, z) for y, z in there) / max(largest, 1e-30)


def _farthest(y: Tensor, z: Tensor) -> float:
    """How far numbers are apart at most; those are the same that are both NaN."""
    same = torch.isclose(y, z, rtol=0, atol=0, equal_nan=True)
    apart = (y - z).abs().masked_fill(same, 0)
    return float(apart.nan_to_num(nan=inf, posinf=inf).amax())
