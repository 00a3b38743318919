"""Which classes a run has yet to hit, and the next network towards them."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import codsl
from harness.chance import Chance
from harness.classes import classes, every
from harness.contract import Declared
from harness.drawn import ATTENDING, RECURRENT, Networks
from harness.value import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SMALL = Limits(field=8, stride=4, depth=2)
STILL = Limits(field=-1)
"""Nothing that reaches over time."""
LONGEST = 34
"""Frames of a clip at most."""
SIZES = ((2, SMALL), (3, SMALL), (4, SMALL), (8, STILL))
"""About how many statements a network has, and how far it may go."""
SEARCH = 50
"""What any network costs besides its frames: to find it, and to build it."""
RANKS = {
    1: ("time alone", *RECURRENT, *ATTENDING, "layer stft", "layer mel"),
    2: ("one dimension of space", "layer graph_conv", "broadcast"),
    3: ("two dimensions of space", "layer pixel", "stride over space", "divisor", "reflect"),
}
"""What networks have that no others have, by their dimensions, or that those have more often."""
CANDIDATES = 2
"""Networks that are drawn for each that is tried."""


class Drawn(NamedTuple):
    """A network that was drawn, by the seed that draws it again."""

    seed: int
    spec: dict[str, Any]
    graph: codsl.Graph
    frames: int
    """Frames of a clip that shows all that it does."""


class Coverage:
    """How often each class was hit, of at `least` so many times."""

    def __init__(self, least: int, names: Iterable[str] | None = None) -> None:
        self.hits: Counter[str] = Counter()
        self._least = least
        self._names = every() if names is None else tuple(names)

    @property
    def lacking(self) -> dict[str, int]:
        """How often each class was hit that was not hit often enough."""
        return {each: self.hits[each] for each in self._names if self.hits[each] < self._least}

    def needs(self) -> dict[str, float]:
        """How much each class is wanted: from 0 to 1, which is that of the fewest hits."""
        short = {each: self._least - hits for each, hits in self.lacking.items()}
        return {each: (hits / max(short.values())) ** 2 for each, hits in short.items()}

    def networks(self, seed: int, most: int) -> Iterator[Drawn]:
        """Small networks, at most so many, each the best of a few towards what is lacking, until
        nothing is; each is added before the next is drawn."""
        draw = random.Random(seed)
        for _ in range(most):
            needs = self.needs()
            if not needs:
                return
            some = [candidate(draw, needs) for _ in range(CANDIDATES)]
            yield max(some, key=lambda drawn: gain(drawn, needs))

    def add(self, graph: codsl.Graph) -> None:
        """Count what a network has that was tried."""
        self.hits.update({"networks", *classes(graph)})


def gain(drawn: Drawn, needs: Mapping[str, float]) -> float:
    """How much nearer a network comes to what is wanted, for about what it costs to try."""
    found = sum(needs.get(name, 0) for name in classes(drawn.graph))
    return found / (SEARCH + drawn.frames * (2 + len(drawn.graph.nodes) / 3))


def candidate(draw: random.Random, needs: Mapping[str, float]) -> Drawn:
    """A network of short clips, in which what is wanted is drawn more often."""
    while True:
        seed, rank = draw.randrange(2**48), _rank(draw, needs)
        size, limits = draw.choice(SIZES)
        spec = Networks(random.Random(seed), rank, limits, needs).network(size)
        graph = codsl.check(spec)
        frames = Declared.of(graph).most
        if frames <= LONGEST:
            return Drawn(seed, spec, graph, frames)


def _rank(draw: random.Random, needs: Mapping[str, float]) -> int:
    """How many dimensions a network has, those more often that have what is wanted."""
    chance = Chance(draw, needs)
    return chance.weighed({rank: chance.want(1.0, *words) for rank, words in RANKS.items()})
