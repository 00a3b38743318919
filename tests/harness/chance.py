"""What a random network is drawn from: a source of chance that the same seed gives again."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeVar

from harness.classes import every

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

Kind = TypeVar("Kind")


class Chance:
    """Choices, those that are wanted more often, and names that nothing else has."""

    def __init__(self, draw: Random, needs: Mapping[str, float] | None = None) -> None:
        """`needs` says how much each class of difficulty is wanted, from 0 to 1; all alike where
        it is not given."""
        self._draw = draw
        self._needs = needs
        self._names = 0

    def need(self, *beginnings: str) -> float:
        """How much is wanted what is wanted most of the classes that begin so."""
        if self._needs is None:
            return 1.0
        return max((self._needs.get(each, 0.0) for each in _beginning(beginnings)), default=0.0)

    def want(self, share: float, *beginnings: str) -> float:
        """How often something is drawn: so often where all is wanted alike, and else the more the
        classes are wanted that begin so."""
        return share if self._needs is None else 0.05 * share + 4 * self.need(*beginnings)

    def needed(self, among: Sequence[str], of: str = "layer {}") -> str:
        """One of these, the more often the more its class is wanted."""
        weights = [self.want(1.0, of.format(each)) for each in among]
        return self._draw.choices(among, weights)[0]

    def pick(self, among: Sequence[Kind]) -> Kind:
        """One of these."""
        return self._draw.choice(among)

    def weighed(self, among: Mapping[Kind, float]) -> Kind:
        """One of these, as often as its weight says."""
        return self._draw.choices(list(among), list(among.values()))[0]

    def of(self, share: float, *beginnings: str) -> bool:
        """Whether something happens that happens to such a share, or to more where classes are
        wanted that begin so."""
        more = self.need(*beginnings) if beginnings and self._needs is not None else 0.0
        return self._draw.random() < share + max(0.0, 0.9 - share) * more

    def between(self, least: int, most: int) -> int:
        """A number, both ends included."""
        return self._draw.randint(least, most)

    def name(self) -> str:
        """A name that nothing else has."""
        self._names += 1
        return f"n{self._names}"


@cache
def _beginning(words: tuple[str, ...]) -> list[str]:
    """The classes that begin with one of these."""
    return [each for each in every() if each.startswith(words)]
